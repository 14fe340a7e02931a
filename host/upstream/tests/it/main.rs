//! The upstream client, against servers in this process and a real engine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fake;
mod feed;
mod live;
mod pd;
mod tls;
