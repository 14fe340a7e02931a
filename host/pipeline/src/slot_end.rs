//! The feed's end of a slot, wherever the slot runs.

use crate::away::AwayCommand;
use crate::slot::SlotCommand;
use std::sync::Arc;
use tg_model::{Position, Span, SpanId, TableId, TableVersion, Ts};
use tg_upstream::{FeedOptions, FeedSender, Upstream};
use tokio::sync::mpsc;

/// The slot ends when this is dropped. One that failed has reported why: that report, not a closed channel, ends the run.
pub(crate) enum SlotEnd {
    /// In this process.
    Here { commands: mpsc::UnboundedSender<SlotCommand>, feed: FeedSender },
    /// On another node.
    Away(mpsc::UnboundedSender<AwayCommand>),
}

/// A table's rows, from a timestamp on.
pub(crate) struct NewSpan {
    pub(crate) span: SpanId,
    pub(crate) table: TableId,
    pub(crate) version: Arc<TableVersion>,
    pub(crate) start: Ts,
}

impl SlotEnd {
    /// Gives the slot a table and subscribes it.
    pub(crate) fn add_span(&self, new: NewSpan, upstream: &Upstream, options: FeedOptions) {
        match self {
            Self::Here { commands, feed } => {
                let NewSpan { span, table, version, start } = new;
                // The slot hears of the span before the span's first event can arrive.
                let _ = commands.send(SlotCommand::AddSpan { span, version, start });
                upstream.subscribe(span, &Span::of_table(table), start, options, feed.clone());
            }
            Self::Away(commands) => {
                let NewSpan { span, table, version, start } = new;
                let _ = commands.send(AwayCommand::AddSpan { span, table, version, start });
            }
        }
    }

    pub(crate) fn set_version(&self, span: SpanId, version: Arc<TableVersion>) {
        match self {
            Self::Here { commands, .. } => _ = commands.send(SlotCommand::SetVersion { span, version }),
            Self::Away(commands) => _ = commands.send(AwayCommand::SetVersion { span, version }),
        }
    }

    pub(crate) fn remove_span(&self, span: SpanId, upstream: &Upstream) {
        match self {
            Self::Here { commands, .. } => {
                upstream.unsubscribe(span);
                let _ = commands.send(SlotCommand::RemoveSpan { span });
            }
            Self::Away(commands) => _ = commands.send(AwayCommand::RemoveSpan { span }),
        }
    }

    pub(crate) fn emit(&self, upto: Position) {
        match self {
            Self::Here { commands, .. } => _ = commands.send(SlotCommand::Emit(upto)),
            Self::Away(commands) => _ = commands.send(AwayCommand::Emit(upto)),
        }
    }

    pub(crate) fn tick(&self) {
        match self {
            Self::Here { commands, .. } => _ = commands.send(SlotCommand::Tick),
            Self::Away(commands) => _ = commands.send(AwayCommand::Tick),
        }
    }

    /// Asks the slot to finish the transaction it is in, let every lane finish, and stand still.
    pub(crate) fn drain(&self) {
        match self {
            Self::Here { commands, .. } => _ = commands.send(SlotCommand::Drain),
            Self::Away(commands) => _ = commands.send(AwayCommand::Drain),
        }
    }

    /// For what concerns plugins: only slots of this process take that.
    pub(crate) const fn here(&self) -> Option<&mpsc::UnboundedSender<SlotCommand>> {
        match self {
            Self::Here { commands, .. } => Some(commands),
            Self::Away(_) => None,
        }
    }
}
