//! Which regions are stuck behind locks.

use super::control::{Control, SubState};
use super::effect::Effect;
use crate::stat::RegionStat;
use tg_model::{SpanId, Ts};

impl Control {
    /// A span that is fully scanned, has stood still and is behind the clock may wait for the lock of a
    /// dead transaction: names its laggard regions. Closes streams that have long been idle by the way.
    pub(super) fn check_locks(&mut self, pd_now: Ts, out: &mut Vec<Effect>) {
        // What leaves a stream for a moment, to be looked up in PD or tried again, mostly comes back to it.
        if let Some(since_ms) = self.now_ms.checked_sub(self.limits.idle_stream_ms) {
            out.extend(self.stores.close_idle(since_ms).into_iter().map(|stream| Effect::Close { stream }));
        }
        let (now_ms, limits) = (self.now_ms, &self.limits);
        let mut room = limits.lock_regions_max;
        for span in self.spans.values_mut() {
            let still_ms = now_ms.saturating_sub(span.told_ms);
            let stuck = still_ms >= limits.lock_fence_ms && pd_now.ms_since(span.told) >= limits.lock_fence_ms;
            if !stuck || !span.ranges.is_initialized() {
                continue;
            }
            let target = pd_now.min(Ts::compose(span.told.physical_ms() + limits.lock_fence_ms, 0));
            for sub in span.subs.values_mut() {
                let checked = sub.locks_checked_ms != 0 && now_ms < sub.locks_checked_ms + limits.lock_region_ms;
                let lags = span.ranges.resolved_of(sub.slot) < target;
                if room == 0 || checked || !lags || !matches!(sub.state, SubState::Live(_)) {
                    continue;
                }
                room -= 1;
                sub.locks_checked_ms = now_ms;
                out.push(Effect::ResolveLocks { range: sub.range.clone(), max_ts: target });
            }
        }
    }

    /// The regions of a span as they stand.
    pub(crate) fn regions(&self, span: SpanId) -> Vec<RegionStat> {
        let Some(span) = self.request_of(span).and_then(|r| self.spans.get(&r)) else {
            return Vec::new();
        };
        span.subs
            .values()
            .map(|sub| RegionStat {
                region: sub.region.id,
                store: sub.region.leader.map_or(0, |l| l.store_id),
                resolved: span.ranges.resolved_of(sub.slot),
                initialized: matches!(sub.state, SubState::Live(_)),
                attempts: sub.attempts,
            })
            .collect()
    }
}
