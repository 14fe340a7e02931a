//! Debezium's envelopes in Avro with a schema registry: what Kafka Connect's Avro converter makes of them.
//!
//! Does: make the schemas of keys and envelopes, ask for their ids through a [`Registry`](tg_format_avro::Registry), encode rows, and decode
//! them with the schemas' texts.
//! Does not: talk to a registry, choose topics or partitions, have messages for DDL and watermarks.
//!
//! Invariants:
//! - Every column is optional, so that tables can change under compatibility rules.
//! - Decimals are exact, in contrast to the JSON form. A BIGINT UNSIGNED that a long cannot hold is an error unless it is text.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod decode;
mod dynamic;
mod encode;
mod schema;
mod value;

pub use decode::Decoder;
pub use encode::{DebeziumAvro, Options};
