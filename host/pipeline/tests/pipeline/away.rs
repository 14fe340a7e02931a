//! A changefeed whose slots are in several places is the changefeed it would be in one.

use crate::support::{Faults, Guarantee, Layout, Seen, Wire, World};
use std::time::Duration;
use tg_playground::TableSpec;
use tg_playground::encode::Value;
use tg_playground::workload::{Bank, DdlStorm, Sysbench, Wide, Workload};

fn workloads(seed: u64) -> Vec<Box<dyn Workload>> {
    vec![
        Box::new(Sysbench::new(6, 5, seed)),
        Box::new(Bank::new(50, seed)),
        Box::new(Wide::new(seed)),
        Box::new(DdlStorm::new(4, seed)),
    ]
}

/// Rows and DDLs in slots here and elsewhere; how often a run ended.
async fn flow(seed: u64, wire: Wire, faults: Faults, rounds: u32) -> u32 {
    let mut world = World::new(Layout { slots: 4, lanes: 2 }, true, faults).await;
    world.away = Some(wire);
    let mut workloads = workloads(seed);
    for w in &mut workloads {
        w.prepare(world.playground.cluster()).unwrap();
    }
    let mut run = world.run().await;
    let mut ended = 0;
    for _ in 0..rounds {
        for w in &mut workloads {
            for _ in 0..20 {
                w.step(world.playground.cluster()).unwrap();
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        if run.task.is_finished() {
            run = world.again(run).await;
            ended += 1;
        }
    }
    let counted = run.stats.snapshot();
    run.stop().await;
    world.away = Some(Wire::Holds);
    let end = world.now().await;
    world.until(end).await;
    world.check(end, Guarantee::ExactlyOnce).await;
    if ended == 0 {
        let seen = world.down.state.lock().log.iter().filter(|s| matches!(s, Seen::Row { .. })).count() as u64;
        let share = counted.rows_durable * 2 > seen && counted.rows_durable <= seen;
        assert!(share, "what is counted elsewhere counts: {} of {seen}", counted.rows_durable);
    }
    ended
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calm() {
    assert_eq!(flow(31, Wire::Holds, Faults::default(), 15).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_sinks_that_fail() {
    flow(32, Wire::Holds, Faults::some(32), 20).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_wires_that_break_under_writers_that_do_not_notice() {
    let ended = flow(33, Wire::BreaksAfter(Duration::from_millis(120)), Faults::default(), 40).await;
    assert!(ended >= 3, "{ended} runs ended by a broken wire");
}

/// Partitions of one table are spans of one slot, and share the table's version, also when it came over a wire for each of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_with_partitions() {
    let mut world = World::new(Layout { slots: 2, lanes: 2 }, true, Faults::default()).await;
    world.away = Some(Wire::Holds);
    world.playground.create_schema("s").unwrap();
    let names = ["p0", "p1", "p2", "p3"];
    let run = world.run().await;
    for name in names {
        let spec = TableSpec::new("s", name).column("id", "bigint").column("v", "varchar(64)").primary_key(&["id"]);
        world.playground.create_table(&spec.hash_partitions(4)).unwrap();
    }
    for round in 0..20 {
        for name in names {
            let table = world.playground.table("s", name).unwrap();
            let mut txn = world.playground.blind();
            for id in 0..16 {
                txn.put_row(&table, &[Value::Int(round * 7 + id), Value::from("v")]).unwrap();
            }
            txn.commit().unwrap();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let end = world.now().await;
    world.reached(&run, end).await;
    run.stop().await;
    for name in names {
        world.same_rows("s", name, end);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_swap_is_refused_and_changes_nothing() {
    use crate::support::Version;
    use tg_pipeline::{PipelineError, SwapError, SwapParts};
    let mut world = World::new(Layout { slots: 2, lanes: 2 }, true, Faults::default()).await;
    world.away = Some(Wire::Holds);
    let mut bank = Bank::new(50, 34);
    bank.prepare(world.playground.cluster()).unwrap();
    let run = world.run().await;
    let parts = SwapParts { sink: true, stages: true };
    let other = Version { sink: 1, ..Version::default() };
    match world.swap(&run, other, parts, Duration::ZERO).await {
        Err(SwapError::Refused(why)) => assert!(matches!(*why, PipelineError::Spread), "{why}"),
        other => panic!("{other:?}"),
    }
    for _ in 0..50 {
        bank.step(world.playground.cluster()).unwrap();
    }
    let end = world.now().await;
    world.reached(&run, end).await;
    run.stop().await;
    world.check(end, Guarantee::ExactlyOnce).await;
}
