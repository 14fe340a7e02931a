//! What a guest asks for, checked before anything is sent.

use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

/// Headers that belong to the connection, not to a guest.
const RESERVED: &[&str] = &[
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "upgrade",
    "expect",
];

pub(crate) fn is_reserved(name: &HeaderName) -> bool {
    RESERVED.contains(&name.as_str())
}

/// The URL of a path below the endpoint's own, which it cannot leave.
pub(crate) fn join(base: &Url, path: &str) -> Result<Url, String> {
    let (plain, query) = path.split_once('?').map_or((path, None), |(p, q)| (p, Some(q)));
    if !plain.starts_with('/') {
        return Err("the path does not begin with a slash".to_owned());
    }
    if path.contains(|c: char| c.is_control() || c.is_whitespace() || c == '#' || c == '\\') {
        return Err("the path holds spaces, control characters, `#` or a backslash".to_owned());
    }
    let dots = |part: &str| matches!(part.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..");
    if plain.split('/').any(dots) {
        return Err("the path has a `.` or `..` part".to_owned());
    }
    let mut url = base.clone();
    url.set_path(&format!("{}{plain}", base.path().trim_end_matches('/')));
    url.set_query(query);
    assert_eq!(url.origin(), base.origin(), "a path never changes the origin");
    Ok(url)
}

/// The guest's headers, and over them the grant's.
pub(crate) fn headers(asked: &[(String, String)], granted: &HeaderMap) -> Result<HeaderMap, String> {
    let mut all = HeaderMap::with_capacity(asked.len() + granted.len());
    for (name, value) in asked {
        let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("{name:?} is no header name"))?;
        if is_reserved(&parsed) || granted.contains_key(&parsed) {
            return Err(format!("the header {name:?} is not the plugin's to set"));
        }
        let value = HeaderValue::from_str(value);
        let value = value.map_err(|_| format!("the value of header {name:?} has characters a header cannot"))?;
        all.append(parsed, value);
    }
    all.extend(granted.iter().map(|(k, v)| (k.clone(), v.clone())));
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::{headers, join};
    use reqwest::Url;
    use reqwest::header::{HeaderMap, HeaderValue};

    #[test]
    fn a_path_stays_below_the_endpoint() {
        let base = Url::parse("http://a.example:81/hooks/").unwrap();
        for (path, whole) in [
            ("/", "http://a.example:81/hooks/"),
            ("/x/y?q=/../&z", "http://a.example:81/hooks/x/y?q=/../&z"),
            ("//evil.example/", "http://a.example:81/hooks//evil.example/"),
            ("/@evil.example", "http://a.example:81/hooks/@evil.example"),
        ] {
            assert_eq!(join(&base, path).unwrap().as_str(), whole);
        }
        for bad in ["", "x", "http://evil/", "/..", "/a/%2e%2E/b", "/.", "/a b", "/a\r\nX: y", "/a#b", "/\\evil", "?q"]
        {
            assert!(join(&base, bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_the_grant_sets_is_not_the_guests() {
        let granted = HeaderMap::from_iter([("authorization".parse().unwrap(), HeaderValue::from_static("secret"))]);
        let h = |name: &str, value: &str| headers(&[(name.to_owned(), value.to_owned())], &granted);
        assert_eq!(h("x-a", "1").unwrap().len(), 2);
        for (name, value) in [("Authorization", "mine"), ("HOST", "b"), ("x a", "1"), ("x-a", "1\r\nb: c")] {
            let e = h(name, value).unwrap_err();
            assert!(e.contains(name) && !e.contains("secret"), "{e}");
        }
    }
}
