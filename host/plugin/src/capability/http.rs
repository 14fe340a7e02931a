//! `http`: requests to the origins that the operator granted.

use crate::bindings::api::http::{self, Host};
use crate::grant::{Grants, HttpEndpoint, HttpError, HttpMethod, HttpRequest, HttpResponse};
use crate::state::State;
use std::sync::Arc;
use std::time::Duration;

/// Headers a request may have.
const HEADERS_MAX: usize = 64;
/// Bytes of path and headers of a request together.
const HEAD_BYTES_MAX: usize = 32 << 10;

/// The endpoint of this name, for a request that may be sent.
pub(crate) fn granted(
    grants: &Grants,
    endpoint: &str,
    request: &HttpRequest,
) -> Result<Arc<dyn HttpEndpoint>, HttpError> {
    let granted = grants.http.get(endpoint).ok_or_else(|| {
        HttpError::Refused(format!(
            "the HTTP endpoint {endpoint:?} is not granted to this plugin; grant it in the changefeed"
        ))
    })?;
    let head = request.headers.iter().map(|(k, v)| k.len() + v.len()).sum::<usize>() + request.path.len();
    if request.headers.len() > HEADERS_MAX || head > HEAD_BYTES_MAX {
        let limits = format!("{HEADERS_MAX} headers, {HEAD_BYTES_MAX} bytes with the path");
        return Err(HttpError::Refused(format!("the request's head is too large (at most {limits})")));
    }
    Ok(Arc::clone(granted))
}

impl Host for State {
    async fn send(&mut self, r: http::Request) -> wasmtime::Result<Result<http::Response, http::HttpError>> {
        let method = match r.method {
            http::Method::Get => HttpMethod::Get,
            http::Method::Head => HttpMethod::Head,
            http::Method::Post => HttpMethod::Post,
            http::Method::Put => HttpMethod::Put,
            http::Method::Patch => HttpMethod::Patch,
            http::Method::Delete => HttpMethod::Delete,
        };
        let timeout = r.timeout_ms.map(|ms| Duration::from_millis(ms.into()));
        let request = HttpRequest { method, path: r.path, headers: r.headers, body: r.body.into(), timeout };
        let endpoint = match granted(&self.grants, &r.endpoint, &request) {
            Ok(endpoint) => endpoint,
            Err(e) => return Ok(Err(e.into())),
        };
        let started = self.enter()?;
        let answer = endpoint.send(&self.lane, request).await;
        self.clock.resume(started);
        let response = |r: HttpResponse| http::Response { status: r.status, headers: r.headers, body: r.body.into() };
        Ok(answer.map(response).map_err(Into::into))
    }
}

impl From<HttpError> for http::HttpError {
    fn from(e: HttpError) -> Self {
        match e {
            HttpError::Refused(why) => Self::Refused(why),
            HttpError::NotSent(why) => Self::NotSent(why),
            HttpError::Unknown(why) => Self::Unknown(why),
            HttpError::TooLarge(limit) => Self::TooLarge(limit),
        }
    }
}
