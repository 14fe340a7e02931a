//! Where a supervisor has the slots of its runs.

use crate::cluster::{Spread, Spreading};
use crate::feed::Supervisor;
use crate::handle::SpreadWish;
use std::time::Duration;
use tokio::sync::watch;

/// How long nodes that come and go are waited for until slots are placed anew, and how often that is looked at in any case.
const PLACES_SETTLE: Duration = Duration::from_millis(200);
const PLACES_EVERY: Duration = Duration::from_secs(5);

impl Supervisor {
    /// Where the slots of the run that begins are to be; `None`: this node is alone.
    pub(crate) fn place(&self, slots: u16, epoch: (u64, u64)) -> Option<Spread> {
        let cluster = self.node.cluster.clone()?;
        // Whoever wants all slots here and sees them here must not be overtaken by places that were chosen before it said so.
        self.view.set_places(Vec::new(), false);
        let mut spreading = self.spreading.lock();
        let at = spreading.wanted(&cluster, &self.id, slots, &self.view.spread().borrow());
        spreading.set(&at);
        let whole = at.iter().all(|p| p.capture == cluster.me.capture);
        self.view.set_places(Spreading::shown(&cluster, &at), whole);
        tracing::info!(changefeed = %self.id, slots = ?at, "slots are placed");
        Some(Spread { cluster, id: self.id.clone(), run: self.guard.revision(), epoch, at })
    }

    /// Ends when the slots of the run should be elsewhere than they are, and that lasts.
    pub(crate) async fn placed_otherwise(&self, spread: Option<u16>) {
        let (Some(slots), Some(cluster)) = (spread, &self.node.cluster) else { return std::future::pending().await };
        let (mut world, mut wish) = (cluster.world.clone(), self.view.spread());
        let otherwise = |wish: &watch::Receiver<SpreadWish>| {
            let mut spreading = self.spreading.lock();
            let wanted = spreading.wanted(cluster, &self.id, slots, &wish.borrow());
            !wanted.is_empty() && !spreading.is(&wanted)
        };
        loop {
            // Nodes come and go in groups; what is asked for by somebody who waits is done at once.
            let settle = tokio::select! {
                changed = world.changed() => changed.map(|()| PLACES_SETTLE),
                changed = wish.changed() => changed.map(|()| Duration::ZERO),
                () = tokio::time::sleep(PLACES_EVERY) => Ok(Duration::ZERO),
            };
            let Ok(settle) = settle else { return std::future::pending().await };
            if otherwise(&wish) {
                tokio::time::sleep(settle).await;
                if otherwise(&wish) {
                    return;
                }
            }
        }
    }
}
