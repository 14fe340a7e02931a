//! One run from its start to its judgement.

use crate::scenario::{SEC, Scenario};
use crate::trace::Trace;
use crate::world::{Counts, World};
use std::panic::{AssertUnwindSafe, catch_unwind};
use tg_cluster::Rules;

/// More time for a backlog, at once and how often.
const EXTRA: u64 = 5 * SEC;
const EXTRA_MAX: u64 = 12;

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What went wrong, and when, in microseconds.
    pub violation: Option<(u64, String)>,
    /// What happened.
    pub counts: Counts,
}

/// Runs a scenario. An assertion of the state machines counts as a violation.
#[must_use]
pub fn run(scenario: &Scenario, rules: Rules, trace: Trace) -> Outcome {
    let mut world = World::new(scenario, rules, trace);
    let ended = catch_unwind(AssertUnwindSafe(|| {
        world.run_until(scenario.end);
        settle(&mut world, scenario.end);
    }));
    if let Err(panic) = ended {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned())).unwrap_or_default();
        world.violation = Some(format!("an assertion failed: {text}"));
    }
    Outcome { violation: world.violation.take().map(|v| (world.now, v)), counts: world.counts }
}

/// Everything has to be done at the end. Whoever still has a backlog gets more time while it shrinks.
fn settle(world: &mut World, end: u64) {
    for extra in 1..=EXTRA_MAX {
        let Err(why) = world.settled() else { return };
        let before = world.checkpoints();
        world.run_until(end + extra * EXTRA);
        if world.violation.is_some() {
            return;
        }
        if before == world.checkpoints() {
            world.violation = Some(format!("long after the last fault: {why}"));
        }
    }
}
