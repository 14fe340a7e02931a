//! How the nodes of a cluster talk: gRPC streams between pairs, carrying the messages of `tg-cluster`.
//!
//! Does: keep one control stream and, when it is needed, one bulk stream to every registered peer; greet, check identities and
//! versions; carry messages; tell when a peer's process is gone; reconnect with growing pauses. And on demand a pipe: bytes both ways,
//! in order and without a gap until it ends.
//! Does not: decide, retry a message, or promise its arrival: the protocol above minds neither loss nor repetition nor order. Or know
//! what goes through a pipe.
//!
//! Invariants:
//! - A message is handed in only if both ends agreed on the cluster, on who they are, and on a version.
//! - Every queue has a bound; when one is full, the oldest message in it goes: a newer one says more.
//! - A peer is reported gone only when its address refuses connections, or another process answers there.
//! - Bytes from outside never panic: they are a message, or an error that names what is wrong.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod codes;
mod dial;
mod error;
mod greeting;
mod link;
mod pipe;
mod queue;
mod service;
mod tls;
mod transport;
mod wire;

pub use codes::CODES;
pub use error::PeerError;
pub use greeting::{Me, PROTO_MAX, PROTO_MIN};
pub use pipe::{BODY_MAX_BYTES, Pipe, PipeEnded, PipeIn, PipeOut};
pub use service::PATH;
pub use tls::PeerTls;
pub use transport::{Arrival, Route, Transport};
pub use wire::{MESSAGE_MAX_BYTES, WireError, decode, encode};
