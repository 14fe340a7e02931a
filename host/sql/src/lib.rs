//! What connections to SQL servers that plugins are granted have in common.
//!
//! Does: say how a call fails ([`Fault`]) and what it answers ([`ResultRows`]), what it is to be the writer of a lane ([`LaneClaim`]),
//! what the rows of the progress table mean for a claim ([`Standing`]) and how they are read and moved ([`ProgressSql`]), put
//! statements into packets ([`Packets`]).
//! Does not: connect, or know a server: `tg_mysql` does for MySQL and its like, `tg_postgres` for PostgreSQL.
//!
//! Invariants:
//! - A claim never takes a slot that has a newer epoch. Where lanes change in number, each begins at the least position of all.
//! - The guard of a transaction matches one row if the lane is still the claim's, and none otherwise.
//! - Secrets appear in no error and no debug output.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod call;
mod claim;
pub mod codes;
mod fault;
mod grant;
mod names;
mod packets;
mod progress;
mod result;
mod secret;
mod statements;

pub use call::{Answers, patiently, shown, within};
pub use claim::LaneClaim;
pub use fault::{Fault, FaultKind, Phase};
pub use names::digest;
pub use packets::{PACKET_SOFT_BYTES, Packets};
pub use progress::{ProgressRow, Standing, fenced, lane_position, newest};
pub use result::{Cell, Executed, ResultRows};
pub use secret::Secret;
pub use statements::ProgressSql;
