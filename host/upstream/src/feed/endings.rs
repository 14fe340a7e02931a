//! What follows when a region's subscription or a whole stream ends.

use super::control::{Control, SubState};
use super::effect::{Effect, EndCause, StreamNo};
use super::held::HoldError;
use super::spill::SpillError;
use super::timers::Timer;
use crate::UpstreamError;
use foldhash::fast::RandomState;
use hashbrown::HashSet;

impl Control {
    pub(super) fn ended(
        &mut self,
        stream: StreamNo,
        request: u64,
        region: u64,
        cause: EndCause,
        out: &mut Vec<Effect>,
    ) {
        let Some(span) = self.spans.get_mut(&request) else {
            return;
        };
        let Some(sub) = span.subs.get_mut(&region) else {
            return;
        };
        if sub.stream() != Some(stream) {
            return;
        }
        let (state, span_no) = (sub.state, span.id.0);
        let protocol = |detail: String| UpstreamError::Protocol { span: span_no, region, detail };
        let reload = matches!(cause, EndCause::NotLeader(None) | EndCause::RangeChanged);
        let wait_ms = if let EndCause::Transient { wait_ms } = cause { wait_ms } else { 0 };
        let fatal = match cause {
            EndCause::NotLeader(Some(leader)) => {
                sub.region.leader = Some(leader);
                None
            }
            EndCause::Violation { detail, fatal } => {
                span.violations += 1;
                (fatal || span.violations > self.limits.violations_max).then(|| protocol(detail))
            }
            EndCause::Duplicate => Some(protocol("the store says the region is subscribed already".to_owned())),
            EndCause::Compatibility { required } => Some(UpstreamError::Compatibility { span: span_no, required }),
            EndCause::ClusterId { current, asked } => {
                Some(UpstreamError::FeedClusterId { span: span_no, current, asked })
            }
            EndCause::Hold(HoldError::Memory { held_bytes, limit_bytes }) => {
                Some(UpstreamError::Unmatched { span: span_no, held_bytes, limit_bytes })
            }
            EndCause::Hold(HoldError::Spill(SpillError::Full { limit_bytes })) => {
                Some(UpstreamError::SpillFull { span: span_no, limit_bytes })
            }
            EndCause::Hold(HoldError::Spill(SpillError::Io { path, detail })) => {
                Some(UpstreamError::Spill { path, detail })
            }
            EndCause::NotLeader(None) | EndCause::RangeChanged | EndCause::Transient { .. } => None,
        };
        self.detach(stream, (request, region), state);
        if let Some(error) = fatal {
            // Its stream entry is gone; the remaining ones go with the span.
            if let Some(sub) = self.sub(request, region) {
                sub.state = SubState::Backoff;
            }
            self.fail(request, error, out);
            return;
        }
        if reload {
            self.free(request, region, 0);
        } else {
            self.retry(request, region, wait_ms.min(self.limits.busy_max_ms));
        }
        self.load_due(request, out);
        self.pump_all(out);
    }

    pub(super) fn stream_down(&mut self, stream: StreamNo, established: bool, out: &mut Vec<Effect>) {
        let wait_ms = self.limits.reconnect_ms;
        let Some((store, subs)) = self.stores.down(stream, self.now_ms + wait_ms) else {
            return;
        };
        self.timers.add(self.now_ms + wait_ms, Timer::Store(store));
        let mut scans = 0;
        let mut requests = HashSet::<u64, RandomState>::default();
        for (request, region) in subs {
            let Some(sub) = self.sub(request, region) else {
                continue;
            };
            scans += usize::from(matches!(sub.state, SubState::Scanning(_)));
            sub.state = SubState::Backoff;
            // A store that cannot even be reached may have lost its regions to others.
            if established {
                self.retry(request, region, wait_ms);
            } else {
                self.free(request, region, wait_ms);
            }
            requests.insert(request);
        }
        self.stores.scans_lost(store, scans);
        for request in requests {
            self.load_due(request, out);
        }
        self.pump_all(out);
    }

    /// The same region again, after a while; from PD when that has failed often.
    fn retry(&mut self, request: u64, region: u64, wait_ms: u64) {
        let Some(sub) = self.spans.get_mut(&request).and_then(|s| s.subs.get_mut(&region)) else {
            return;
        };
        sub.attempts += 1;
        if sub.attempts > self.limits.retries_before_reload {
            self.free(request, region, wait_ms);
            return;
        }
        let delay = self.limits.backoff_ms(sub.attempts, &mut self.random).max(wait_ms);
        sub.state = SubState::Backoff;
        sub.turn += 1;
        self.timers.add(self.now_ms + delay, Timer::Retry { request, region, turn: sub.turn });
    }

    /// Gives the piece back, to be looked up in PD.
    fn free(&mut self, request: u64, region: u64, wait_ms: u64) {
        let Some(span) = self.spans.get_mut(&request) else {
            return;
        };
        let Some(sub) = span.subs.remove(&region) else {
            return;
        };
        let delay = match sub.attempts {
            0 => wait_ms,
            n => self.limits.backoff_ms(n, &mut self.random).max(wait_ms),
        };
        span.ranges.unlock(&sub.range.start, self.now_ms + delay, sub.attempts + 1);
    }
}
