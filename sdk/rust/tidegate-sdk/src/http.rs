//! HTTP to origins the operator granted by name. The host adds what the grant says and follows no redirect.

use crate::Failure;
use std::fmt;

/// The methods.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names are HTTP's")]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
}

/// A request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// One of [`crate::Context::endpoints`].
    pub endpoint: String,
    /// Method.
    pub method: Method,
    /// Path and query with a leading slash, joined to the endpoint's own path.
    pub path: String,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
    /// `None`: the endpoint's own timeout, which is also the most.
    pub timeout_ms: Option<u32>,
}

/// An answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
}

impl Response {
    /// The first header of this name, in whatever case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(k, _)| k.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }
}

/// Why there is no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HttpError {
    /// The endpoint was not granted, or the request is malformed.
    Refused(String),
    /// Nothing was sent: no connection.
    NotSent(String),
    /// Sent, and no whole answer came.
    Unknown(String),
    /// The answer is larger than so many bytes, the most the host takes.
    TooLarge(u64),
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(why) => write!(f, "the request is refused: {why}"),
            Self::NotSent(why) => write!(f, "nothing was sent: {why}"),
            Self::Unknown(why) => write!(f, "sent, but no whole answer came: {why}"),
            Self::TooLarge(limit) => write!(f, "the answer has more than {limit} bytes"),
        }
    }
}

impl std::error::Error for HttpError {}

impl From<HttpError> for Failure {
    fn from(e: HttpError) -> Self {
        let message = e.to_string();
        match e {
            HttpError::NotSent(_) => Self::retryable(message),
            HttpError::Unknown(_) => Self::unknown(message),
            HttpError::Refused(_) => Self::fatal("http-refused", message),
            HttpError::TooLarge(_) => Self::fatal("http-too-large", message),
        }
    }
}

/// Sends one request.
///
/// # Errors
/// [`HttpError`]; an answer with any status is none.
#[cfg_attr(not(target_arch = "wasm32"), expect(clippy::needless_pass_by_value, reason = "a guest hands it over whole"))]
pub fn send(request: Request) -> Result<Response, HttpError> {
    #[cfg(target_arch = "wasm32")]
    {
        use crate::guest::sink::tidegate::plugin::http;
        http::send(&request.into()).map(Into::into).map_err(Into::into)
    }
    #[cfg(not(target_arch = "wasm32"))]
    {
        let denied = || Err(HttpError::Refused(format!("the HTTP endpoint {:?} is not granted", request.endpoint)));
        crate::native::with(|h| h.http_send(&request)).unwrap_or_else(denied)
    }
}
