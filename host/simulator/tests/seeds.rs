//! Whole clusters, from seeds: fixed ones, fresh ones, and every rule of the protocol taken out in turn.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::{SystemTime, UNIX_EPOCH};
use tg_cluster::{Rule, Rules};
use tg_simulator::{Scenario, Trace, run};

const FIXED: u64 = 400;
const FRESH: u64 = 400;
/// A rule that random runs are to miss is missed within so many seeds.
const MUTATION_SEEDS: u64 = 1_500;

/// Seeds that once showed a defect.
const KNOWN: [u64; 18] =
    [17, 22, 27, 149, 292, 346, 967, 1189, 1908, 3024, 3184, 4684, 5273, 1433, 21291, 25981, 64463, 98639];

/// Rules that hand-made histories show to matter, in `tests/directed`: others mask them, or the trouble they prevent takes a rare
/// meeting of faults.
const DIRECTED: [Rule; 18] = [
    Rule::WaitAfterRevoke,
    Rule::DropWhenUnregistered,
    Rule::AbsenceNeedsAck,
    Rule::EpochsRise,
    Rule::DigestMatches,
    Rule::IncarnationChecked,
    Rule::ResendByEpoch,
    Rule::PreVote,
    Rule::MembersNeedDdls,
    Rule::InFlightGrace,
    Rule::NoOtherHolder,
    Rule::GrantsBounded,
    Rule::OnlyStoppedReleases,
    Rule::NewestTenureCounts,
    Rule::OwnEpochCounts,
    Rule::ReportsOfThisTenure,
    Rule::AbsenceCarried,
    Rule::SuspicionAdapts,
];

fn holds(seed: u64) {
    let outcome = run(&Scenario::of(seed), Rules::default(), Trace::Off);
    if let Some((at, what)) = outcome.violation {
        panic!("seed {seed} at {at} us: {what}\n  cargo run -p tg-simulator -- --seed {seed} --trace");
    }
}

#[test]
fn fixed_seeds_hold() {
    (0..FIXED).for_each(holds);
    KNOWN.into_iter().for_each(holds);
}

#[test]
fn fresh_seeds_hold() {
    let first = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() * FRESH;
    println!("fresh seeds {first}..{}", first + FRESH);
    (first..first + FRESH).for_each(holds);
}

#[test]
fn a_run_is_a_function_of_its_seed() {
    let twice = [0, 1].map(|_| {
        let o = run(&Scenario::of(77), Rules::default(), Trace::Off);
        (o.counts.events, o.counts.takeovers, o.counts.activations, o.counts.statements)
    });
    assert_eq!(twice[0], twice[1]);
}

/// Takes each rule out and looks for a seed that notices.
#[test]
fn every_rule_that_random_runs_need_is_missed() {
    for rule in Rule::ALL.into_iter().filter(|r| !DIRECTED.contains(r)) {
        let caught = (0..MUTATION_SEEDS)
            .find(|seed| run(&Scenario::of(*seed), Rules::without(rule), Trace::Off).violation.is_some());
        println!("{rule:?}: seed {caught:?}");
        assert!(caught.is_some(), "without {rule:?} nothing goes wrong in {MUTATION_SEEDS} seeds");
    }
}
