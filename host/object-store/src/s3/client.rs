//! Requests to one bucket.

use super::sign::{Keys, Signed, encoded, headers, query};
use super::xml;
use crate::error::{StoreError, of_answer, shown};
use crate::target::{S3Target, SecretText, StoreTarget};
use bytes::Bytes;
use jiff::Timestamp;
use reqwest::{Client, Method, StatusCode, redirect};
use std::sync::Arc;
use std::time::Duration;
use tg_plugin::grant::ObjectMeta;

/// Region when neither the target nor the environment has one; servers other than Amazon's do not mind.
const REGION_DEFAULT: &str = "us-east-1";
/// First and longest pause between tries of one request.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(3));
/// Idle connections kept to the store.
const IDLE_MAX: usize = 16;
/// Largest answer that is read besides objects: a list of a thousand names.
const ANSWER_BYTES_MAX: usize = 8 << 20;

/// A bucket. Its connections are shared.
#[derive(Clone)]
pub(crate) struct S3(Arc<Inner>);

struct Inner {
    http: Client,
    keys: Keys,
    /// `http://host:port` or `https://host`.
    origin: String,
    host: String,
    /// Before every key: empty, or `/bucket`.
    base: String,
    retries: u32,
    secrets: Vec<String>,
    shown: String,
}

/// One request.
pub(crate) struct Ask<'a> {
    pub(crate) method: Method,
    /// Key within the bucket; empty: the bucket itself.
    pub(crate) key: &'a str,
    pub(crate) query: &'a [(&'a str, &'a str)],
    pub(crate) headers: &'a [(&'a str, &'a str)],
    pub(crate) body: Bytes,
    /// It may be sent twice.
    pub(crate) again: bool,
    /// Largest body of an answer.
    pub(crate) limit: usize,
}

impl<'a> Ask<'a> {
    pub(crate) const fn new(method: Method, key: &'a str) -> Self {
        Self { method, key, query: &[], headers: &[], body: Bytes::new(), again: true, limit: ANSWER_BYTES_MAX }
    }
}

/// A whole answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) etag: Option<String>,
    pub(crate) length: u64,
    pub(crate) modified_ms: u64,
    pub(crate) body: Bytes,
}

