//! Reading a topic: what is committed, partition by partition.

use crate::classify::{fault, kind_of};
use crate::client;
use crate::fault::{Fault, FaultKind};
use crate::link::blocking;
use crate::oauth::Oauth;
use crate::target::{KafkaTarget, Sasl};
use crate::topics::drop_aside;
use crate::watch::Watch;
use rdkafka::Message as _;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};
use std::sync::Arc;
use std::time::Duration;

/// Messages of one look.
const MESSAGES_MAX: usize = 5_000;
/// How long a look waits for the first message.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// A message as it was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TopicMessage {
    /// Partition.
    pub partition: u32,
    /// Place in the partition.
    pub offset: u64,
    /// Key.
    pub key: Option<Vec<u8>>,
    /// Value; `None`: a tombstone.
    pub value: Option<Vec<u8>>,
}

/// What one look found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Looked {
    /// Messages, in order within their partitions.
    pub messages: Vec<TopicMessage>,
    /// Partitions that were read to their end.
    pub ended: Vec<u32>,
}

/// A reader of one topic.
pub struct TopicReader {
    consumer: Option<Arc<BaseConsumer<Watch>>>,
    target: KafkaTarget,
    topic: String,
    partitions: u32,
}

impl TopicReader {
    /// Looks for the topic. To be called within a runtime.
    ///
    /// # Errors
    /// When the brokers do not answer, or the topic is not there.
    pub async fn open(target: KafkaTarget, topic: &str) -> Result<Self, Fault> {
        let oauth = match &target.sasl {
            Some(Sasl::Oauth(oauth)) => Some(Arc::new(Oauth::new(oauth))),
            _ => None,
        };
        let made = client::reader(&target).create_with_context(Watch::new(oauth));
        let consumer: BaseConsumer<Watch> = made.map_err(|e| client::not_made(&target, &e))?;
        let mut reader = Self { consumer: Some(Arc::new(consumer)), target, topic: topic.to_owned(), partitions: 0 };
        let wait = reader.target.read_timeout;
        let name = reader.topic.clone();
        let found = reader.call("looking for", move |consumer| {
            // A first token, or what goes wrong with one, comes by polling.
            let _ = consumer.poll(Duration::ZERO);
            let metadata = consumer.client().fetch_metadata(Some(&name), wait)?;
            Ok(metadata.topics().iter().find(|t| t.name() == name && t.error().is_none()).map(|t| t.partitions().len()))
        });
        let found = found.await?.filter(|n| *n > 0);
        let absent = || Fault::new(FaultKind::NoTopic, reader.doing("reading"), "the topic does not exist");
        reader.partitions = u32::try_from(found.ok_or_else(absent)?).unwrap_or(u32::MAX);
        Ok(reader)
    }

    /// Number of partitions.
    #[must_use]
    pub const fn partitions(&self) -> u32 {
        self.partitions
    }

    /// Name of the topic.
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.topic
    }

    fn doing(&self, what: &str) -> String {
        format!("{what} topic {} of {}", self.topic, self.target.display_name())
    }

    async fn call<T: Send + 'static>(
        &self,
        what: &str,
        call: impl FnOnce(&BaseConsumer<Watch>) -> Result<T, KafkaError> + Send + 'static,
    ) -> Result<T, Fault> {
        let doing = self.doing(what);
        let Some(consumer) = self.consumer.clone() else {
            return Err(Fault::new(FaultKind::Away, doing, "the client is gone"));
        };
        let watched = Arc::clone(&consumer);
        let done = blocking(move || {
            let done = call(&consumer);
            drop(consumer);
            done
        });
        done.await?.map_err(|e| fault(&e, watched.context(), &doing))
    }

    /// Reads on from these offsets, one a partition; 0: from the first message that is there.
    ///
    /// # Errors
    /// When the client does not take them.
    pub async fn start(&self, offsets: &[u64]) -> Result<(), Fault> {
        let (topic, offsets) = (self.topic.clone(), offsets.to_vec());
        let assign = move |consumer: &BaseConsumer<Watch>| {
            let mut all = TopicPartitionList::new();
            for (partition, offset) in (0..).zip(offsets) {
                let at = i64::try_from(offset).ok().filter(|o| *o > 0).map_or(Offset::Beginning, Offset::Offset);
                all.add_partition_offset(&topic, partition, at)?;
            }
            consumer.assign(&all)
        };
        self.call("reading", assign).await
    }

    /// Reads no more of these partitions, or again.
    ///
    /// # Errors
    /// When the client does not take them.
    pub async fn rest(&self, partitions: &[u32], resting: bool) -> Result<(), Fault> {
        let (topic, partitions) = (self.topic.clone(), partitions.to_vec());
        let rest = move |consumer: &BaseConsumer<Watch>| {
            let mut all = TopicPartitionList::new();
            for partition in partitions {
                all.add_partition(&topic, i32::try_from(partition).unwrap_or_default());
            }
            if resting { consumer.pause(&all) } else { consumer.resume(&all) }
        };
        self.call("reading", rest).await
    }

    /// What has come; waits a moment when nothing has.
    ///
    /// # Errors
    /// When the brokers refuse. Trouble that passes is the client's to get over.
    pub async fn look(&self) -> Result<Looked, Fault> {
        let look = |consumer: &BaseConsumer<Watch>| {
            let mut looked = Looked::default();
            let mut wait = POLL_INTERVAL;
            while looked.messages.len() < MESSAGES_MAX {
                match consumer.poll(wait) {
                    Some(Ok(m)) => {
                        looked.messages.push(TopicMessage {
                            partition: u32::try_from(m.partition()).unwrap_or_default(),
                            offset: u64::try_from(m.offset()).unwrap_or_default(),
                            key: m.key().map(<[u8]>::to_vec),
                            value: m.payload().map(<[u8]>::to_vec),
                        });
                        wait = Duration::ZERO;
                    }
                    Some(Err(KafkaError::PartitionEOF(partition))) => {
                        looked.ended.push(u32::try_from(partition).unwrap_or_default());
                        wait = Duration::ZERO;
                    }
                    Some(Err(e)) if e.rdkafka_error_code().is_some_and(|c| kind_of(c) == FaultKind::Denied) => {
                        return Err(e);
                    }
                    Some(Err(_)) => {}
                    None => break,
                }
            }
            Ok(looked)
        };
        self.call("reading", look).await
    }
}

impl Drop for TopicReader {
    fn drop(&mut self) {
        if let Some(consumer) = self.consumer.take() {
            drop_aside(consumer);
        }
    }
}
