//! One run from its start to its judgement.

use crate::scenario::Scenario;
use crate::trace::Trace;
use crate::world::{Counts, World};
use std::panic::{AssertUnwindSafe, catch_unwind};
use tg_cluster::Rules;

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
        if world.violation.is_none()
            && let Err(e) = world.settled()
        {
            world.violation = Some(format!("long after the last fault: {e}"));
        }
    }));
    if let Err(panic) = ended {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned())).unwrap_or_default();
        world.violation = Some(format!("an assertion failed: {text}"));
    }
    Outcome { violation: world.violation.take().map(|v| (world.now, v)), counts: world.counts }
}
