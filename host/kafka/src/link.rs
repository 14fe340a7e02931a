//! One client of the library that produces, from its making to the first trouble.

use crate::classify::{fault, told};
use crate::client;
use crate::fault::{Fault, FaultKind};
use crate::kept::One;
use crate::oauth::Oauth;
use crate::target::KafkaTarget;
use crate::topics::drop_aside;
use crate::watch::{Undelivered, Watch};
use bytes::Bytes;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer, ThreadedProducer};
use std::sync::Arc;
use std::time::Duration;

/// Bytes handed to the library and not acknowledged, above which sending waits.
pub(crate) const IN_FLIGHT_BYTES_MAX: usize = 32 << 20;

/// Runs what blocks where that is allowed.
pub(crate) async fn blocking<T: Send + 'static>(call: impl FnOnce() -> T + Send + 'static) -> Result<T, Fault> {
    let lost = |e: tokio::task::JoinError| Fault::new(FaultKind::Away, "waiting for the client library", e.to_string());
    tokio::task::spawn_blocking(call).await.map_err(lost)
}

/// See the module.
pub(crate) struct Link {
    /// `None` only while it is dropped.
    producer: Option<ThreadedProducer<Watch>>,
    watch: Arc<Watch>,
    target: Arc<KafkaTarget>,
    transactional: bool,
    in_transaction: bool,
}

impl Link {
    /// A client; it connects in the background.
    pub(crate) fn new(
        target: &Arc<KafkaTarget>,
        oauth: Option<Arc<Oauth>>,
        transactional_id: Option<&str>,
    ) -> Result<Self, Fault> {
        let made = client::producer(target, transactional_id).create_with_context(Watch::new(oauth));
        let producer: ThreadedProducer<Watch> = made.map_err(|e| client::not_made(target, &e))?;
        let watch = Arc::clone(producer.context());
        let transactional = transactional_id.is_some();
        Ok(Self { producer: Some(producer), watch, target: Arc::clone(target), transactional, in_transaction: false })
    }

    pub(crate) fn watch(&self) -> &Watch {
        &self.watch
    }

    /// Ends the transactions of whoever had the transactional id before, and fences it.
    pub(crate) async fn take_over(&self) -> Result<(), Fault> {
        let wait = self.target.read_timeout.max(client::TRANSACTION_TIMEOUT / 2);
        self.call("taking over a transactional id", move |p| p.init_transactions(wait)).await
    }

    /// Commits what was put since the last commit.
    pub(crate) async fn commit(&mut self) -> Result<(), Fault> {
        if self.in_transaction {
            self.call("committing a transaction", |p| p.commit_transaction(client::TRANSACTION_TIMEOUT)).await?;
            self.in_transaction = false;
        }
        Ok(())
    }

    async fn call(
        &self,
        what: &str,
        call: impl FnOnce(&ThreadedProducer<Watch>) -> Result<(), KafkaError> + Send + 'static,
    ) -> Result<(), Fault> {
        let doing = format!("{what} at {}", self.target.display_name());
        let Some(producer) = self.producer.clone() else {
            return Err(Fault::new(FaultKind::Undone, doing, "the client is gone"));
        };
        let done = blocking(move || {
            let done = call(&producer);
            drop(producer);
            done
        });
        done.await?.map_err(|e| fault(&e, &self.watch, &doing))
    }

    /// Hands one message to the library, which copies it.
    pub(crate) fn put(&mut self, one: &One<'_>, headers: &[(String, Bytes)]) -> Result<(), Fault> {
        let doing = || format!("sending to topic {} of {}", one.topic, self.target.display_name());
        let Some(producer) = &self.producer else {
            return Err(Fault::new(FaultKind::Undone, doing(), "the client is gone"));
        };
        if self.transactional && !self.in_transaction {
            producer.begin_transaction().map_err(|e| fault(&e, &self.watch, &doing()))?;
            self.in_transaction = true;
        }
        let bytes = one.weight();
        let mut record = BaseRecord::<[u8], [u8], usize>::with_opaque_to(one.topic, bytes);
        record.partition = one.partition.and_then(|p| i32::try_from(p).ok());
        record.key = one.key.as_deref();
        record.payload = one.value.as_deref();
        if !headers.is_empty() {
            let add = |all: OwnedHeaders, (key, value): &(String, Bytes)| {
                all.insert(Header { key, value: Some(value.as_ref()) })
            };
            record.headers = Some(headers.iter().fold(OwnedHeaders::new(), add));
        }
        self.watch.sent(bytes);
        match producer.send(record) {
            Ok(()) => Ok(()),
            Err((e, _)) => {
                self.watch.not_sent(bytes);
                Err(fault(&e, &self.watch, &doing()))
            }
        }
    }

    /// Waits until at most so many bytes are in flight; an error when that takes longer than `wait`, or a message is not delivered.
    pub(crate) async fn settle(&self, at_most: usize, wait: Duration) -> Result<(), Trouble> {
        let in_time = tokio::time::timeout(wait, self.watch.settled(at_most)).await.is_ok();
        if let Some(lost) = self.watch.undelivered() {
            return Err(Trouble::Lost(self.lost(&lost), lost));
        }
        if in_time {
            return Ok(());
        }
        let doing =
            format!("waiting for {} to acknowledge {} bytes", self.target.display_name(), self.watch.in_flight());
        let said = format!("nothing came within {wait:?}");
        Err(Trouble::Slow(told(RDKafkaErrorCode::OperationTimedOut, said, &self.watch, &doing)))
    }

    /// A message that was not delivered, as a fault.
    pub(crate) fn lost(&self, m: &Undelivered) -> Fault {
        let key = m.key.as_ref().map_or_else(String::new, |k| format!(", key {k:?}"));
        let name = self.target.display_name();
        let doing =
            format!("sending {} bytes to topic {}, partition {}{key}, of {name}", m.bytes, m.topic, m.partition);
        told(m.code, KafkaError::MessageProduction(m.code).to_string(), &self.watch, &doing)
    }
}

/// Why waiting for deliveries ended.
pub(crate) enum Trouble {
    /// Nothing is lost yet.
    Slow(Fault),
    /// This message was not delivered.
    Lost(Fault, Undelivered),
}

impl Drop for Link {
    fn drop(&mut self) {
        if let Some(producer) = self.producer.take() {
            drop_aside(producer);
        }
    }
}

/// Whether an error is about a topic that is not there.
pub(crate) fn is_unknown_topic(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic | RDKafkaErrorCode::UnknownPartition
    )
}
