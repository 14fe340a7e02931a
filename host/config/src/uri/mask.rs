//! URIs with their secrets masked.

use crate::Secret;

/// Parameters that hold secrets, in any kind of URI.
pub(super) const SECRET_PARAMS: &[&str] = &[
    "password",
    "sasl-password",
    "sasl-gssapi-password",
    "sasl-oauth-client-secret",
    "access-key",
    "secret-access-key",
    "session-token",
    "account-key",
    "sas-token",
    // Of a token whose `&` nobody encoded.
    "sig",
    "sse-kms-key-id",
    "external-id",
    "authentication-token",
    "token",
    "secret",
    "auth",
];

/// `uri` with the password and the values of secret parameters replaced by `xxxxx`. Works on anything, well-formed or not.
///
/// As Go prints URLs, `scheme://` without a host and a path becomes `scheme:`.
#[must_use]
pub fn mask(uri: &str) -> String {
    let (scheme, rest) = match uri.split_once("://") {
        Some((scheme, rest)) => (scheme, rest),
        None => return mask_tail(uri),
    };
    if rest.is_empty() || rest.starts_with('?') {
        return format!("{scheme}:{}", mask_query(rest));
    }
    format!("{scheme}://{}", mask_tail(rest))
}

/// Masks what follows `://`.
fn mask_tail(rest: &str) -> String {
    // A password that holds an unencoded `/` or `?` must not show either: everything up to the last `@` is the login.
    let query = rest.find('?').unwrap_or(rest.len());
    let (mut head, mut tail) = rest.split_at(query);
    if let Some(at) = rest.rfind('@').filter(|at| *at > query && !head.contains(['/', '@'])) {
        (head, tail) = rest.split_at(rest.get(at..).and_then(|s| s.find(['?', '/'])).map_or(rest.len(), |i| at + i));
    }
    let head = match head.rsplit_once('@') {
        Some((login, host)) => match login.split_once(':') {
            Some((user, _)) => format!("{user}:{}@{host}", Secret::MASK),
            None => format!("{login}@{host}"),
        },
        None => head.to_owned(),
    };
    head + &mask_query(tail)
}

fn mask_query(query: &str) -> String {
    let mask_pair = |pair: &str| match pair.split_once('=') {
        Some((name, value)) if !value.is_empty() && is_secret(name) => {
            format!("{name}={}", Secret::MASK)
        }
        _ => pair.to_owned(),
    };
    query.split('?').map(|q| q.split('&').map(mask_pair).collect::<Vec<_>>().join("&")).collect::<Vec<_>>().join("?")
}

/// Whether a parameter of this name is masked. Plugins name theirs freely, so parts of names count too.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('_', "-");
    SECRET_PARAMS.contains(&name.as_str())
        || ["password", "secret", "token", "credential", "api-key"].iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::mask;

    #[test]
    fn secrets_do_not_show() {
        for (uri, masked) in [
            ("mysql://root:pa%20ss@h:3306/?worker-count=8", "mysql://root:xxxxx@h:3306/?worker-count=8"),
            ("mysql://root@h:3306/", "mysql://root@h:3306/"),
            ("mysql://root:a@b@h/", "mysql://root:xxxxx@h/"),
            ("mysql://root:a?b@h/", "mysql://root:xxxxx@h/"),
            ("mysql://root:a/b@h/", "mysql://root:xxxxx@h/"),
            ("kafka://h:9092/t?sasl-user=u&sasl-password=p", "kafka://h:9092/t?sasl-user=u&sasl-password=xxxxx"),
            ("s3://b/p?access-key=A&Secret_Access_Key=B", "s3://b/p?access-key=xxxxx&Secret_Access_Key=xxxxx"),
            (
                "azblob://c/p?account-name=a&account-key=A&sas_token=sv=1&sig=B%3D",
                "azblob://c/p?account-name=a&account-key=xxxxx&sas_token=xxxxx&sig=xxxxx",
            ),
            ("plugin+http://h?api-key=1&x=2", "plugin+http://h?api-key=xxxxx&x=2"),
            ("blackhole://", "blackhole:"),
            ("blackhole://?protocol=canal-json", "blackhole:?protocol=canal-json"),
            ("file:///tmp/x?protocol=csv", "file:///tmp/x?protocol=csv"),
            ("root:pw@h", "root:xxxxx@h"),
            ("", ""),
        ] {
            assert_eq!(mask(uri), masked, "{uri}");
        }
    }
}
