//! What users write: sink URIs, changefeed files and server files, read as TiCDC users write them.
//!
//! Does: parse strictly, with line, column, key path and a suggestion for what was probably meant; fill in
//! TiCDC's defaults; check single values and combinations; convert to and from the JSON of the HTTP API.
//! Does not: connect anywhere, look at tables, read a clock. Files are read only by the `load` functions.
//!
//! Invariants:
//! - A value that parsed is within the limits its documentation states.
//! - A [`Secret`] shows its text to [`Secret::expose`] only: never to `Debug`, `Display` or `Serialize`.
//! - Every key and every parameter that TiCDC accepts is accepted; what has no effect gives a [`Warning`].
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod changefeed;
mod codes;
mod decode;
mod error;
mod kafka_options;
mod options;
mod postgres_options;
mod quantity;
mod secret;
pub mod server;
mod storage_options;
mod suggest;
pub mod uri;

pub use changefeed::ChangefeedConfig;
pub use codes::CODES;
pub use error::{ConfigError, Location, Warning};
pub use kafka_options::{KafkaLink, KafkaLogin, KafkaOptions, LargeMessages};
pub use options::MysqlOptions;
pub use postgres_options::{PostgresOptions, SslMode};
pub use quantity::{ByteSize, Interval};
pub use secret::{Secret, SecretUri};
pub use server::ServerConfig;
pub use storage_options::{StorageOptions, StoragePlace};
pub use suggest::did_you_mean;
pub use uri::{Scheme, SinkUri};
