//! Transforms, targets and partitions, what sinks keep, and what they hear of the checkpoint.

use crate::support::{Faults, Guarantee, Layout, Seen, TARGETS, Version, World, passes};
use std::time::Duration;
use tg_pipeline::SwapParts;
use tg_playground::workload::{DdlStorm, Sysbench, Workload};

fn sysbench(world: &World, seed: u64) -> Sysbench {
    let mut load = Sysbench::new(4, 5, seed);
    load.prepare(world.playground.cluster()).unwrap();
    load
}

fn steps(world: &World, load: &mut Sysbench, count: u32) {
    for _ in 0..count {
        load.step(world.playground.cluster()).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transform_is_what_everyone_behind_sees() {
    let mut world = World::new(Layout { slots: 2, lanes: 2 }, true, Faults::default()).await;
    world.version.narrow = true;
    world.expected = passes;
    let mut load = sysbench(&world, 51);
    let mut storm = DdlStorm::new(3, 51);
    storm.prepare(world.playground.cluster()).unwrap();
    let mut run = world.run().await;
    for round in 0..60 {
        load.step(world.playground.cluster()).unwrap();
        storm.step(world.playground.cluster()).unwrap();
        if round % 20 == 10 {
            run.kill().await;
            run = world.run().await;
        }
    }
    let end = world.now().await;
    world.reached(&run, end).await;
    run.stop().await;
    world.check(end, Guarantee::ExactlyOnce).await;
    let table = world.playground.table("sbtest", "sbtest1").unwrap();
    let state = world.down.state.lock();
    let columns = state.columns[&tg_model::TableId(table.id)];
    assert_eq!(columns, table.columns.len() - 1, "the last column is not to arrive");
    let ddls = state.log.iter().filter_map(|s| if let Seen::Ddl { query, .. } = s { Some(query) } else { None });
    assert!(ddls.clone().count() > 0 && ddls.clone().all(|q| q.starts_with("/* narrow */")), "a DDL passed it by");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transform_can_come_and_go() {
    let world = World::new(Layout { slots: 2, lanes: 2 }, true, Faults::default()).await;
    let mut load = sysbench(&world, 52);
    let run = world.run().await;
    let table = world.playground.table("sbtest", "sbtest1").unwrap();
    for narrow in [true, false, true] {
        let stages = SwapParts { stages: true, sink: false };
        world.swap(&run, Version { narrow, ..Version::default() }, stages, Duration::ZERO).await.unwrap();
        steps(&world, &mut load, 30);
        let now = world.now().await;
        world.reached(&run, now).await;
        let columns = world.down.state.lock().columns[&tg_model::TableId(table.id)];
        assert_eq!(columns, table.columns.len() - usize::from(narrow));
    }
    run.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn targets_and_partitions_reach_the_sink() {
    let mut world = World::new(Layout { slots: 2, lanes: 2 }, true, Faults::default()).await;
    let mut load = sysbench(&world, 53);
    let run = world.run().await;
    steps(&world, &mut load, 40);
    let end = world.now().await;
    world.reached(&run, end).await;
    run.stop().await;
    world.check(end, Guarantee::ExactlyOnce).await;
    let state = world.down.state.lock();
    assert_eq!(state.targets.iter().collect::<Vec<_>>(), [&TARGETS.map(str::to_owned).to_vec()]);
    // A target has as many partitions as its name has letters.
    for (target, name) in TARGETS.iter().enumerate() {
        let partitions = state.routes.iter().filter(|(t, _)| usize::from(*t) == target).map(|(_, p)| *p);
        assert_eq!(partitions.clone().max(), Some(name.len() as u32 - 1), "{name}");
    }
}

/// Every sink counts its rows and keeps the count: over crashes, swaps and traps each row is in it once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_sink_keeps_goes_with_its_rows() {
    let mut world = World::new(Layout { slots: 2, lanes: 2 }, false, Faults::some(54)).await;
    let mut load = sysbench(&world, 54);
    let mut run = world.run().await;
    for round in 0..60 {
        steps(&world, &mut load, 3);
        tokio::time::sleep(Duration::from_millis(10)).await;
        if run.task.is_finished() {
            run = world.again(run).await;
        }
        if round % 10 == 3 {
            let sinks = SwapParts { sink: true, stages: false };
            let version = Version { sink: round, warm: round % 20 == 3, ..Version::default() };
            drop(world.swap(&run, version, sinks, Duration::from_millis(5)).await);
        }
        if round % 10 == 7 {
            run.kill().await;
            run = world.run().await;
        }
    }
    run.kill().await;
    let end = world.now().await;
    world.until(end).await;
    world.check(end, Guarantee::AtLeastOnce).await;
    let rows = world.reference.upto(end).await.len() as u64;
    let resume = world.store.inner.lock().resume.clone();
    let counted = resume.lanes.iter().map(|l| u64::from_le_bytes(l.state.as_ref().try_into().unwrap())).sum::<u64>();
    assert_eq!(counted, rows);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_executor_hears_of_the_checkpoint() {
    let mut world = World::new(Layout { slots: 2, lanes: 2 }, true, Faults::default()).await;
    let mut load = sysbench(&world, 55);
    let run = world.run().await;
    for _ in 0..25 {
        load.step(world.playground.cluster()).unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let end = world.now().await;
    world.reached(&run, end).await;
    run.stop().await;
    world.check(end, Guarantee::ExactlyOnce).await;
    let told = world.down.state.lock().checkpoints.clone();
    assert!(told.len() > 1 && told.is_sorted(), "{told:?}");
    let stored = world.store.inner.lock().stored.clone();
    assert!(told.iter().all(|at| stored.iter().any(|(s, _)| s == at)), "a checkpoint was told and never stored");
    assert!(told.len() < stored.len(), "once a second, not with every checkpoint");
}
