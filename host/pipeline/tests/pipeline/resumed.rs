//! A changefeed that stood still goes on with other stages: rows take other lanes than those whose progress is known.

use crate::support::{Faults, Guarantee, Layout, Version, World};
use std::time::Duration;
use tg_playground::workload::{Bank, Sysbench, Workload};

/// Runs that end in some way, each with a dispatcher of its own.
async fn flow(seed: u64, faults: Faults, crash: bool) -> World {
    let mut world = World::new(Layout { slots: 2, lanes: 4 }, true, faults).await;
    let mut workloads: Vec<Box<dyn Workload>> =
        vec![Box::new(Sysbench::new(4, 5, seed)), Box::new(Bank::new(50, seed))];
    for w in &mut workloads {
        w.prepare(world.playground.cluster()).unwrap();
    }
    for stages in 1..9 {
        let run = world.run().await;
        for _ in 0..6 {
            for w in &mut workloads {
                for _ in 0..20 {
                    w.step(world.playground.cluster()).unwrap();
                }
            }
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
        if crash {
            run.kill().await;
        } else {
            run.stop().await;
        }
        world.resume_with(Version { stages, ..Version::default() });
    }
    let end = world.now().await;
    world.until(end).await;
    let guarantee = if crash { Guarantee::AtLeastOnce } else { Guarantee::ExactlyOnce };
    world.check(end, guarantee).await;
    world
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_pause_every_row_comes_once() {
    flow(41, Faults::default(), false).await;
}

/// What may come twice is marked, so that a sink can write it so that it does no harm.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_crashes_no_row_is_missed() {
    let world = flow(42, Faults::some(42), true).await;
    let resume = world.store.inner.lock().resume.clone();
    assert_eq!(resume.counted, tg_pipeline::Counted::Same, "when all is through, lanes are believed again");
}
