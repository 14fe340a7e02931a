//! The sink in this process: what it hands to the producer and to the store of large messages.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod event_ids;
mod retention;
mod world;
