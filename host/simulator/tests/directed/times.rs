//! How long things take, in virtual time: the bounds that the protocol's times promise.

use tg_cluster::{Fence, Rule, Rules, timing};
use tg_simulator::measure::{absence, capture_crash, lease, needless_moves, token};

const RUNS: u64 = 40;

#[test]
fn a_lease_is_taken_over_within_the_sum_of_its_bounds() {
    let Fence::Lease { inflight } = lease().fence else { unreachable!("it is what `lease` is") };
    let found = capture_crash(RUNS, lease(), false, Rules::default());
    let most = timing::lease_takeover_max(inflight) as f64 / 1e3;
    assert!(found.runs > 30 && found.max <= most, "{found:?}, and at most {most} ms");
    assert!(found.max <= 3_000.0, "{found:?}");
}

#[test]
fn an_absence_is_counted_on_by_the_next_owners() {
    const AWAY_MAX: u64 = 3_000_000;
    // Its silence has to be noticed first, and its slots have to begin elsewhere.
    let most = (AWAY_MAX + timing::CAPTURE_DOWN) as f64 / 1e3 + 500.0;
    for owners in 0..=2 {
        let found = absence(RUNS / 2, AWAY_MAX, owners, Rules::default());
        assert!(found.runs > 15 && found.max <= most, "{owners} owners died: {found:?}, and at most {most} ms");
        assert!(found.p50 >= AWAY_MAX as f64 / 1e3, "it is waited for: {found:?}");
    }
    // Counted from zero, the first half is lost.
    let found = absence(RUNS / 2, AWAY_MAX, 1, Rules::without(Rule::AbsenceCarried));
    assert!(found.runs > 15 && found.p50 > most, "{found:?}");
}

#[test]
fn a_capture_that_is_heard_late_again_and_again_keeps_what_it_has() {
    for sink in [token(), lease()] {
        let adapts = needless_moves(RUNS / 4, sink, Rules::default());
        let fixed = needless_moves(RUNS / 4, sink, Rules::without(Rule::SuspicionAdapts));
        println!("{:?}: {adapts} needless moves, {fixed} with fixed suspicion", sink.fence);
        assert!(adapts * 2 < fixed, "{:?}: {adapts} needless moves, {fixed} with fixed suspicion", sink.fence);
    }
}

#[test]
fn on_calm_links_a_crash_is_noticed_as_if_suspicion_were_fixed() {
    let times = |rules| {
        let found = capture_crash(RUNS, token(), false, rules);
        (found.p50, found.p99, found.max, found.runs)
    };
    let adapts = times(Rules::default());
    assert_eq!(adapts, times(Rules::without(Rule::SuspicionAdapts)));
    // Its slots are prepared elsewhere, which takes up to 200 ms here, and begin.
    let most = (timing::CAPTURE_DOWN + timing::TICK + timing::BEGIN_CALM) as f64 / 1e3 + 200.0;
    assert!(adapts.2 <= most && adapts.3 > 30, "{adapts:?}, and at most {most} ms");
}
