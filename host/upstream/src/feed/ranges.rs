//! The range lock of one span: which part of it is fed by which region, how far each part is resolved.
//!
//! The pieces always partition the span. A piece is free (nobody feeds it) or locked by one region.

use super::frontier::{Frontier, Slot};
use crate::key::{KeyRange, below_end};
use crate::region::Region;
use bytes::Bytes;
use std::collections::BTreeMap;
use tg_model::Ts;

/// Who feeds a piece.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Owner {
    Free { not_before_ms: u64, loading: bool },
    Region { id: u64, version: u64 },
}

struct Piece {
    end: Bytes,
    slot: Slot,
    owner: Owner,
    /// Some subscription of every key in it has finished its scan.
    initialized: bool,
    attempts: u32,
}

/// What came of trying to lock a region's part of the span.
#[derive(PartialEq, Eq, Debug)]
pub(crate) enum Lock {
    /// Locked: subscribe this range from this timestamp.
    Granted { range: KeyRange, slot: Slot, resolved: Ts, attempts: u32 },
    /// A region that is at least as new holds part of it.
    Stale,
    /// Older regions hold part of it and will end.
    Wait,
    /// The region has nothing to do with the span.
    Outside,
}

/// See the module.
pub(crate) struct Ranges {
    span: KeyRange,
    pieces: BTreeMap<Bytes, Piece>,
    frontier: Frontier,
    uninitialized: usize,
}

impl Ranges {
    /// One free piece, resolved up to `start`.
    pub(crate) fn new(span: KeyRange, start: Ts, now_ms: u64) -> Self {
        let mut out =
            Self { span: span.clone(), pieces: BTreeMap::new(), frontier: Frontier::default(), uninitialized: 0 };
        out.put(span, start, Owner::Free { not_before_ms: now_ms, loading: false }, false, 0);
        out
    }

    /// Resolved-ts of the span.
    pub(crate) fn resolved(&self) -> Ts {
        self.frontier.min().unwrap_or(Ts::ZERO)
    }

    /// Resolved-ts of a locked piece.
    pub(crate) fn resolved_of(&self, slot: Slot) -> Ts {
        self.frontier.get(slot)
    }

    /// Raises a locked piece.
    pub(crate) fn resolve(&mut self, slot: Slot, ts: Ts) {
        self.frontier.raise(slot, ts);
    }

    /// Every key has been scanned at least once.
    pub(crate) fn is_initialized(&self) -> bool {
        self.uninitialized == 0
    }

    /// Whether any piece has no region.
    #[cfg(test)]
    pub(crate) fn has_free(&self) -> bool {
        self.pieces.values().any(|p| matches!(p.owner, Owner::Free { .. }))
    }

    fn put(&mut self, range: KeyRange, ts: Ts, owner: Owner, initialized: bool, attempts: u32) -> Slot {
        let slot = self.frontier.insert(ts);
        self.uninitialized += usize::from(!initialized);
        let piece = Piece { end: range.end, slot, owner, initialized, attempts };
        let before = self.pieces.insert(range.start, piece);
        assert!(before.is_none(), "pieces of a span overlap");
        slot
    }

    fn take(&mut self, start: &Bytes) -> Option<(Piece, Ts)> {
        let piece = self.pieces.remove(start)?;
        self.uninitialized -= usize::from(!piece.initialized);
        let ts = self.frontier.remove(piece.slot);
        Some((piece, ts))
    }

    /// Starts of the pieces that share keys with `range`.
    fn overlapping(&self, range: &KeyRange) -> Vec<Bytes> {
        let first = self.pieces.range::<Bytes, _>(..=&range.start).next_back().map(|(s, _)| s.clone());
        let from = first.unwrap_or_else(|| range.start.clone());
        self.pieces
            .range(from..)
            .take_while(|(s, _)| below_end(s, &range.end))
            .filter(|(_, p)| below_end(&range.start, &p.end))
            .map(|(s, _)| s.clone())
            .collect()
    }

