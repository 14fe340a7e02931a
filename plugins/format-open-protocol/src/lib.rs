//! Open protocol, as TiCDC writes it: keys and values framed by their lengths, several changes in one message.
//!
//! Does: encode rows, DDL and resolved-ts, join the changes of one partition into messages, deal with large messages, and decode
//! what was encoded.
//! Does not: choose topics or partitions, compress (that is a function of [`tg_format_common::Large`]), store claim-check files.
//!
//! Invariants:
//! - Key and value of a message hold the same number of changes, in the same order.
//! - A message has at most `max-batch-size` changes, and more than one only within `max-message-bytes`.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod decode;
mod encode;
mod flags;
mod pack;
mod quote;
mod row;

pub use decode::decode;
pub use encode::{OpenProtocol, Options};

/// The version that every key begins with.
pub const VERSION: u64 = 1;
/// Counted above key and value: the version and two lengths.
pub(crate) const FRAME_BYTES: usize = 24;
