//! Reading bodies, writing answers.

use crate::ApiError;
use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tg_config::Warning;
use tg_model::Coded;

/// Header that carries what was accepted without effect, one per line of text.
pub(crate) const WARNING_HEADER: HeaderName = HeaderName::from_static("x-tidegate-warning");
/// Warnings that one answer carries at most.
const WARNINGS_MAX: usize = 16;
const JSON: &str = "application/json; charset=utf-8";

/// Reads a JSON body, empty being the same as `{}`. The error names the member that is wrong.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    let body = if body.iter().all(u8::is_ascii_whitespace) { b"{}" } else { body };
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|e| {
        let path = e.path().to_string();
        let reason = e.into_inner().to_string();
        let reason = if matches!(path.as_str(), "." | "?") { reason } else { format!("`{path}`: {reason}") };
        ApiError::InvalidParam { reason: format!("the body is not what this path takes: {reason}") }
    })?;
    reader
        .end()
        .map_err(|e| ApiError::InvalidParam { reason: format!("the body has more than one JSON value: {e}") })?;
    Ok(value)
}

/// An answer with status 200.
pub(crate) fn answer(value: &impl Serialize) -> Response {
    respond(StatusCode::OK, serde_json::to_string(value).unwrap_or_default())
}

/// The empty answer of calls that only do something.
pub(crate) fn done() -> Response {
    answer(&json!({}))
}

/// A list in its envelope.
pub(crate) fn list<T: Serialize>(items: &[T]) -> Response {
    answer(&json!({ "total": items.len(), "items": items }))
}

/// Adds warnings to an answer.
pub(crate) fn with_warnings(mut response: Response, warnings: &[Warning]) -> Response {
    for warning in warnings.iter().take(WARNINGS_MAX) {
        let text: String = warning.to_string().chars().filter(|c| (' '..='~').contains(c)).collect();
        if let Ok(value) = HeaderValue::from_str(&text) {
            response.headers_mut().append(WARNING_HEADER, value);
        }
    }
    response
}

fn respond(status: StatusCode, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, JSON)], body).into_response()
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut body = json!({
            "error_msg": self.message(),
            "error_code": self.cdc_code(),
            "tidegate_code": self.code().to_string(),
        });
        if let (Some(body), action) = (body.as_object_mut(), self.action())
            && !action.is_empty()
        {
            body.insert("next_step".to_owned(), Value::from(action));
        }
        respond(self.status(), serde_json::to_string_pretty(&body).unwrap_or_default())
    }
}
