//! Sync points: moments at which the downstream is the upstream at one ts, also over crashes, schema changes and failing sinks.

use crate::support::{Faults, Guarantee, Layout, Seen, World};
use std::collections::BTreeSet;
use std::time::Duration;
use tg_model::Ts;
use tg_playground::workload::{Bank, DdlStorm, Sysbench, Workload};

/// Far below what a user may ask for, so that there are many of them.
const EVERY_MS: u64 = 150;

fn marked(world: &World) -> BTreeSet<Ts> {
    let state = world.down.state.lock();
    let marks = state.log.iter().filter_map(|s| if let Seen::Syncpoint(ts) = s { Some(*ts) } else { None });
    marks.collect()
}

async fn flow(seed: u64, faults: Faults, crash: bool) {
    let mut world = World::new(Layout { slots: 3, lanes: 2 }, true, faults).await;
    world.syncpoint_ms = EVERY_MS;
    let begin = world.store.checkpoint_now().ts;
    let mut workloads: Vec<Box<dyn Workload>> =
        vec![Box::new(Sysbench::new(4, 5, seed)), Box::new(Bank::new(50, seed)), Box::new(DdlStorm::new(3, seed))];
    for w in &mut workloads {
        w.prepare(world.playground.cluster()).unwrap();
    }
    for _ in 0..6 {
        let run = world.run().await;
        for _ in 0..20 {
            for w in &mut workloads {
                for _ in 0..4 {
                    w.step(world.playground.cluster()).unwrap();
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        if crash {
            run.kill().await;
        } else {
            run.stop().await;
        }
    }
    let end = world.now().await;
    world.until(end).await;
    world.check(end, Guarantee::ExactlyOnce).await;
    let marked = marked(&world);
    assert!(
        marked.iter().all(|ts| ts.physical_ms() % EVERY_MS == 0 && ts.logical() == 0),
        "at multiples of the interval"
    );
    let first = begin.physical_ms() / EVERY_MS + 1;
    let wanted: Vec<u64> = (first..=end.physical_ms() / EVERY_MS).collect();
    let there: Vec<u64> =
        marked.iter().map(|ts| ts.physical_ms() / EVERY_MS).filter(|n| *n <= wanted[wanted.len() - 1]).collect();
    assert_eq!(there, wanted, "none is left out");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_is_a_cut_of_the_whole_changefeed() {
    flow(51, Faults::default(), false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn they_are_cuts_over_crashes_and_failing_sinks() {
    flow(52, Faults::some(52), true).await;
}
