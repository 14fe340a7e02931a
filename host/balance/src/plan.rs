//! From a view to decisions.

use crate::history::History;
use crate::limits::{Limits, MOVES_PER_MINUTE_MAX};
use crate::view::{Decision, NodeId, Unit, UnitId, View, Why};
use std::collections::{BTreeMap, VecDeque};

const MINUTE_MS: u64 = 60_000;

/// What a node carries, as the plan goes on.
#[derive(Clone, Copy, Debug, Default)]
struct Carries {
    units: usize,
    bytes: u64,
    /// Units on their way from it.
    leaving: u64,
}

/// Makes plans, and remembers what keeps them calm.
#[derive(Debug, Default)]
pub struct Balancer {
    /// May be changed at any time.
    pub limits: Limits,
    history: History,
    /// When a unit was moved for balance.
    moved: BTreeMap<UnitId, u64>,
    /// In how many plans in a row a node was hot.
    hot: BTreeMap<NodeId, u64>,
    /// When moves of the last minute began, at most [`MOVES_PER_MINUTE_MAX`].
    begun: VecDeque<u64>,
}

struct Plan<'a> {
    view: &'a View,
    carries: BTreeMap<NodeId, Carries>,
    moving: u64,
    /// How many more may begin to move.
    left: u64,
    decisions: Vec<Decision>,
}

impl Balancer {
    /// What was decided lately.
    #[must_use]
    pub const fn history(&self) -> &History {
        &self.history
    }

    /// What must be done now: work without a place, nodes that are drained. Cheap when there is nothing.
    pub fn check(&mut self, now_ms: u64, view: &View) -> Vec<Decision> {
        let mut plan = Plan::new(view, self.left(now_ms));
        plan.place();
        plan.drain(&self.limits);
        self.finish(now_ms, plan.decisions)
    }

    /// What would be better: at most some moves, and none while anything is on its way.
    pub fn balance(&mut self, now_ms: u64, view: &View) -> Vec<Decision> {
        let rest = self.limits.rest_ms;
        self.moved.retain(|_, at| now_ms.saturating_sub(*at) < rest);
        let mut plan = Plan::new(view, self.left(now_ms).min(self.limits.balance_moves));
        let waits = |u: &Unit| u.free && u.at.is_none();
        if plan.moving > 0 || view.units.iter().any(waits) || view.nodes.iter().any(|n| n.leaves) {
            return Vec::new();
        }
        plan.even_load(&self.limits, &self.moved, &mut self.hot);
        if plan.decisions.is_empty() {
            plan.even_counts(&self.moved);
        }
        self.moved.extend(plan.decisions.iter().map(|d| (d.unit, now_ms)));
        self.finish(now_ms, plan.decisions)
    }

    /// How many moves may begin now by the minute's limit and by the one of all.
    fn left(&mut self, now_ms: u64) -> u64 {
        while self.begun.front().is_some_and(|at| now_ms.saturating_sub(*at) >= MINUTE_MS) {
            self.begun.pop_front();
        }
        self.limits.moves_per_minute.saturating_sub(self.begun.len() as u64).min(self.limits.moves)
    }

    fn finish(&mut self, now_ms: u64, decisions: Vec<Decision>) -> Vec<Decision> {
        decisions.iter().for_each(|d| self.history.push(now_ms, *d));
        self.begun.extend(decisions.iter().filter(|d| d.from.is_some()).map(|_| now_ms));
        let over = self.begun.len().saturating_sub(MOVES_PER_MINUTE_MAX as usize);
        self.begun.drain(..over);
        decisions
    }
}

impl<'a> Plan<'a> {
    fn new(view: &'a View, left: u64) -> Self {
        let mut carries: BTreeMap<_, _> = view.nodes.iter().map(|n| (n.id, Carries::default())).collect();
        for unit in &view.units {
            if let Some(c) = unit.at.and_then(|at| carries.get_mut(&at)) {
                c.units += 1;
                c.bytes += unit.bytes_per_s;
            }
        }
        let moving = view.units.iter().filter(|u| u.moving).count() as u64;
        Self { view, carries, moving, left, decisions: Vec::new() }
    }