impl S3 {
    pub(crate) fn new(s3: &S3Target, target: &StoreTarget) -> Result<Self, StoreError> {
        let setup = |cause: String| StoreError::Setup { what: target.shown(), cause };
        // Somebody else of the process may have chosen it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(target.connect_timeout)
            .timeout(target.request_timeout)
            .pool_max_idle_per_host(IDLE_MAX)
            .user_agent(concat!("tidegate/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|e| setup(e.without_url().to_string()))?;
        let keys = keys(s3).ok_or_else(|| StoreError::Credentials {
            what: target.shown(),
            cause: "there are none: give access-key and secret-access-key, or set AWS_ACCESS_KEY_ID and \
                    AWS_SECRET_ACCESS_KEY for the server"
                .to_owned(),
        })?;
        let endpoint = s3.endpoint.clone().unwrap_or_else(|| format!("https://s3.{}.amazonaws.com", keys.region));
        let (scheme, rest) = endpoint.split_once("://").ok_or_else(|| setup("the endpoint is no URL".to_owned()))?;
        let host = rest.trim_end_matches('/');
        if !matches!(scheme, "http" | "https") || host.is_empty() || host.contains('/') {
            return Err(setup("the endpoint is not http://host:port or https://host".to_owned()));
        }
        let (host, base) = if s3.path_style {
            (host.to_owned(), format!("/{}", encoded(&s3.bucket, false)))
        } else {
            (format!("{}.{host}", s3.bucket), String::new())
        };
        Ok(Self(Arc::new(Inner {
            http,
            keys,
            origin: format!("{scheme}://{host}"),
            host,
            base,
            retries: target.retries,
            secrets: target.secrets(),
            shown: target.shown(),
        })))
    }

    /// Sends until there is an answer that is worth having, or the tries are used up.
    pub(crate) async fn ask(&self, ask: &Ask<'_>) -> Result<Answer, StoreError> {
        let (mut pause, mut tries) = (PAUSE.0, 0);
        loop {
            let failed = match self.once(ask).await {
                Ok(answer) if !busy(answer.status) => return Ok(answer),
                Ok(answer) => self.refused(ask, &answer),
                Err(e) => e,
            };
            let again = match &failed {
                StoreError::Unavailable { .. } => true,
                StoreError::Unknown { .. } => ask.again,
                _ => false,
            };
            if !again || tries >= self.0.retries {
                // What changes nothing, or is the same however often it is done, has no unknown outcome.
                return Err(match failed {
                    StoreError::Unknown { what, cause } if ask.again => StoreError::Unavailable { what, cause },
                    other => other,
                });
            }
            tries += 1;
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE.1);
        }
    }

    async fn once(&self, ask: &Ask<'_>) -> Result<Answer, StoreError> {
        let inner = &self.0;
        let slash = if ask.key.is_empty() && !inner.base.is_empty() { "" } else { "/" };
        let path = format!("{}{slash}{}", inner.base, encoded(ask.key, true));
        let query = query(ask.query);
        let signed =
            Signed { method: ask.method.as_str(), host: &inner.host, path: &path, query: &query, body: &ask.body };
        let mark = if query.is_empty() { "" } else { "?" };
        let mut request = inner.http.request(ask.method.clone(), format!("{}{path}{mark}{query}", inner.origin));
        for (name, value) in headers(&inner.keys, &signed, Timestamp::now()) {
            request = request.header(name, value);
        }
        for (name, value) in ask.headers {
            request = request.header(*name, *value);
        }
        let sent = request.body(ask.body.clone()).send().await;
        let mut response = sent.map_err(|e| self.lost(ask, e))?;
        let header = |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let modified = header("last-modified").and_then(|t| jiff::fmt::rfc2822::parse(&t).ok());
        let mut answer = Answer {
            status: response.status(),
            etag: header("etag"),
            length: header("content-length").and_then(|l| l.parse().ok()).unwrap_or(0),
            modified_ms: modified.map_or(0, |z| u64::try_from(z.timestamp().as_millisecond()).unwrap_or(0)),
            body: Bytes::new(),
        };
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await.map_err(|e| self.lost(ask, e))? {
            if body.len() + part.len() > ask.limit {
                let cause = format!("the answer has more than {} bytes", ask.limit);
                return Err(StoreError::Refused { what: self.what(ask), cause });
            }
            body.extend_from_slice(&part);
        }
        answer.body = body.into();
        Ok(answer)
    }

    fn what(&self, ask: &Ask<'_>) -> String {
        format!("{} {} of {}", ask.method, if ask.key.is_empty() { "the bucket" } else { ask.key }, self.0.shown)
    }

    /// No answer, or not the whole of it.
    fn lost(&self, ask: &Ask<'_>, e: reqwest::Error) -> StoreError {
        let not_sent = e.is_connect() || e.is_builder();
        let e = e.without_url();
        let mut cause: &dyn std::error::Error = &e;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        let cause = shown(&cause.to_string(), &self.0.secrets);
        let what = self.what(ask);
        if not_sent { StoreError::Unavailable { what, cause } } else { StoreError::Unknown { what, cause } }
    }

    /// An answer that is an error.
    pub(crate) fn refused(&self, ask: &Ask<'_>, answer: &Answer) -> StoreError {
        let text = String::from_utf8_lossy(&answer.body);
        let word = xml::text(&text, "Code").unwrap_or_default();
        let message = xml::text(&text, "Message").unwrap_or_default();
        of_answer(self.what(ask), answer.status.as_u16(), &word, &message, &self.0.secrets)
    }

    /// Names of the bucket below a prefix, in order: at most `limit` behind `after`.
    pub(crate) async fn list(&self, prefix: &str, after: &str, limit: u32) -> Result<Vec<ObjectMeta>, StoreError> {
        let limit = limit.to_string();
        let pairs = [("list-type", "2"), ("max-keys", &limit), ("prefix", prefix), ("start-after", after)];
        let pairs: Vec<(&str, &str)> = pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        let ask = Ask { query: &pairs, ..Ask::new(Method::GET, "") };
        let answer = self.ask(&ask).await?;
        if !answer.status.is_success() {
            return Err(self.refused(&ask, &answer));
        }
        let text = String::from_utf8_lossy(&answer.body);
        let object = |xml: &str| {
            let time = xml::text(xml, "LastModified").and_then(|t| t.parse::<Timestamp>().ok());
            Some(ObjectMeta {
                path: xml::text(xml, "Key")?,
                size: xml::text(xml, "Size")?.parse().ok()?,
                etag: xml::text(xml, "ETag"),
                modified_ms: time.map_or(0, |t| u64::try_from(t.as_millisecond()).unwrap_or(0)),
            })
        };
        Ok(xml::elements(&text, "Contents").filter_map(object).collect())
    }
}

fn busy(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status.as_u16(), 408 | 429)
}

fn keys(s3: &S3Target) -> Option<Keys> {
    let env = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
    let region = s3.region.clone().or_else(|| env("AWS_REGION")).or_else(|| env("AWS_DEFAULT_REGION"));
    let region = region.unwrap_or_else(|| REGION_DEFAULT.to_owned());
    let own = |s: &Option<SecretText>| s.as_ref().map(|s| s.expose().to_owned());
    if let (Some(access), Some(secret)) = (own(&s3.access_key), own(&s3.secret_access_key)) {
        return Some(Keys { access, secret, token: own(&s3.session_token), region });
    }
    let (access, secret) = (env("AWS_ACCESS_KEY_ID")?, env("AWS_SECRET_ACCESS_KEY")?);
    Some(Keys { access, secret, token: env("AWS_SESSION_TOKEN"), region })
}
