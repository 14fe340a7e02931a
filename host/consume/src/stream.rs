//! The two sides of a consumer.

use crate::error::ConsumeError;
use futures::future::BoxFuture;
use std::collections::BTreeMap;
use tg_format_common::ChangeEvent;

/// How far a stream is done: whole units (files, messages), and rows of the next one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Done {
    /// Units that are done.
    pub units: u64,
    /// Rows of the unit behind them that are done.
    pub rows: u64,
}

/// Events of one stream, in order.
#[derive(Clone, PartialEq, Debug)]
pub struct Portion {
    /// Names the stream within its source, for ever.
    pub stream: String,
    /// How far it was before; events count rows from there.
    pub from: Done,
    /// How far it is with these events.
    pub to: Done,
    /// The events: rows, or one DDL.
    pub events: Vec<ChangeEvent>,
}

/// Where changes come from.
pub trait Source: Send {
    /// The next portion, given how far each stream is done; `None`: there is no more for now.
    fn next<'a>(&'a mut self, done: &'a BTreeMap<String, Done>)
    -> BoxFuture<'a, Result<Option<Portion>, ConsumeError>>;

    /// Everything up to here has been handed out once [`Source::next`] answers `None`; `None`: nothing is known.
    fn checkpoint(&self) -> Option<u64>;
}

/// Where changes go.
pub trait Target: Send {
    /// How far each stream was done when the target last took something.
    fn progress(&mut self) -> BoxFuture<'_, Result<BTreeMap<String, Done>, ConsumeError>>;

    /// Takes a portion. When it returns, rows and progress are kept.
    fn apply<'a>(&'a mut self, portion: &'a Portion) -> BoxFuture<'a, Result<(), ConsumeError>>;
}
