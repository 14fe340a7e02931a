//! What the sinks for SQL servers have in common: rows of one lane become few large statements.
//!
//! Does: keep the net effect of rows between two flushes ([`Window`]), write it as one transaction and settle outcomes that were open
//! ([`Lane`]), pack items into statements ([`Packer`]), read the options that all have ([`Options`]).
//! Does not: know a dialect. How names, values and statements are spelled, and what is kept of a row, is the plugin's: its [`Table`]
//! and its [`Segment`].
//!
//! Invariants:
//! - Rows of one key come to one lane in commit order; within a window only the last state of a key is written.
//! - One flush is one transaction. Rows beyond the memory bound leave earlier, in `write`, where the host moves no position;
//!   the host marks them as maybe repeated when it hands them over again.
//! - After a flush of unknown outcome the same barrier again means "not done": the window is written again in a way that may
//!   be repeated. Any other call means "done": the window is dropped.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod kept;
mod key;
mod lane;
mod options;
mod packer;
mod statements;
mod table;
mod text;
mod window;

pub use kept::{Kept, RowRef};
pub use key::{Effect, KeyColumn, NULL_KEY, key_eq, push_key, touch};
pub use lane::{Lane, connect};
pub use options::{ConfigError, Options, parse};
pub use packer::{Packer, push_tuple};
pub use statements::{Limits, Written, write_statements};
pub use table::{KeyMode, Table};
pub use text::{in_quotes, is_plain_number};
pub use window::{Segment, Window};
