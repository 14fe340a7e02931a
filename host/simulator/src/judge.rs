//! What has to hold at every moment, and what at the end.

use crate::world::World;
use tg_cluster::{FeedId, FeedState};
use tg_model::Position;

impl World {
    pub(crate) fn stored(&mut self, feed: FeedId, checkpoint: Position, before: Option<Position>) {
        self.trace.line(self.now, usize::MAX, || format!("changefeed {feed}: checkpoint {checkpoint} is stored"));
        let stored = self.meta.state.feeds.get(&feed).map(|f| f.checkpoint);
        if stored < before {
            self.violation.get_or_insert(format!("the checkpoint of {feed} went back to {checkpoint}"));
        }
        if let Some(sink) = self.sinks.get_mut(&feed) {
            sink.downstream.complete(&self.up, checkpoint);
        }
    }

    /// Anything wrong so far?
    pub(crate) fn look(&mut self) {
        let found =
            self.meta.violation.take().or_else(|| self.sinks.values_mut().find_map(|s| s.downstream.violation.take()));
        if let Some(found) = found {
            self.violation.get_or_insert(found);
        }
    }

    /// Stored checkpoints of all changefeeds.
    pub(crate) fn checkpoints(&self) -> Vec<Position> {
        self.meta.state.feeds.values().map(|f| f.checkpoint).collect()
    }

    /// What everybody has to have reached some time after the last fault.
    pub(crate) fn settled(&mut self) -> Result<(), String> {
        let last = self.up.last();
        let owners: Vec<_> = self.processes.iter().filter_map(|p| p.node.owner_rev()).collect();
        let newest = owners.iter().max().copied().ok_or("nobody is owner")?;
        for (id, feed) in &self.meta.state.feeds {
            if feed.state != FeedState::Normal {
                return Err(format!("changefeed {id} is {:?}", feed.state));
            }
            if feed.checkpoint < Position::rows(last) {
                return Err(format!("changefeed {id} stands at {}, the end is {last}", feed.checkpoint));
            }
        }
        let owner = self.processes.iter().find(|p| p.node.owner_rev() == Some(newest)).ok_or("no owner")?;
        for view in owner.node.feeds() {
            for slot in &view.slots {
                if slot.writer.is_none_or(|(p, _, _)| Some(p) != slot.target) {
                    return Err(format!("slot {} of {} is not where it belongs: {slot:?}", slot.slot, view.feed));
                }
            }
        }
        let up = &self.up;
        for sink in self.sinks.values_mut() {
            sink.downstream.complete(up, Position::rows(last));
            if let Some(v) = sink.downstream.violation.take() {
                return Err(v);
            }
        }
        Ok(())
    }
}
