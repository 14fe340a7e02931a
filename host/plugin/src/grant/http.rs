//! HTTP origins that plugins may be granted.

use super::LaneContext;
use bytes::Bytes;
use futures::future::BoxFuture;
use std::time::Duration;

/// The methods of the contract.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names are HTTP's")]
pub enum HttpMethod {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
}

/// A request as the guest makes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HttpRequest {
    /// Method.
    pub method: HttpMethod,
    /// Path and query with a leading slash, joined to the endpoint's own path.
    pub path: String,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Bytes,
    /// `None`: the endpoint's own, which is also the most.
    pub timeout: Option<Duration>,
}

/// An answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HttpResponse {
    /// Status code, whatever it says.
    pub status: u16,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum HttpError {
    /// The request is malformed or not allowed.
    #[error("the request is refused: {0}")]
    Refused(String),
    /// Nothing was sent.
    #[error("nothing was sent: {0}")]
    NotSent(String),
    /// Sent, and no whole answer came.
    #[error("sent, but no whole answer came: {0}")]
    Unknown(String),
    /// The answer has more bytes than the host takes: this many are the most.
    #[error("the answer has more than {0} bytes")]
    TooLarge(u64),
}

/// An origin that plugins may send requests to.
pub trait HttpEndpoint: Send + Sync {
    /// Sends one request. Follows no redirect; adds what the grant says; shows the guest none of it.
    fn send(&self, lane: &LaneContext, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>>;
}
