//! The services on the wire.

pub(crate) mod cdc;
mod cdc_server;
mod listen;
pub(crate) mod pd;
pub(crate) mod tikv;
mod tikv_write;

pub(crate) use cdc_server::FeedServer;
pub(crate) use listen::{Cut, Listener};

use tonic::Status;

/// A stream of answers.
pub(crate) type Answers<T> = std::pin::Pin<Box<dyn futures::Stream<Item = Result<T, Status>> + Send>>;
