//! How long things take, in virtual time: the bounds that the protocol's times promise.

use tg_cluster::{Fence, timing};
use tg_simulator::measure::{capture_crash, lease};

const RUNS: u64 = 40;

#[test]
fn a_lease_is_taken_over_within_the_sum_of_its_bounds() {
    let Fence::Lease { inflight } = lease().fence else { unreachable!("it is what `lease` is") };
    let found = capture_crash(RUNS, lease(), false);
    let most = timing::lease_takeover_max(inflight) as f64 / 1e3;
    assert!(found.runs > 30 && found.max <= most, "{found:?}, and at most {most} ms");
    assert!(found.max <= 3_000.0, "{found:?}");
}
