//! How far each span has been released, at no cost per span.

use tg_model::Ts;

/// What a sorter has released. A span remembers only [`Frontier::now`] of the moment it was added; what
/// counts for it is the greatest release made since.
#[derive(Debug, Default)]
pub(crate) struct Frontier {
    /// (moment, released) with rising moments and falling timestamps: a release makes every earlier and
    /// lower one irrelevant, since whoever counts the earlier counts the later as well.
    releases: Vec<(u64, Ts)>,
    moment: u64,
}

impl Frontier {
    /// The present moment, to be kept by a span that is added.
    pub(crate) fn now(&self) -> u64 {
        self.moment
    }

    /// Everything at or below `ts` has left, of all spans that exist.
    pub(crate) fn release(&mut self, ts: Ts) {
        while self.releases.last().is_some_and(|(_, at)| *at <= ts) {
            self.releases.pop();
        }
        self.moment += 1;
        self.releases.push((self.moment, ts));
    }

    /// What has been released since `moment`.
    pub(crate) fn released_since(&self, moment: u64) -> Ts {
        let first = self.releases.partition_point(|(at, _)| *at <= moment);
        self.releases.get(first).map_or(Ts::ZERO, |(_, ts)| *ts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_counts_only_releases_since_it_was_added() {
        let mut f = Frontier::default();
        let first = f.now();
        f.release(Ts::new(100));
        let second = f.now();
        assert_eq!((f.released_since(first), f.released_since(second)), (Ts::new(100), Ts::ZERO));
        f.release(Ts::new(60));
        assert_eq!((f.released_since(first), f.released_since(second)), (Ts::new(100), Ts::new(60)));
        f.release(Ts::new(120));
        assert_eq!((f.released_since(first), f.released_since(second)), (Ts::new(120), Ts::new(120)));
        assert_eq!(f.releases.len(), 1);
    }
}
