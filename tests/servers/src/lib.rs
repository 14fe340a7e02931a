//! Real servers for tests, to throw away: a Kafka broker, a schema registry, an S3 gateway, emulators of Azure's
//! and Google's stores, etcd, PostgreSQL.
//!
//! Does: fetch each server once per machine from a package registry, through that registry's own client (`mvn`, `go`, `npm`); start it
//! on free ports of 127.0.0.1 with its data in a temporary folder; wait until it answers; kill and restart it.
//! Does not: know the protocols beyond what readiness needs; stand in for any server, but for the half of GCS's XML API that its emulator lacks (`gcs/`).
//!
//! Invariants: what was started is killed by its own process id when its value is dropped, and its folder is removed. A missing
//! tool is an error that names it, never a test that passes silently.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod azurite;
mod cache;
mod etcd;
mod gcs;
mod http;
mod kafka;
mod kafka_config;
mod pki;
mod postgres;
mod registry;
mod s3;
mod wait;

pub use azurite::{AZURE_ACCOUNT, AZURE_KEY, Azurite};
pub use etcd::Etcd;
pub use gcs::Gcs;
pub use kafka::{Kafka, KafkaOptions};
pub use pki::{Identity, Pki};
pub use postgres::Postgres;
pub use registry::SchemaRegistry;
pub use s3::{S3, S3_ACCESS_KEY, S3_SECRET_KEY};
