//! Sending requests to one origin.

use crate::request::{headers, join};
use crate::target::{self, HttpTarget, HttpTargetError};
use bytes::{Bytes, BytesMut};
use futures::future::BoxFuture;
use reqwest::header::HeaderMap;
use reqwest::{Certificate, Client, Identity, Method, Response, Url, redirect};
use std::error::Error as _;
use std::time::Duration;
use tg_plugin::grant::{HttpEndpoint, HttpError, HttpMethod, HttpRequest, HttpResponse, LaneContext};

/// Idle connections kept to the origin.
const IDLE_MAX: usize = 16;

/// An origin that plugins are granted. Connections are shared by all instances.
pub struct HttpOrigin {
    client: Client,
    url: Url,
    headers: HeaderMap,
    timeout: Duration,
    request_bytes_max: usize,
    response_bytes_max: u64,
}

impl HttpOrigin {
    /// Reads the target's files and checks the rest; connects only with the first request.
    ///
    /// # Errors
    /// [`HttpTargetError`].
    pub fn new(target: &HttpTarget) -> Result<Self, HttpTargetError> {
        let url = target::url(&target.url)?;
        let mut headers = HeaderMap::new();
        for (name, value) in &target.headers {
            let (name, value) = target::header(name, value)?;
            headers.append(name, value);
        }
        Ok(Self {
            client: client(target)?,
            url,
            headers,
            timeout: target.timeout,
            request_bytes_max: target.request_bytes_max,
            response_bytes_max: target.response_bytes_max,
        })
    }

    /// Sends a request, for who is no plugin's lane.
    ///
    /// # Errors
    /// [`HttpError`]: whether it was sent.
    pub async fn request(&self, r: HttpRequest) -> Result<HttpResponse, HttpError> {
        let url = join(&self.url, &r.path).map_err(HttpError::Refused)?;
        let headers = headers(&r.headers, &self.headers).map_err(HttpError::Refused)?;
        if r.body.len() > self.request_bytes_max {
            let limit = self.request_bytes_max;
            return Err(HttpError::Refused(format!("the body has {} bytes; the limit is {limit}", r.body.len())));
        }
        let timeout = r.timeout.map_or(self.timeout, |t| t.min(self.timeout));
        let request = self.client.request(method(r.method), url).headers(headers).body(r.body).timeout(timeout);
        let response = request.send().await.map_err(|e| failed(&e))?;
        self.answer(response).await
    }

    async fn answer(&self, mut response: Response) -> Result<HttpResponse, HttpError> {
        let status = response.status().as_u16();
        let text = |v: &reqwest::header::HeaderValue| v.to_str().ok().map(str::to_owned);
        let headers = response.headers().iter().filter_map(|(k, v)| Some((k.as_str().to_owned(), text(v)?))).collect();
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| failed(&e))? {
            if (body.len() + chunk.len()) as u64 > self.response_bytes_max {
                return Err(HttpError::TooLarge(self.response_bytes_max));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(HttpResponse { status, headers, body: Bytes::from(body) })
    }
}

fn client(target: &HttpTarget) -> Result<Client, HttpTargetError> {
    let tls = |reason: String| HttpTargetError::Tls { reason };
    // Somebody else of the process may have chosen it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder()
        .redirect(redirect::Policy::none())
        .no_proxy()
        .connect_timeout(target.connect_timeout)
        .pool_max_idle_per_host(IDLE_MAX)
        .user_agent(concat!("tidegate/", env!("CARGO_PKG_VERSION")));
    let read = |path: &std::path::Path| std::fs::read(path).map_err(|e| tls(format!("{}: {e}", path.display())));
    if let Some(path) = &target.ca {
        let certificates = Certificate::from_pem_bundle(&read(path)?).map_err(|e| tls(reason(&e)))?;
        builder = builder.tls_certs_only(certificates);
    }
    if let Some(path) = &target.identity {
        builder = builder.identity(Identity::from_pem(&read(path)?).map_err(|e| tls(reason(&e)))?);
    }
    builder.build().map_err(|e| tls(reason(&e)))
}

const fn method(m: HttpMethod) -> Method {
    match m {
        HttpMethod::Get => Method::GET,
        HttpMethod::Head => Method::HEAD,
        HttpMethod::Post => Method::POST,
        HttpMethod::Put => Method::PUT,
        HttpMethod::Patch => Method::PATCH,
        HttpMethod::Delete => Method::DELETE,
    }
}

/// Until there is a connection nothing was sent; from then on nobody knows what the server did.
fn failed(e: &reqwest::Error) -> HttpError {
    if e.is_connect() || e.is_builder() { HttpError::NotSent(reason(e)) } else { HttpError::Unknown(reason(e)) }
}

/// The innermost cause; never the URL, whose path may be secret.
fn reason(e: &reqwest::Error) -> String {
    if e.is_timeout() && !e.is_connect() {
        return "no whole answer within the time allowed".to_owned();
    }
    let mut cause: &dyn std::error::Error = match e.source() {
        Some(source) => source,
        None => return "the request could not be made".to_owned(),
    };
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

impl HttpEndpoint for HttpOrigin {
    fn send(&self, _: &LaneContext, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
        Box::pin(self.request(request))
    }
}
