//! The smallest of many rising timestamps.

use tg_model::Ts;

/// A place in a [`Frontier`].
pub(crate) type Slot = u32;

/// An indexed binary heap: the minimum is at hand, a change costs O(log n).
#[derive(Default)]
pub(crate) struct Frontier {
    heap: Vec<(Ts, Slot)>,
    /// Position in `heap` by slot; `FREE` for unused slots.
    position: Vec<u32>,
    free: Vec<Slot>,
}

const FREE: u32 = u32::MAX;

impl Frontier {
    /// The smallest timestamp; `None` when there are no slots.
    pub(crate) fn min(&self) -> Option<Ts> {
        self.heap.first().map(|(ts, _)| *ts)
    }

    /// The timestamp of a slot; zero for a slot that is not in use.
    pub(crate) fn get(&self, slot: Slot) -> Ts {
        let at = self.position.get(slot as usize).copied().unwrap_or(FREE);
        self.heap.get(at as usize).map_or(Ts::ZERO, |(ts, _)| *ts)
    }

    /// Adds a timestamp and names its slot.
    pub(crate) fn insert(&mut self, ts: Ts) -> Slot {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.position.push(FREE);
            self.position.len() as Slot - 1
        });
        self.heap.push((ts, slot));
        self.up(self.heap.len() - 1);
        slot
    }

    /// Raises a slot; a smaller timestamp is ignored. Whether it rose.
    pub(crate) fn raise(&mut self, slot: Slot, ts: Ts) -> bool {
        let at = self.position[slot as usize] as usize;
        if ts <= self.heap[at].0 {
            return false;
        }
        self.heap[at].0 = ts;
        self.down(at);
        true
    }

    /// Takes a slot out and returns its timestamp.
    pub(crate) fn remove(&mut self, slot: Slot) -> Ts {
        let at = self.position[slot as usize] as usize;
        let (ts, _) = self.heap.swap_remove(at);
        self.position[slot as usize] = FREE;
        self.free.push(slot);
        if at < self.heap.len() {
            self.down(at);
            self.up(at);
        }
        ts
    }

    fn up(&mut self, mut at: usize) {
        while at > 0 {
            let parent = (at - 1) / 2;
            if self.heap[parent].0 <= self.heap[at].0 {
                break;
            }
            self.heap.swap(parent, at);
            self.note(at);
            at = parent;
        }
        self.note(at);
    }

    fn down(&mut self, mut at: usize) {
        loop {
            let mut least = at;
            for child in [2 * at + 1, 2 * at + 2] {
                if child < self.heap.len() && self.heap[child].0 < self.heap[least].0 {
                    least = child;
                }
            }
            if least == at {
                break;
            }
            self.heap.swap(least, at);
            self.note(at);
            at = least;
        }
        self.note(at);
    }

    fn note(&mut self, at: usize) {
        let slot = self.heap[at].1;
        self.position[slot as usize] = at as u32;
    }
}

#[cfg(test)]
mod tests {
    use super::Frontier;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use tg_model::Ts;

    proptest! {
        #[test]
        fn behaves_as_a_map_with_a_minimum(steps in prop::collection::vec((0u8..4, any::<prop::sample::Index>(), 0u64..50), 1..300)) {
            let mut frontier = Frontier::default();
            let mut model = BTreeMap::new();
            for (what, which, ts) in steps {
                let ts = Ts::new(ts);
                let pick = (!model.is_empty()).then(|| *model.keys().nth(which.index(model.len())).unwrap());
                match (what, pick) {
                    (0, _) | (_, None) => {
                        prop_assert!(model.insert(frontier.insert(ts), ts).is_none());
                    }
                    (1, Some(slot)) => prop_assert_eq!(Some(frontier.remove(slot)), model.remove(&slot)),
                    (_, Some(slot)) => {
                        let old = model[&slot];
                        prop_assert_eq!(frontier.raise(slot, ts), ts > old);
                        model.insert(slot, old.max(ts));
                    }
                }
                prop_assert_eq!(frontier.min(), model.values().min().copied());
                for (slot, ts) in &model {
                    prop_assert_eq!(frontier.get(*slot), *ts);
                }
            }
        }
    }
}
