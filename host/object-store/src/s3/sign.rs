//! AWS signature version 4.

use jiff::Timestamp;
use ring::{digest, hmac};

/// What signs.
pub(super) struct Keys {
    pub(super) access: String,
    pub(super) secret: String,
    pub(super) token: Option<String>,
    pub(super) region: String,
}

/// What is signed. Path and query as they are sent: encoded, the query sorted by name.
pub(super) struct Signed<'a> {
    pub(super) method: &'a str,
    pub(super) host: &'a str,
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) body: &'a [u8],
}

/// Headers that a request carries for it.
pub(super) fn headers(keys: &Keys, request: &Signed<'_>, now: Timestamp) -> Vec<(&'static str, String)> {
    let time = now.strftime("%Y%m%dT%H%M%SZ").to_string();
    let date = time.get(..8).unwrap_or_default().to_owned();
    let content = hex::encode(digest::digest(&digest::SHA256, request.body));
    let mut signed = vec![("host", request.host.to_owned()), ("x-amz-content-sha256", content.clone())];
    signed.push(("x-amz-date", time.clone()));
    if let Some(token) = &keys.token {
        signed.push(("x-amz-security-token", token.clone()));
    }
    let lines: String = signed.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let names = signed.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    let canonical = format!("{}\n{}\n{}\n{lines}\n{names}\n{content}", request.method, request.path, request.query);
    let scope = format!("{date}/{}/s3/aws4_request", keys.region);
    let hashed = hex::encode(digest::digest(&digest::SHA256, canonical.as_bytes()));
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{hashed}");
    let mut key = format!("AWS4{}", keys.secret).into_bytes();
    for part in [date.as_str(), keys.region.as_str(), "s3", "aws4_request"] {
        key = mac(&key, part);
    }
    let signature = hex::encode(mac(&key, &text));
    let credential = format!("{}/{scope}", keys.access);
    let authorization =
        format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}");
    signed.remove(0);
    signed.push(("authorization", authorization));
    signed
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

/// A text for a path or query: all but letters, digits and `-._~` as `%XX`; in paths slashes stay.
pub(super) fn encoded(text: &str, slashes_stay: bool) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b) || (slashes_stay && b == b'/');
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// Names and values as a query, sorted.
pub(super) fn query(pairs: &[(&str, &str)]) -> String {
    let mut all: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{}={}", encoded(name, false), encoded(value, false))).collect();
    all.sort();
    all.join("&")
}

#[cfg(test)]
mod tests {
    use super::{Keys, Signed, encoded, headers, query};

    /// The example of Amazon's documentation: GET of the lifecycle of `examplebucket`.
    #[test]
    fn the_documented_example_is_signed_as_documented() {
        let keys = Keys {
            access: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
            token: None,
            region: "us-east-1".to_owned(),
        };
        let request =
            Signed { method: "GET", host: "examplebucket.s3.amazonaws.com", path: "/", query: "lifecycle=", body: b"" };
        let now = "2013-05-24T00:00:00Z".parse().unwrap();
        let all = headers(&keys, &request, now);
        let (_, authorization) = all.iter().find(|(name, _)| *name == "authorization").unwrap();
        assert!(
            authorization.ends_with("Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
            "{authorization}"
        );
    }

    #[test]
    fn texts_are_encoded() {
        assert_eq!(encoded("a b/é~", true), "a%20b/%C3%A9~");
        assert_eq!(query(&[("prefix", "a/b"), ("list-type", "2")]), "list-type=2&prefix=a%2Fb");
    }
}
