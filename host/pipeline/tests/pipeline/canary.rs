//! New plugins beside the present ones: what differs is told, and nothing is done.

use crate::support::{Faults, Flaw, Guarantee, Layout, Run, Version, World};
use std::time::Duration;
use tg_pipeline::{CanaryReport, SwapError, SwapParts};
use tg_playground::workload::{Sysbench, Workload as _};

const STAGES: SwapParts = SwapParts { sink: false, stages: true };
const SINKS: SwapParts = SwapParts { sink: true, stages: false };

async fn look(version: Version, parts: SwapParts, share: u8) -> (World, Run, Result<CanaryReport, SwapError>) {
    let world = World::new(Layout { slots: 2, lanes: 2 }, true, Faults::default()).await;
    let mut load = Sysbench::new(4, 5, 61);
    load.prepare(world.playground.cluster()).unwrap();
    let run = world.run().await;
    let looking = world.canary(&run, version, parts, share);
    let working = async {
        loop {
            load.step(world.playground.cluster()).unwrap();
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let seen = tokio::select! {
        seen = looking => seen,
        () = working => panic!("the load has ended"),
    };
    (world, run, seen)
}

/// Whatever was looked at, the present plugins wrote everything.
async fn untouched(mut world: World, run: Run) {
    let end = world.now().await;
    world.reached(&run, end).await;
    run.stop().await;
    assert_eq!(world.store.inner.lock().resume.label, "0 0 false");
    world.check(end, Guarantee::ExactlyOnce).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_plugins_do_the_same() {
    for (parts, share) in [(STAGES, 100), (SINKS, 30)] {
        let (world, run, seen) = look(Version::default(), parts, share).await;
        let seen = seen.unwrap();
        assert!(seen.windows >= 20 && seen.compared > 0, "{seen:?}");
        assert_eq!((seen.differing, &seen.first, &seen.failure), (0, &None, &None));
        untouched(world, run).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_differ_and_one_is_told_how() {
    for (version, parts) in [
        (Version { stages: 1, ..Version::default() }, STAGES),
        (Version { narrow: true, ..Version::default() }, STAGES),
        (Version { sink: 1, ..Version::default() }, SINKS),
    ] {
        let (world, run, seen) = look(version, parts, 100).await;
        let seen = seen.unwrap();
        assert!(seen.differing > 0 && seen.first.is_some(), "{version:?}: {seen:?}");
        untouched(world, run).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_is_told_and_what_cannot_be_started_is_refused() {
    for (flaw, parts) in [(Flaw::Dispatch(2), STAGES), (Flaw::Write(2), SINKS)] {
        let (world, run, seen) = look(Version { flaw, ..Version::default() }, parts, 100).await;
        let failure = seen.unwrap().failure.unwrap();
        assert!(failure.contains("a flaw of this version"), "{failure}");
        untouched(world, run).await;
    }
    let bad = Version { flaw: Flaw::Open, ..Version::default() };
    let (world, run, seen) = look(bad, SINKS, 100).await;
    assert!(matches!(seen, Err(SwapError::Refused(_))), "{seen:?}");
    untouched(world, run).await;
}
