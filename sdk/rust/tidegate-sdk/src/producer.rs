//! Message queues that speak Kafka's protocol. The client library, credentials, TLS and transactions belong to the host.

use crate::Failure;
use crate::blocks::Blocks;

#[cfg(target_arch = "wasm32")]
mod raw {
    pub(super) use crate::guest::sink::tidegate::plugin::producer::TopicProducer;
}
#[cfg(not(target_arch = "wasm32"))]
mod raw {
    pub(super) type TopicProducer = Box<dyn crate::native::Producer>;
}

/// Messages of one call. Message i is item i of every list that is not empty.
#[derive(Default)]
pub struct Messages {
    /// Names that `topic_of` counts.
    pub topics: Vec<String>,
    /// Topic of each message; empty: all go to topic 0.
    pub topic_of: Vec<u16>,
    /// Partition of each message; empty: the host spreads them by key.
    pub partitions: Vec<u32>,
    /// Key of each message; empty: no keys.
    pub keys: Blocks,
    /// Value of each message; none at all while there are keys: messages without a value, tombstones.
    pub values: Blocks,
    /// The same for all messages of the call.
    pub headers: Vec<(String, Vec<u8>)>,
}

impl Messages {
    /// No messages yet, all to one topic.
    #[must_use]
    pub fn to(topic: &str) -> Self {
        Self { topics: vec![topic.to_owned()], ..Self::default() }
    }

    /// Number of messages.
    #[must_use]
    pub const fn len(&self) -> usize {
        if self.values.is_empty() { self.keys.len() } else { self.values.len() }
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets the messages and keeps topics, headers and memory.
    pub fn clear(&mut self) {
        self.topic_of.clear();
        self.partitions.clear();
        self.keys.clear();
        self.values.clear();
    }
}

/// A producer of one endpoint.
pub struct Producer {
    raw: raw::TopicProducer,
}

impl Producer {
    /// Opens one of [`crate::Context::endpoints`].
    ///
    /// # Errors
    /// [`Failure::Fatal`] when it is not granted; otherwise as the queue says.
    pub fn open(endpoint: &str) -> Result<Self, Failure> {
        #[cfg(target_arch = "wasm32")]
        let raw = raw::TopicProducer::open(endpoint)?;
        #[cfg(not(target_arch = "wasm32"))]
        let raw = crate::native::with(|h| h.producer_open(endpoint))
            .unwrap_or_else(|| Err(crate::native::not_granted("producer", endpoint)))?;
        Ok(Self { raw })
    }

    /// Partitions of a topic; makes the topic where the operator allows it.
    ///
    /// # Errors
    /// [`Failure`].
    #[cfg_attr(not(target_arch = "wasm32"), expect(clippy::useless_conversion, reason = "another type in a component"))]
    pub fn partitions(&self, topic: &str) -> Result<u32, Failure> {
        self.raw.partitions(topic).map_err(Into::into)
    }

    /// Largest message, key and headers included, that the topic takes.
    ///
    /// # Errors
    /// [`Failure`].
    #[cfg_attr(not(target_arch = "wasm32"), expect(clippy::useless_conversion, reason = "another type in a component"))]
    pub fn max_message_bytes(&self, topic: &str) -> Result<u32, Failure> {
        self.raw.max_message_bytes(topic).map_err(Into::into)
    }

    /// Topics that any instance of this run has asked for or sent to, in order.
    #[must_use]
    pub fn topics(&self) -> Vec<String> {
        self.raw.topics()
    }

    /// Takes the messages and clears them; waits only while too many bytes are in flight. Only [`Producer::flush`] tells that
    /// they have arrived. After a failure they are as they were.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn send(&self, messages: &mut Messages) -> Result<(), Failure> {
        #[cfg(target_arch = "wasm32")]
        {
            use crate::guest::sink::tidegate::plugin::producer;
            // Moved there and back, so that nothing is copied and the memory serves again.
            let mut m = std::mem::take(messages);
            let raw = producer::Messages {
                topic_of: std::mem::take(&mut m.topic_of),
                topics: std::mem::take(&mut m.topics),
                partitions: std::mem::take(&mut m.partitions),
                keys: m.keys.raw,
                values: m.values.raw,
                headers: std::mem::take(&mut m.headers),
            };
            let sent = self.raw.send(&raw);
            *messages = Messages {
                topic_of: raw.topic_of,
                topics: raw.topics,
                partitions: raw.partitions,
                keys: Blocks { raw: raw.keys },
                values: Blocks { raw: raw.values },
                headers: raw.headers,
            };
            sent?;
            messages.clear();
            Ok(())
        }
        #[cfg(not(target_arch = "wasm32"))]
        {
            self.raw.send(messages)?;
            messages.clear();
            Ok(())
        }
    }

    /// Returns when everything sent is acknowledged. On a fenced endpoint, inside `flush` of the sink, this commits the
    /// transaction together with the lane's position.
    ///
    /// # Errors
    /// [`Failure`].
    #[cfg_attr(not(target_arch = "wasm32"), expect(clippy::useless_conversion, reason = "another type in a component"))]
    pub fn flush(&self) -> Result<(), Failure> {
        self.raw.flush().map_err(Into::into)
    }
}
