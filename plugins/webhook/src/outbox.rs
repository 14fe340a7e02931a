//! Requests that wait, and sending them one after the other.

use crate::config::Config;
use std::collections::VecDeque;
use tidegate_sdk::Failure;
use tidegate_sdk::http::{self, HttpError, Method, Request, Response};
use tidegate_sdk::metrics::Histogram;

/// Characters of an answer that a failure shows.
const SAID_MAX: usize = 200;

/// Requests in order. What failed is at the front, and goes first.
pub(crate) struct Outbox {
    endpoint: String,
    path: String,
    headers: Vec<(String, String)>,
    timeout_ms: Option<u32>,
    waiting: VecDeque<(String, Vec<u8>)>,
    len_bytes: usize,
    sent_bytes: Histogram,
}

impl Outbox {
    pub(crate) fn new(endpoint: String, config: &Config) -> Self {
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        headers.extend(config.headers.iter().map(|(k, v)| (k.clone(), v.clone())));
        Self {
            endpoint,
            path: config.path.clone(),
            headers,
            timeout_ms: config.timeout_ms,
            waiting: VecDeque::new(),
            len_bytes: 0,
            sent_bytes: Histogram::new("request_bytes"),
        }
    }

    pub(crate) fn push(&mut self, key: String, body: Vec<u8>) {
        self.len_bytes += body.len();
        self.waiting.push_back((key, body));
    }

    pub(crate) const fn len_bytes(&self) -> usize {
        self.len_bytes
    }

    /// Sends everything that waits. After a failure the rest still waits.
    pub(crate) fn send_all(&mut self) -> Result<(), Failure> {
        while let Some((key, body)) = self.waiting.front() {
            self.send(key, body)?;
            self.len_bytes -= body.len();
            self.waiting.pop_front();
        }
        Ok(())
    }

    /// Sends one request.
    pub(crate) fn send(&self, key: &str, body: &[u8]) -> Result<(), Failure> {
        let mut headers = self.headers.clone();
        headers.push(("idempotency-key".to_owned(), key.to_owned()));
        let answer = http::send(Request {
            endpoint: self.endpoint.clone(),
            method: Method::Post,
            path: self.path.clone(),
            headers,
            body: body.to_vec(),
            timeout_ms: self.timeout_ms,
        });
        self.sent_bytes.observe(body.len() as f64);
        match answer {
            Ok(answer) => judge(&answer, key),
            // The key lets the receiver know a request it has seen, so that sending again does no harm.
            Err(e @ (HttpError::NotSent(_) | HttpError::Unknown(_))) => Err(Failure::retryable(format!("{key}: {e}"))),
            // Whatever was said at such length, the status was not read: once more.
            Err(e @ HttpError::TooLarge(_)) => Err(Failure::retryable(format!("{key}: {e}"))),
            Err(e @ HttpError::Refused(_)) => Err(Failure::fatal("webhook-refused", format!("{key}: {e}"))),
        }
    }
}

/// What the receiver's answer means.
fn judge(answer: &Response, key: &str) -> Result<(), Failure> {
    let said: String = String::from_utf8_lossy(&answer.body).chars().take(SAID_MAX).collect();
    let message = format!("{key}: the receiver answered {}: {said}", answer.status);
    match answer.status {
        200..=299 => Ok(()),
        408 | 425 | 429 | 500..=599 => {
            let seconds = answer.header("retry-after").and_then(|v| v.trim().parse::<u32>().ok());
            let after_ms = seconds.map(|s| s.saturating_mul(1000));
            Err(Failure::Retryable { message, after_ms, attrs: Vec::new() })
        }
        413 => Err(Failure::fatal("webhook-too-large", format!("{message}; lower batch-rows or batch-bytes"))),
        300..=399 => Err(Failure::fatal("webhook-moved", format!("{message}; redirects are not followed"))),
        _ => Err(Failure::fatal("webhook-rejected", message)),
    }
}

#[cfg(test)]
mod tests {
    use super::judge;
    use tidegate_sdk::Failure;
    use tidegate_sdk::http::Response;

    #[test]
    fn a_status_says_whether_to_go_on_try_again_or_stop() {
        let judged = |status, header: &[(&str, &str)]| {
            let headers = header.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
            judge(&Response { status, headers, body: vec![b'x'; 1000] }, "k")
        };
        assert!(judged(200, &[]).is_ok() && judged(204, &[]).is_ok());
        let busy = judged(503, &[("Retry-After", "7")]).unwrap_err();
        assert!(
            matches!(&busy, Failure::Retryable { after_ms: Some(7000), .. }) && busy.to_string().len() < 300,
            "{busy}"
        );
        assert!(matches!(judged(429, &[("retry-after", "Wed")]), Err(Failure::Retryable { after_ms: None, .. })));
        for (status, expected) in [(400, "webhook-rejected"), (302, "webhook-moved"), (413, "webhook-too-large")] {
            assert!(matches!(judged(status, &[]), Err(Failure::Fatal { code, .. }) if code == expected), "{status}");
        }
    }
}
