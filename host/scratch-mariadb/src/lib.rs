//! A MariaDB server to throw away: on a free port of 127.0.0.1, its data in a temporary folder.
//!
//! Does: start [`MariaDb`], wait until it is ready, kill and restart it; find [`free_port`]s; own [`Process`]es.
//! Does not: install anything. Who needs a server asks first whether it is installed.
//!
//! Invariants: what was started is killed by its own process id when its value is dropped, and its folder is removed.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod codes;
mod error;
mod free_port;
mod launch;
mod process;
mod server;

pub use codes::CODES;
pub use error::ScratchError;
pub use free_port::free_port;
pub use process::Process;
pub use server::MariaDb;
