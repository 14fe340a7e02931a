//! What the library tells while it works: deliveries, and trouble with connections.

use crate::classify::kind_of;
use crate::fault::FaultKind;
use crate::oauth::Oauth;
use parking_lot::Mutex;
use rdkafka::Message as _;
use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{DeliveryResult, ProducerContext};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Notify;

/// Bytes of a key that an error shows.
const KEY_SHOWN_BYTES: usize = 64;

/// A message that was not delivered.
#[derive(Clone, Debug)]
pub(crate) struct Undelivered {
    pub(crate) code: RDKafkaErrorCode,
    pub(crate) topic: String,
    pub(crate) partition: i32,
    pub(crate) key: Option<String>,
    pub(crate) bytes: usize,
}

/// What one client has told. Shared with the library's threads.
pub(crate) struct Watch {
    in_flight: AtomicUsize,
    undelivered: Mutex<Option<Undelivered>>,
    changed: Notify,
    last: Mutex<Option<(RDKafkaErrorCode, String)>>,
    oauth: Option<Arc<Oauth>>,
}

impl Watch {
    pub(crate) fn new(oauth: Option<Arc<Oauth>>) -> Self {
        Self {
            in_flight: AtomicUsize::new(0),
            undelivered: Mutex::default(),
            changed: Notify::new(),
            last: Mutex::default(),
            oauth,
        }
    }

    /// A message of so many bytes is handed to the library.
    pub(crate) fn sent(&self, bytes: usize) {
        self.in_flight.fetch_add(bytes, Ordering::AcqRel);
    }

    /// The library did not take it after all.
    pub(crate) fn not_sent(&self, bytes: usize) {
        self.in_flight.fetch_sub(bytes, Ordering::AcqRel);
    }

    /// Bytes handed over and neither acknowledged nor given up.
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Acquire)
    }

    /// The first message that was not delivered.
    pub(crate) fn undelivered(&self) -> Option<Undelivered> {
        self.undelivered.lock().clone()
    }

    /// Returns when bytes in flight are at most these, or a message was not delivered.
    pub(crate) async fn settled(&self, at_most: usize) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Heard from here on, so that nothing between the look and the wait is missed.
            changed.as_mut().enable();
            if self.in_flight() <= at_most || self.undelivered.lock().is_some() {
                return;
            }
            changed.await;
        }
    }

    /// The last trouble with a connection since something went well.
    pub(crate) fn last(&self) -> Option<(RDKafkaErrorCode, String)> {
        self.last.lock().clone()
    }

    /// There is trouble with a connection.
    pub(crate) fn heard(&self, code: RDKafkaErrorCode, reason: &str) {
        let mut last = self.last.lock();
        // That all brokers are down follows from a login that was refused, and says less.
        let is_denied = |code| kind_of(code) == FaultKind::Denied;
        if is_denied(code) || !last.as_ref().is_some_and(|(before, _)| is_denied(*before)) {
            *last = Some((code, reason.to_owned()));
        }
    }

    /// Something went well.
    pub(crate) fn well(&self) {
        self.last.lock().take();
    }
}

impl ClientContext for Watch {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(target: "tg_kafka::client", ?level, facility, "{message}");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(target: "tg_kafka::client", %error, reason, "trouble with the brokers");
        self.heard(error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail), reason);
        // Whoever waits for an answer may want to know.
        self.changed.notify_waiters();
    }

    fn generate_oauth_token(&self, _: Option<&str>) -> Result<OAuthToken, Box<dyn std::error::Error>> {
        let oauth = self.oauth.as_ref().ok_or("no token endpoint is configured")?;
        oauth.token().inspect_err(|e| self.heard(RDKafkaErrorCode::Authentication, &e.to_string()))
    }
}

impl ConsumerContext for Watch {}

impl ProducerContext for Watch {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, bytes: usize) {
        match result {
            Ok(_) => self.well(),
            Err((error, message)) => {
                let code = error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail);
                let shown = |k: &[u8]| String::from_utf8_lossy(k.get(..KEY_SHOWN_BYTES).unwrap_or(k)).into_owned();
                self.undelivered.lock().get_or_insert_with(|| Undelivered {
                    code,
                    topic: message.topic().to_owned(),
                    partition: message.partition(),
                    key: message.key().map(shown),
                    bytes,
                });
            }
        }
        self.in_flight.fetch_sub(bytes, Ordering::AcqRel);
        self.changed.notify_waiters();
    }
}
