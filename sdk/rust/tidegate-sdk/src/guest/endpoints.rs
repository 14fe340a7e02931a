//! Object stores and HTTP between the bindings and the SDK.

use super::sink::tidegate::plugin::{http as raw_http, object_store as raw_store};
use crate::http::{HttpError, Method, Request, Response};
use crate::object_store::{ObjectMeta, PutError, PutMode};

impl From<raw_store::ObjectMeta> for ObjectMeta {
    fn from(m: raw_store::ObjectMeta) -> Self {
        Self { path: m.path, size: m.size, etag: m.etag, modified_ms: m.modified_ms }
    }
}

impl From<&PutMode> for raw_store::PutMode {
    fn from(m: &PutMode) -> Self {
        match m {
            PutMode::Overwrite => Self::Overwrite,
            PutMode::Create => Self::Create,
            PutMode::IfMatch(etag) => Self::IfMatch(etag.clone()),
        }
    }
}

impl From<raw_store::PutError> for PutError {
    fn from(e: raw_store::PutError) -> Self {
        match e {
            raw_store::PutError::Conflict => Self::Conflict,
            raw_store::PutError::Other(f) => Self::Other(f.into()),
        }
    }
}

impl From<Request> for raw_http::Request {
    fn from(r: Request) -> Self {
        let method = match r.method {
            Method::Get => raw_http::Method::Get,
            Method::Head => raw_http::Method::Head,
            Method::Post => raw_http::Method::Post,
            Method::Put => raw_http::Method::Put,
            Method::Patch => raw_http::Method::Patch,
            Method::Delete => raw_http::Method::Delete,
        };
        Self { endpoint: r.endpoint, method, path: r.path, headers: r.headers, body: r.body, timeout_ms: r.timeout_ms }
    }
}

impl From<raw_http::Response> for Response {
    fn from(r: raw_http::Response) -> Self {
        Self { status: r.status, headers: r.headers, body: r.body }
    }
}

impl From<raw_http::HttpError> for HttpError {
    fn from(e: raw_http::HttpError) -> Self {
        match e {
            raw_http::HttpError::Refused(why) => Self::Refused(why),
            raw_http::HttpError::NotSent(why) => Self::NotSent(why),
            raw_http::HttpError::Unknown(why) => Self::Unknown(why),
            raw_http::HttpError::TooLarge(limit) => Self::TooLarge(limit),
        }
    }
}
