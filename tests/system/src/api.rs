//! The HTTP API of a server.

use anyhow::{Context, bail};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Longest wait for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// Between two looks at a changefeed.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// A client of the HTTP API of a server on 127.0.0.1.
#[derive(Clone, Debug)]
pub struct Api {
    http: reqwest::Client,
    base: String,
}

impl Api {
    pub(crate) fn new(port: u16) -> Self {
        // A second call finds the provider installed, which is what is wanted.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { http: reqwest::Client::new(), base: format!("http://127.0.0.1:{port}/api/v2") }
    }

    /// Where its paths begin.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// One call; an empty answer is `null`.
    ///
    /// # Errors
    /// When there is no answer, or its status says failure; the body is in the message then.
    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let what = format!("{method} {path}");
        let mut request = self.http.request(method, format!("{}{path}", self.base)).timeout(ANSWER_TIMEOUT);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.with_context(|| what.clone())?;
        let (status, text) = (answer.status(), answer.text().await?);
        if !status.is_success() {
            bail!("{what}: {status}: {text}");
        }
        Ok(if text.is_empty() { Value::Null } else { serde_json::from_str(&text).with_context(|| text.clone())? })
    }

    /// Creates a changefeed from the body that `POST /changefeeds` takes.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn create(&self, body: &Value) -> anyhow::Result<Value> {
        self.call(Method::POST, "/changefeeds", Some(body)).await
    }

    /// A changefeed as the API shows it.
    ///
    /// # Errors
    /// When there is none.
    pub async fn changefeed(&self, id: &str) -> anyhow::Result<Value> {
        self.call(Method::GET, &format!("/changefeeds/{id}"), None).await
    }

    /// Pauses a changefeed.
    ///
    /// # Errors
    /// When that fails.
    pub async fn pause(&self, id: &str) -> anyhow::Result<()> {
        self.call(Method::POST, &format!("/changefeeds/{id}/pause"), Some(&json!({}))).await.map(|_| ())
    }

    /// Resumes a changefeed.
    ///
    /// # Errors
    /// When that fails.
    pub async fn resume(&self, id: &str) -> anyhow::Result<()> {
        self.call(Method::POST, &format!("/changefeeds/{id}/resume"), Some(&json!({}))).await.map(|_| ())
    }

    /// Removes a changefeed.
    ///
    /// # Errors
    /// When that fails.
    pub async fn remove(&self, id: &str) -> anyhow::Result<()> {
        self.call(Method::DELETE, &format!("/changefeeds/{id}"), None).await.map(|_| ())
    }

    /// Waits until `ready` likes what the API shows of a changefeed. A server that does not answer is waited for.
    ///
    /// # Errors
    /// When the time is over, or the changefeed has failed; with what it shows.
    pub async fn wait(
        &self,
        id: &str,
        limit: Duration,
        what: &str,
        ready: impl Fn(&Value) -> bool,
    ) -> anyhow::Result<Value> {
        let deadline = Instant::now() + limit;
        let mut last = Value::Null;
        while Instant::now() < deadline {
            if let Ok(shown) = self.changefeed(id).await {
                if ready(&shown) {
                    return Ok(shown);
                }
                if shown["state"] == "failed" {
                    bail!("changefeed {id} failed while waiting for {what}: {}", shown["error"]);
                }
                last = shown;
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        let why = self.call(Method::GET, &format!("/tidegate/changefeeds/{id}/why"), None).await;
        let shown: Vec<String> =
            ["state", "checkpoint_ts", "resolved_ts", "error"].iter().map(|k| format!("{k} {}", last[*k])).collect();
        bail!("changefeed {id}: {limit:?} are over, waiting for {what}; it shows {}; why: {why:?}", shown.join(", "))
    }

    /// Waits until the checkpoint is at or above `ts`.
    ///
    /// # Errors
    /// As [`Api::wait`].
    pub async fn wait_checkpoint(&self, id: &str, ts: u64, limit: Duration) -> anyhow::Result<()> {
        let reached = |shown: &Value| shown["checkpoint_ts"].as_u64().is_some_and(|now| now >= ts);
        self.wait(id, limit, &format!("checkpoint {ts}"), reached).await.map(|_| ())
    }
}