    fn takers(&self) -> impl Iterator<Item = (NodeId, Carries)> + '_ {
        let nodes = self.view.nodes.iter().filter(|n| n.takes && !n.leaves);
        nodes.map(|n| (n.id, self.carries.get(&n.id).copied().unwrap_or_default()))
    }

    /// The node with the least to do. One of the preferred zone wins while it has at most one unit more.
    fn least(&self) -> Option<NodeId> {
        let preferred = |id: &NodeId| {
            let zone = self.view.nodes.iter().find(|n| n.id == *id).map(|n| n.zone.as_str());
            !self.view.prefer_zone.is_empty() && zone == Some(self.view.prefer_zone.as_str())
        };
        let key = |(id, c): &(NodeId, Carries)| (c.units * 2 + usize::from(!preferred(id)) * 3, c.bytes, *id);
        self.takers().min_by_key(key).map(|(id, _)| id)
    }

    fn decide(&mut self, unit: &Unit, to: NodeId, why: Why) {
        if let Some(c) = unit.at.and_then(|from| self.carries.get_mut(&from)) {
            c.units = c.units.saturating_sub(1);
            c.bytes = c.bytes.saturating_sub(unit.bytes_per_s);
            c.leaving += 1;
            self.moving += 1;
            self.left = self.left.saturating_sub(1);
        }
        if let Some(c) = self.carries.get_mut(&to) {
            c.units += 1;
            c.bytes += unit.bytes_per_s;
        }
        assert!(unit.at != Some(to), "a unit is not moved to where it is");
        self.decisions.push(Decision { unit: unit.id, from: unit.at, to, why });
    }

    fn place(&mut self) {
        for unit in self.view.units.iter().filter(|u| u.free && u.at.is_none()) {
            let warm = unit.warm.filter(|w| self.takers().any(|(id, _)| id == *w));
            let Some(to) = warm.or_else(|| self.least()) else { return };
            self.decide(unit, to, if warm.is_some() { Why::Warm } else { Why::Unplaced });
        }
    }

    fn drain(&mut self, limits: &Limits) {
        let view = self.view;
        let leaving = |at: &NodeId| view.nodes.iter().any(|n| n.id == *at && n.leaves);
        let units: Vec<_> = view.units.iter().filter(|u| u.free && !u.moving).collect();
        for unit in units.into_iter().filter(|u| u.at.as_ref().is_some_and(leaving)) {
            let from = unit.at.and_then(|at| self.carries.get(&at)).map_or(0, |c| c.leaving);
            if self.moving >= limits.moves || self.left == 0 || from >= 2 * limits.moves_per_node {
                return;
            }
            let Some(to) = self.least() else { return };
            self.decide(unit, to, Why::Drained);
        }
    }

    fn even_load(&mut self, limits: &Limits, moved: &BTreeMap<UnitId, u64>, hot: &mut BTreeMap<NodeId, u64>) {
        let all: Vec<_> = self.takers().collect();
        let Some(mean) = all.iter().map(|(_, c)| c.bytes).sum::<u64>().checked_div(all.len() as u64) else { return };
        for (id, c) in &all {
            let rounds = hot.entry(*id).or_insert(0);
            *rounds = if c.bytes * 100 > mean * limits.hot_percent { *rounds + 1 } else { 0 };
        }
        let hottest =
            all.iter().max_by_key(|(id, c)| (c.bytes, *id)).filter(|(id, _)| hot.get(id) >= Some(&limits.hot_rounds));
        let coldest = all.iter().min_by_key(|(id, c)| (c.bytes, *id));
        let (Some((from, high)), Some((to, low))) = (hottest, coldest) else { return };
        // The unit that brings the higher of both down the most.
        let after = |u: &&Unit| (high.bytes - u.bytes_per_s).max(low.bytes + u.bytes_per_s);
        let there = |u: &&Unit| u.at == Some(*from) && u.free && !moved.contains_key(&u.id);
        let best = self.view.units.iter().filter(there).min_by_key(|u| (after(u), u.id));
        let best = best.filter(|_| self.left > 0);
        if let Some(unit) = best.filter(|u| (high.bytes - after(u).min(high.bytes)) * 100 >= mean * limits.gain_percent)
        {
            self.decide(unit, *to, Why::Hot { from: high.bytes, to: low.bytes, mean });
        }
    }

    fn even_counts(&mut self, moved: &BTreeMap<UnitId, u64>) {
        while self.left > 0 {
            let most = self.takers().max_by_key(|(id, c)| (c.units, *id));
            let (Some((from, high)), Some((to, low))) = (most, self.takers().min_by_key(|(id, c)| (c.units, *id)))
            else {
                return;
            };
            if high.units < low.units + 2 {
                return;
            }
            let gone: Vec<_> = self.decisions.iter().map(|d| d.unit).collect();
            let there = |u: &&Unit| u.at == Some(from) && u.free && !moved.contains_key(&u.id) && !gone.contains(&u.id);
            // The lightest one: counts are to change, load is not.
            let Some(unit) = self.view.units.iter().filter(there).min_by_key(|u| (u.bytes_per_s, u.id)) else { return };
            self.decide(unit, to, Why::Count { from: high.units, to: low.units });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::Node;

    fn node(id: u128) -> Node {
        Node { id: NodeId(id), zone: format!("z{id}"), takes: true, leaves: false }
    }

    fn unit(part: u16, at: Option<u128>, bytes_per_s: u64) -> Unit {
        let id = UnitId { group: 1, part };
        Unit { id, at: at.map(NodeId), moving: false, free: true, bytes_per_s, warm: None }
    }

    fn view(nodes: &[u128], units: Vec<Unit>) -> View {
        View { nodes: nodes.iter().map(|n| node(*n)).collect(), units, prefer_zone: String::new() }
    }

    fn apply(view: &mut View, decisions: &[Decision]) {
        for d in decisions {
            view.units.iter_mut().find(|u| u.id == d.unit).unwrap().at = Some(d.to);
        }
    }

    fn counts(view: &View) -> Vec<usize> {
        view.nodes.iter().map(|n| view.units.iter().filter(|u| u.at == Some(n.id)).count()).collect()
    }

    #[test]
    fn what_has_no_place_goes_where_least_is_done_or_where_it_is_warm() {
        let mut v = view(&[1, 2, 3], (0..9).map(|n| unit(n, None, 10)).collect());
        v.units[8].warm = Some(NodeId(2));
        let decisions = Balancer::default().check(0, &v);
        apply(&mut v, &decisions);
        assert_eq!(counts(&v).iter().sum::<usize>(), 9);
        assert_eq!((decisions[8].to, decisions[8].why), (NodeId(2), Why::Warm));
        assert!(counts(&v).iter().all(|n| (2..=4).contains(n)), "{:?}", counts(&v));
    }

    #[test]
    fn a_node_that_takes_nothing_gets_nothing() {
        let mut v = view(&[1, 2], (0..4).map(|n| unit(n, None, 0)).collect());
        v.nodes[0].takes = false;
        let decisions = Balancer::default().check(0, &v);
        assert!(decisions.len() == 4 && decisions.iter().all(|d| d.to == NodeId(2)));
        v.nodes[1].takes = false;
        assert!(Balancer::default().check(0, &v).is_empty(), "nobody is left: everything waits");
    }

    #[test]
    fn a_drain_keeps_to_the_limits_and_ends_with_nothing() {
        let mut v = view(&[1, 2, 3], (0..100).map(|n| unit(n, Some(1), 1)).collect());
        v.nodes[0].leaves = true;
        let mut b = Balancer { limits: Limits { moves: 8, ..Limits::default() }, ..Balancer::default() };
        let mut rounds = 0;
        while counts(&v)[0] > 0 {
            let decisions = b.check(rounds, &v);
            assert!((1..=8).contains(&decisions.len()) && decisions.iter().all(|d| d.why == Why::Drained));
            apply(&mut v, &decisions);
            rounds += 1;
        }
        assert_eq!((rounds, counts(&v)), (13, vec![0, 50, 50]));
    }

    #[test]
    fn no_more_moves_begin_in_a_minute_than_may_and_what_has_no_place_does_not_wait() {
        let mut v = view(&[1, 2, 3], (0..30).map(|n| unit(n, Some(1), 1)).collect());
        v.nodes[0].leaves = true;
        let limits = Limits { moves_per_minute: 7, ..Limits::default() };
        let mut b = Balancer { limits, ..Balancer::default() };
        for at in [0, 20, 59_999, 60_000, 60_001, 119_999, 120_000] {
            let decisions = b.check(at, &v);
            assert_eq!(decisions.len(), if at % 60_000 == 0 { 7 } else { 0 }, "at {at} ms");
            apply(&mut v, &decisions);
        }
        v.units.push(unit(99, None, 0));
        assert_eq!(b.check(120_001, &v).iter().map(|d| d.why).collect::<Vec<_>>(), [Why::Unplaced]);
    }

    #[test]
    fn with_no_moves_allowed_only_places_are_given() {
        let uneven = view(&[1, 2], (0..10).map(|n| unit(n, Some(1), 100)).collect());
        let mut drained = uneven.clone();
        drained.nodes[0].leaves = true;
        drained.units.push(unit(99, None, 0));
        for limits in [Limits { moves: 0, ..Limits::default() }, Limits { moves_per_minute: 0, ..Limits::default() }] {
            let mut b = Balancer { limits, ..Balancer::default() };
            assert!((0..9).all(|n| b.balance(n * 1_000, &uneven).is_empty()), "{limits:?}");
            assert_eq!(b.check(9_000, &drained).iter().map(|d| d.why).collect::<Vec<_>>(), [Why::Unplaced]);
        }
        let limits = Limits { balance_moves: 0, ..Limits::default() };
        let mut b = Balancer { limits, ..Balancer::default() };
        assert!((0..9).all(|n| b.balance(n * 1_000, &uneven).is_empty()));
        assert_eq!(b.check(9_000, &drained).len(), 11, "a drain is no balance");
        b.limits = Limits::default();
        assert!((0..9).any(|n| !b.balance(100_000 + n, &uneven).is_empty()), "it was changed meanwhile");
    }

    #[test]
    fn counts_become_even_and_then_nothing_moves() {
        let mut v = view(&[1, 2, 3], (0..30).map(|n| unit(n, Some(1), 0)).collect());
        let mut b = Balancer::default();
        for round in 0..20 {
            let decisions = b.balance(round * 1_000, &v);
            apply(&mut v, &decisions);
        }
        assert_eq!(counts(&v), [10, 10, 10]);
        assert!(b.balance(1_000_000, &v).is_empty());
    }

    #[test]
    fn a_hot_node_gives_the_unit_that_helps_most_after_some_rounds_and_only_once() {
        let mut v = view(
            &[1, 2],
            [(1, 90), (1, 40), (2, 10), (2, 0), (1, 0)]
                .iter()
                .zip(0..)
                .map(|((at, b), n)| unit(n, Some(*at), *b))
                .collect(),
        );
        let mut b = Balancer::default();
        assert!(b.balance(0, &v).is_empty() && b.balance(1, &v).is_empty(), "it may pass");
        let decisions = b.balance(2, &v);
        assert_eq!(decisions[0].unit.part, 1, "130 and 10 become 90 and 50");
        assert_eq!(decisions[0].why.to_string(), "its node took in 130 bytes/s and the receiver 10; the mean was 70");
        apply(&mut v, &decisions);
        for round in 3..50 {
            assert!(b.balance(round, &v).is_empty(), "no move would make it better");
        }
        assert_eq!(b.history().iter().len(), 1);
    }

    #[test]
    fn nothing_is_balanced_while_something_is_on_its_way() {
        let mut v = view(&[1, 2], (0..10).map(|n| unit(n, Some(1), 0)).collect());
        v.units[0].moving = true;
        assert!(Balancer::default().balance(0, &v).is_empty());
    }

    #[test]
    fn the_preferred_zone_wins_while_it_is_not_much_worse() {
        let mut v = view(&[1, 2], vec![unit(0, Some(2), 0), unit(1, None, 0), unit(2, None, 0)]);
        v.prefer_zone = "z2".to_owned();
        let decisions = Balancer::default().check(0, &v);
        assert_eq!(decisions[0].to, NodeId(2));
        assert_eq!(decisions[1].to, NodeId(1), "two more are too many");
    }
}
