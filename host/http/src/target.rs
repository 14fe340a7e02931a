//! Which origin, and what every request to it carries.

use base64::Engine as _;
use reqwest::Url;
use reqwest::header::{HeaderName, HeaderValue};
use std::path::PathBuf;
use std::time::Duration;
use tg_plugin::grant::Secret;

/// An origin and what requests to it carry.
#[derive(Clone, Debug)]
pub struct HttpTarget {
    /// Scheme, host, port and the path that all requests lie below. No user, query or fragment.
    pub url: String,
    /// Headers of every request, which the guest neither sees nor may set: authorisation.
    pub headers: Vec<(String, Secret)>,
    /// For one request, from the connection to the last byte of the answer. A guest may ask for less.
    pub timeout: Duration,
    /// To connect.
    pub connect_timeout: Duration,
    /// Largest body a guest may send.
    pub request_bytes_max: usize,
    /// Largest body that is read of an answer.
    pub response_bytes_max: u64,
    /// Certificate of the authority, PEM; `None`: the well-known ones.
    pub ca: Option<PathBuf>,
    /// Certificate chain and private key of the client in one PEM file.
    pub identity: Option<PathBuf>,
}

impl HttpTarget {
    /// The origin with 30 s, 16 MiB there and 1 MiB back.
    #[must_use]
    pub fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            headers: Vec::new(),
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            request_bytes_max: 16 << 20,
            response_bytes_max: 1 << 20,
            ca: None,
            identity: None,
        }
    }

    /// The same, of a URL that may hold a user and a password: they become a header.
    ///
    /// # Errors
    /// When it is no URL.
    pub fn with_login(url: &str) -> Result<Self, HttpTargetError> {
        let parsed = Url::parse(url).map_err(|e| HttpTargetError::Url { reason: e.to_string() })?;
        if parsed.username().is_empty() {
            return Ok(Self::new(url));
        }
        let login = format!("{}:{}", parsed.username(), parsed.password().unwrap_or_default());
        let login = base64::engine::general_purpose::STANDARD.encode(login);
        let headers = vec![("authorization".to_owned(), Secret::new(&format!("Basic {login}")))];
        let mut bare = parsed;
        // Both are there to be taken away.
        let _ = bare.set_username("");
        let _ = bare.set_password(None);
        Ok(Self { headers, ..Self::new(bare.as_str()) })
    }
}

/// Why an origin cannot be granted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum HttpTargetError {
    #[error(
        "the HTTP endpoint's URL is not usable: {reason}; it is `http` or `https`, a host, and a path, without user, query or fragment"
    )]
    Url { reason: String },
    #[error("the header {name:?} of an HTTP endpoint is not usable: {reason}")]
    Header { name: String, reason: &'static str },
    #[error("the TLS files of an HTTP endpoint cannot be used: {reason}")]
    Tls { reason: String },
}

/// The URL, checked. Secrets may stand in it, so that no message repeats it.
pub(crate) fn url(text: &str) -> Result<Url, HttpTargetError> {
    let bad = |reason: String| HttpTargetError::Url { reason };
    let url = Url::parse(text).map_err(|e| bad(e.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err(bad("scheme or host do not fit".to_owned()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad("it holds a user or password, which belong in a header".to_owned()));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(bad("it has a query or a fragment".to_owned()));
    }
    Ok(url)
}

/// A header of the grant. Values are marked so that nothing prints them.
pub(crate) fn header(name: &str, value: &Secret) -> Result<(HeaderName, HeaderValue), HttpTargetError> {
    let bad = |reason| HttpTargetError::Header { name: name.to_owned(), reason };
    let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad("it is no header name"))?;
    if super::request::is_reserved(&parsed) {
        return Err(bad("the host sets it"));
    }
    let mut value =
        HeaderValue::from_str(value.expose()).map_err(|_| bad("its value has characters a header cannot"))?;
    value.set_sensitive(true);
    Ok((parsed, value))
}

#[cfg(test)]
mod tests {
    use super::{HttpTarget, header, url};
    use tg_plugin::grant::Secret;

    #[test]
    fn a_login_becomes_a_header() {
        let target = HttpTarget::with_login("https://me:hunter2@host:1/api").unwrap();
        assert_eq!((target.url.as_str(), target.headers.len()), ("https://host:1/api", 1));
        assert_eq!(target.headers[0].1.expose(), "Basic bWU6aHVudGVyMg==");
        assert!(!format!("{target:?}").contains("hunter2"));
        assert!(HttpTarget::with_login("http://host/").unwrap().headers.is_empty());
        assert!(HttpTarget::with_login("host").is_err());
    }

    #[test]
    fn only_plain_origins_are_granted() {
        for good in ["http://127.0.0.1:80", "https://example.org/hooks/a"] {
            assert!(url(good).is_ok(), "{good}");
        }
        for bad in
            ["", "ftp://a/", "http://", "http://u:p4ss@a/", "http://u@a/", "http://a/?q", "http://a/#f", "file:///etc"]
        {
            let e = url(bad).unwrap_err().to_string();
            assert!(!e.contains("p4ss"), "{e}");
        }
    }

    #[test]
    fn headers_of_the_grant_are_checked_and_not_shown() {
        let value = Secret::new("Bearer s3cret");
        let (_, shown) = header("Authorization", &value).unwrap();
        assert!(!format!("{shown:?}").contains("s3cret"));
        for (name, value) in [("bad name", "x"), ("Host", "x"), ("Content-Length", "1"), ("X-A", "a\nb: c")] {
            let e = header(name, &Secret::new(value)).unwrap_err();
            assert!(e.to_string().contains(name), "{e}");
        }
    }
}
