//! What people are shown.

use super::Owner;
use crate::id::{Epoch, FeedId, Peer};
use crate::message::Phase;
use tg_model::{Position, SlotId, Ts};

/// A changefeed as its owner sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FeedView {
    /// Which.
    pub feed: FeedId,
    /// Everything up to here is durable.
    pub checkpoint: Position,
    /// Rows may leave up to here.
    pub emit_ts: Ts,
    /// The DDL or syncpoint that is being run.
    pub ddl: Option<(Ts, u32)>,
    /// Its slots; the last one is the executor's.
    pub slots: Vec<SlotView>,
}

/// A slot as its owner sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SlotView {
    /// Which.
    pub slot: SlotId,
    /// Who has it, under which assignment, and in which phase it was seen last.
    pub writer: Option<(Peer, Epoch, Phase)>,
    /// Who has been told to write it and may do so.
    pub holder: Option<Peer>,
    /// Where it is to be.
    pub target: Option<Peer>,
    /// Everything up to here is durable.
    pub checkpoint: Position,
}

impl Owner {
    pub(crate) fn views(&self) -> Vec<FeedView> {
        self.feeds
            .iter()
            .map(|(id, feed)| FeedView {
                feed: *id,
                checkpoint: feed.checkpoint(),
                emit_ts: feed.controller().emit_ts(),
                ddl: feed.ddl(),
                slots: (0..)
                    .map(SlotId)
                    .zip(&feed.slots)
                    .map(|(slot, rep)| SlotView {
                        slot,
                        writer: rep.writer().map(|(p, s)| (p, s.epoch, s.phase)),
                        holder: rep.primary(),
                        target: rep.target,
                        checkpoint: if feed.record.whole {
                            feed.checkpoint()
                        } else {
                            feed.controller().slot_checkpoint(slot)
                        },
                    })
                    .collect(),
            })
            .collect()
    }
}
