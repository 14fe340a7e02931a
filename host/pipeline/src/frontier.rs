//! The minimum resolved-ts over the spans of a slot.

use std::collections::{BTreeSet, HashMap};
use tg_model::{SpanId, Ts};

/// Resolved-ts by span with the minimum at hand. Updates cost O(log n).
#[derive(Debug, Default)]
pub(crate) struct Frontier {
    by_span: HashMap<SpanId, Ts, foldhash::fast::RandomState>,
    ordered: BTreeSet<(Ts, SpanId)>,
}

impl Frontier {
    pub(crate) fn add(&mut self, span: SpanId, start: Ts) {
        if let Some(old) = self.by_span.insert(span, start) {
            self.ordered.remove(&(old, span));
        }
        self.ordered.insert((start, span));
    }

    pub(crate) fn remove(&mut self, span: SpanId) {
        if let Some(old) = self.by_span.remove(&span) {
            self.ordered.remove(&(old, span));
        }
    }

    /// Moves a span forward; unknown spans and smaller timestamps are ignored.
    pub(crate) fn advance(&mut self, span: SpanId, ts: Ts) {
        let Some(old) = self.by_span.get_mut(&span) else { return };
        if ts > *old {
            self.ordered.remove(&(*old, span));
            self.ordered.insert((ts, span));
            *old = ts;
        }
    }

    /// `Ts::MAX` without spans.
    pub(crate) fn min(&self) -> Ts {
        self.ordered.first().map_or(Ts::MAX, |(ts, _)| *ts)
    }
}

#[cfg(test)]
mod tests {
    use super::Frontier;
    use tg_model::{SpanId, Ts};

    #[test]
    fn the_slowest_span_decides_and_none_goes_back() {
        let mut f = Frontier::default();
        assert_eq!(f.min(), Ts::MAX);
        f.add(SpanId(1), Ts::new(10));
        f.add(SpanId(2), Ts::new(10));
        f.advance(SpanId(1), Ts::new(30));
        assert_eq!(f.min(), Ts::new(10));
        f.advance(SpanId(2), Ts::new(20));
        f.advance(SpanId(2), Ts::new(15));
        f.advance(SpanId(9), Ts::new(1));
        assert_eq!(f.min(), Ts::new(20));
        f.remove(SpanId(2));
        assert_eq!(f.min(), Ts::new(30));
    }
}
