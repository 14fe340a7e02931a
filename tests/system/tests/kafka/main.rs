//! Kafka as a downstream: the TiDB engine, the product, a real broker; topics are decoded and compared with the source.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod consumed;
mod event_ids;
mod exactly_once;
mod places;
mod protocols;
mod refused;
mod support;
