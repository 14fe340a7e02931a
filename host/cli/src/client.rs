//! Asking a server.

use crate::{CliError, TlsFiles, args::Global};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use std::{error::Error, time::Duration};
use tg_model::Code;

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest wait for an answer: a create tries the downstream.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// Longest wait for the answer to a component: it is compiled, and changefeeds swap to it.
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(300);

/// Longest time that a stream is followed.
const STREAM_TIMEOUT: Duration = Duration::from_secs(30 * 86_400);

/// A server.
pub(crate) struct Client {
    http: reqwest::Client,
    server: String,
    pub(crate) namespace: String,
}

/// What came back: the JSON, and what the server warned about.
pub(crate) struct Answer {
    pub(crate) body: Value,
    pub(crate) warnings: Vec<String>,
}

impl Client {
    pub(crate) fn new(global: &Global) -> Result<Self, CliError> {
        // Only the first call in a process has an effect, and one is enough.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let server = match global.server.trim_end_matches('/') {
            s if s.starts_with("http://") || s.starts_with("https://") => s.to_owned(),
            s => format!("http://{s}"),
        };
        let builder = reqwest::Client::builder().connect_timeout(CONNECT_TIMEOUT).timeout(ANSWER_TIMEOUT);
        let http = with_tls(builder, &global.tls())?.build();
        let http = http.map_err(|e| CliError::Unreachable { server: server.clone(), reason: reason(&e) })?;
        Ok(Self { http, server, namespace: global.namespace.clone() })
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Value, CliError> {
        self.ask(Method::GET, path, None).await.map(|a| a.body)
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Answer, CliError> {
        self.ask(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Result<Answer, CliError> {
        self.ask(Method::PUT, path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Result<Value, CliError> {
        self.ask(Method::DELETE, path, None).await.map(|a| a.body)
    }

    /// The path of a changefeed, or of something below it.
    pub(crate) fn feed(&self, id: &str, below: &str) -> String {
        format!("/api/v2/changefeeds/{}{below}?keyspace={}", encode(id), encode(&self.namespace))
    }

    /// Sends a component.
    pub(crate) async fn upload(
        &self,
        path: &str,
        component: Vec<u8>,
        signature: Option<&str>,
    ) -> Result<Value, CliError> {
        let request = self.http.post(format!("{}{path}", self.server)).timeout(UPLOAD_TIMEOUT);
        let mut request = request.header("content-type", "application/wasm").body(component);
        if let Some(signature) = signature {
            request = request.header("x-tidegate-signature", signature);
        }
        self.answer(request).await.map(|a| a.body)
    }

    /// An answer without an end.
    pub(crate) async fn stream(&self, path: &str) -> Result<reqwest::Response, CliError> {
        let request = self.http.get(format!("{}{path}", self.server)).timeout(STREAM_TIMEOUT);
        let response = request.send().await.map_err(|e| self.unreachable(&e))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let text = response.text().await.map_err(|e| self.unreachable(&e))?;
        Err(self.refused(status, &serde_json::from_str(&text).unwrap_or_default()))
    }

    /// The next part of such an answer; `None`: the server has ended it.
    pub(crate) async fn part(&self, stream: &mut reqwest::Response) -> Result<Option<Vec<u8>>, CliError> {
        let part = stream.chunk().await.map_err(|e| self.unreachable(&e))?;
        Ok(part.map(|bytes| bytes.to_vec()))
    }

    fn unreachable(&self, e: &reqwest::Error) -> CliError {
        CliError::Unreachable { server: self.server.clone(), reason: reason(e) }
    }

    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer, CliError> {
        let mut request = self.http.request(method, format!("{}{path}", self.server));
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        self.answer(request).await
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> Result<Answer, CliError> {
        let response = request.send().await.map_err(|e| self.unreachable(&e))?;
        let status = response.status();
        let warnings = response.headers().get_all("x-tidegate-warning").iter();
        let warnings = warnings.filter_map(|w| w.to_str().ok().map(str::to_owned)).collect();
        let text = response.text().await.map_err(|e| self.unreachable(&e))?;
        let body: Value = serde_json::from_str(&text).map_err(|_| CliError::Strange {
            server: self.server.clone(),
            reason: format!("status {status} with a body that is not JSON"),
        })?;
        if status.is_success() { Ok(Answer { body, warnings }) } else { Err(self.refused(status, &body)) }
    }

    fn refused(&self, status: StatusCode, body: &Value) -> CliError {
        let Some(message) = body.get("error_msg").and_then(Value::as_str) else {
            let reason = format!("status {status} without a message");
            return CliError::Strange { server: self.server.clone(), reason };
        };
        let code = body.get("tidegate_code").and_then(Value::as_str).and_then(|c| c.strip_prefix("TG-"));
        let code = code.and_then(|digits| digits.parse().ok()).map(Code);
        CliError::Refused { message: message.to_owned(), code }
    }
}

/// Trusts the CA and shows the certificate, where they are given.
fn with_tls(mut builder: reqwest::ClientBuilder, files: &TlsFiles) -> Result<reqwest::ClientBuilder, CliError> {
    let read = |flag: &'static str, file: &str| {
        std::fs::read(file).map_err(|e| CliError::BadArgument { flag, reason: format!("{file}: {e}") })
    };
    let bad = |flag: &'static str| move |e: reqwest::Error| CliError::BadArgument { flag, reason: reason(&e) };
    if let Some(ca) = &files.ca {
        let certificates = reqwest::Certificate::from_pem_bundle(&read("--ca", ca)?).map_err(bad("--ca"))?;
        builder = builder.tls_certs_only(certificates);
    }
    match (&files.cert, &files.key) {
        (Some(cert), Some(key)) => {
            let pem = [read("--cert", cert)?, b"\n".to_vec(), read("--key", key)?].concat();
            Ok(builder.identity(reqwest::Identity::from_pem(&pem).map_err(bad("--cert"))?))
        }
        (None, None) => Ok(builder),
        (Some(_), None) => Err(CliError::BadArgument { flag: "--cert", reason: "needs --key".to_owned() }),
        (None, Some(_)) => Err(CliError::BadArgument { flag: "--key", reason: "needs --cert".to_owned() }),
    }
}

/// The innermost cause, which says what happened ("connection refused").
fn reason(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// Percent-encodes what would end a path segment or a query value.
pub(crate) fn encode(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~".contains(&b);
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}
