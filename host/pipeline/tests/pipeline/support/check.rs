//! What a run must have left in the downstream.

use super::downstream::{Change, Seen, State};
use super::store::Inner;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use tg_model::{Position, TableId, Ts};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Guarantee {
    ExactlyOnce,
    AtLeastOnce,
}

/// Compares the log with what happened upstream.
pub(crate) fn check(state: &State, store: &Inner, upstream: &BTreeSet<Change>, guarantee: Guarantee) {
    let first = first_seen(state, guarantee);
    let missing: Vec<_> = upstream.iter().filter(|c| !first.contains_key(*c)).take(5).collect();
    assert!(missing.is_empty(), "lost: {missing:?} of {}", upstream.len());
    let invented: Vec<_> = first.keys().filter(|c| !upstream.contains(*c)).take(5).collect();
    assert!(invented.is_empty(), "nobody wrote: {invented:?}");
    order_of_keys(state, guarantee);
    barriers(state, &first);
    cuts(state, &first);
    checkpoints(state, store, &first);
}

/// Where each change first stands in the log.
fn first_seen(state: &State, guarantee: Guarantee) -> BTreeMap<Change, usize> {
    let mut first = BTreeMap::new();
    for (at, seen) in state.log.iter().enumerate() {
        let Seen::Row { change, lane, run, repeated } = seen else { continue };
        let (_, before) = *first.entry(*change).or_insert((at, *run));
        let again = first.get(change) != Some(&(at, *run));
        let exactly = guarantee == Guarantee::ExactlyOnce;
        assert!(!(again && exactly), "{change:?} came again, in run {run}, lane {lane:?}");
        assert!(before == *run || *repeated, "{change:?} came again in run {run} and is not marked");
    }
    first.into_iter().map(|(change, (at, _))| (change, at)).collect()
}

/// Within a run a key's changes rise, and stay in one lane; at-least-once may go back only with a new run or after
/// a flush of unknown outcome, which repeats the very same changes.
fn order_of_keys(state: &State, guarantee: Guarantee) {
    let mut last = HashMap::<(TableId, i64), (u64, Ts, (u16, u16))>::new();
    for seen in &state.log {
        let Seen::Row { run, lane, change, .. } = seen else { continue };
        if let Some((old_run, ts, old_lane)) = last.insert((change.table, change.id), (*run, change.ts, *lane)) {
            assert!(old_lane == *lane || state.lanes_move, "{change:?} changed its lane");
            let fresh_run = guarantee == Guarantee::AtLeastOnce;
            assert!(change.ts > ts || fresh_run, "{change:?} came after {ts} (runs {old_run}, {run})");
        }
    }
}

/// A table's rows up to a DDL come before it, the others behind it.
fn barriers(state: &State, first: &BTreeMap<Change, usize>) {
    let mut by_table: HashMap<TableId, Vec<(Ts, usize)>> = HashMap::new();
    for (change, at) in first {
        by_table.entry(change.table).or_default().push((change.ts, *at));
    }
    for (at, seen) in state.log.iter().enumerate() {
        let Seen::Ddl { ts, tables, query, .. } = seen else { continue };
        for (row_ts, row_at) in tables.iter().filter_map(|t| by_table.get(t)).flatten() {
            assert_eq!(row_ts <= ts, *row_at < at, "a row at {row_ts} is on the wrong side of `{query}` at {ts}");
        }
    }
}

/// Where a sync point is marked, every change up to it is there and none behind it.
fn cuts(state: &State, first: &BTreeMap<Change, usize>) {
    for (at, seen) in state.log.iter().enumerate() {
        let Seen::Syncpoint(ts) = seen else { continue };
        for (change, row_at) in first {
            assert_eq!(change.ts <= *ts, *row_at < at, "{change:?} is on the wrong side of the sync point at {ts}");
        }
    }
}

/// Whatever a stored checkpoint covers was durable when it was stored.
fn checkpoints(state: &State, store: &Inner, first: &BTreeMap<Change, usize>) {
    let mut needed: BTreeMap<Position, usize> = BTreeMap::new();
    for (change, at) in first {
        let needs = needed.entry(Position::rows(change.ts)).or_default();
        *needs = (*needs).max(at + 1);
    }
    for (at, seen) in state.log.iter().enumerate() {
        if let Seen::Ddl { ts, .. } = seen {
            let needs = needed.entry(Position::ddl(*ts)).or_default();
            *needs = (*needs).max(at + 1);
        }
    }
    let mut so_far = 0;
    for needs in needed.values_mut() {
        so_far = so_far.max(*needs);
        *needs = so_far;
    }
    for (checkpoint, held) in &store.stored {
        let needs = needed.range(..=*checkpoint).next_back().map_or(0, |(_, n)| *n);
        assert!(needs <= *held, "checkpoint {checkpoint} was stored when {held} of {needs} events were durable");
    }
}