    /// Free pieces whose time has come; they count as loading from now on.
    pub(crate) fn due(&mut self, now_ms: u64) -> Vec<KeyRange> {
        let mut out: Vec<KeyRange> = Vec::new();
        for (start, piece) in &mut self.pieces {
            let Owner::Free { not_before_ms, loading } = &mut piece.owner else {
                continue;
            };
            if *loading || *not_before_ms > now_ms {
                continue;
            }
            *loading = true;
            match out.last_mut() {
                Some(last) if last.end == *start => last.end = piece.end.clone(),
                _ => out.push(KeyRange { start: start.clone(), end: piece.end.clone() }),
            }
        }
        out
    }

    /// When the next free piece is due; `None` when there is none that is not loading.
    pub(crate) fn next_due_ms(&self) -> Option<u64> {
        self.pieces
            .values()
            .filter_map(|p| match p.owner {
                Owner::Free { not_before_ms, loading: false } => Some(not_before_ms),
                _ => None,
            })
            .min()
    }

    /// Loading of `range` is over: what is still free in it is tried again after `delay(attempts)`.
    pub(crate) fn loaded(&mut self, range: &KeyRange, now_ms: u64, mut delay_ms: impl FnMut(u32) -> u64) {
        for start in self.overlapping(range) {
            if let Some(piece) = self.pieces.get_mut(&start)
                && let Owner::Free { not_before_ms, loading: loading @ true } = &mut piece.owner
            {
                *loading = false;
                piece.attempts += 1;
                *not_before_ms = now_ms + delay_ms(piece.attempts);
            }
        }
    }

    /// Gives the region its part of the span, if nobody holds any of it.
    pub(crate) fn lock(&mut self, region: &Region) -> Lock {
        let Some(range) = self.span.intersect(&region.range) else {
            return Lock::Outside;
        };
        let starts = self.overlapping(&range);
        let mut held = false;
        for piece in starts.iter().filter_map(|s| self.pieces.get(s)) {
            if let Owner::Region { id: _, version } = piece.owner {
                if version >= region.version() {
                    return Lock::Stale;
                }
                held = true;
            }
        }
        if held {
            return Lock::Wait;
        }
        let (mut resolved, mut initialized, mut attempts) = (Ts::MAX, true, 0);
        for start in starts {
            let Some((piece, ts)) = self.take(&start) else {
                continue;
            };
            resolved = resolved.min(ts);
            initialized &= piece.initialized;
            attempts = attempts.max(piece.attempts);
            if start < range.start {
                let left = KeyRange { start, end: range.start.clone() };
                self.put(left, ts, piece.owner, piece.initialized, piece.attempts);
            }
            if !range.end.is_empty() && below_end(&range.end, &piece.end) && range.end != piece.end {
                let right = KeyRange { start: range.end.clone(), end: piece.end };
                self.put(right, ts, piece.owner, piece.initialized, piece.attempts);
            }
        }
        let owner = Owner::Region { id: region.id, version: region.version() };
        let slot = self.put(range.clone(), resolved, owner, initialized, attempts);
        Lock::Granted { range, slot, resolved, attempts }
    }

    /// Frees the piece that starts at `start`; it keeps its resolved-ts.
    pub(crate) fn unlock(&mut self, start: &Bytes, not_before_ms: u64, attempts: u32) {
        if let Some(piece) = self.pieces.get_mut(start) {
            piece.owner = Owner::Free { not_before_ms, loading: false };
            piece.attempts = attempts;
        }
    }

    /// The scan of the piece that starts at `start` is complete.
    pub(crate) fn initialized(&mut self, start: &Bytes) {
        if let Some(piece) = self.pieces.get_mut(start) {
            piece.attempts = 0;
            if !std::mem::replace(&mut piece.initialized, true) {
                self.uninitialized -= 1;
            }
        }
    }
}

#[cfg(test)]
#[path = "ranges_tests.rs"]
mod tests;
