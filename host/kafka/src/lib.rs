//! Kafka as plugins are granted it: a producer endpoint on librdkafka.
//!
//! Does: make topics and say how many partitions they have and how large a message may be ([`KafkaEndpoint::partitions`],
//! which fences nobody); send messages in order with bounded memory; keep everything that is not acknowledged and send it
//! again after trouble; with exactly-once write in transactions, with the lane's position in the same transaction in a
//! compacted topic, and fence the writer before.
//! Does not: encode rows, choose topics or partitions, decide how often a failed call is tried again.
//!
//! Invariants:
//! - A flush succeeds only when the brokers have acknowledged every message since the flush before; until then all of them
//!   are kept here. After trouble they go out again from the first one on, so that no partition sees them out of order.
//! - With exactly-once the position becomes visible together with the messages, or neither does. Whether a commit of unknown
//!   outcome took effect is read from the progress topic before anything is repeated.
//! - A writer whose epoch is older than the one in the progress topic never commits again.
//! - A writer that comes late disturbs no newer one whose claim can be seen.
//! - Secrets appear in no error and no debug output.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod classify;
mod client;
pub mod codes;
mod endpoint;
mod fault;
mod kept;
mod link;
mod oauth;
mod producer;
mod progress;
mod progress_read;
mod reader;
mod target;
mod topics;
mod watch;

pub use endpoint::KafkaEndpoint;
pub use fault::{Fault, FaultKind};
pub use reader::{Looked, TopicMessage, TopicReader};
pub use target::{Acks, KafkaTarget, OauthTarget, Sasl, Tls};
