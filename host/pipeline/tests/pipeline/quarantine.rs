//! Rows that nobody takes: put aside one by one, durable before any checkpoint passes them, and all others go on.

use crate::support::{Faults, Guarantee, Layout, Version, World};
use std::sync::Arc;
use std::time::Duration;
use tg_model::Coded as _;
use tg_pipeline::{FileQuarantine, Kept, QuarantineLimits, RowData, SwapParts};
use tg_playground::TableSpec;
use tg_playground::encode::Value;
use tgr1::BatchBuf;

const LIMITS: QuarantineLimits = QuarantineLimits { per_hour: QuarantineLimits::PER_HOUR };

async fn world() -> World {
    let mut world = World::new(Layout { slots: 1, lanes: 2 }, true, Faults::default()).await;
    world.quarantine = Some(FileQuarantine::open(&world.dir.path().join("aside"), LIMITS).unwrap());
    world.playground.create_schema("q").unwrap();
    let spec = TableSpec::new("q", "t").column("id", "bigint").column("v", "varchar(64)").primary_key(&["id"]);
    world.playground.create_table(&spec).unwrap();
    world
}

/// One transaction, so that many rows come in one batch.
fn put(world: &World, ids: impl Iterator<Item = i64>) {
    let table = world.playground.table("q", "t").unwrap();
    let mut txn = world.playground.blind();
    for id in ids {
        txn.put_row(&table, &[Value::Int(id), Value::from("v")]).unwrap();
    }
    txn.commit().unwrap();
}

fn kept(world: &World) -> Vec<(i64, Kept)> {
    let rows = world.quarantine.as_ref().unwrap().list(0, 1_000).unwrap();
    let id = |k: &Kept| match &k.row.data {
        RowData::Batch { batch, version } => {
            assert_eq!((version.schema.as_str(), version.name.as_str()), ("q", "t"));
            let batch = BatchBuf::new(batch.clone()).unwrap();
            assert_eq!(batch.len(), 1);
            batch.batch().row(0).unwrap().current().unwrap().i64(0).unwrap()
        }
        RowData::Raw { .. } => -1,
    };
    let mut rows: Vec<_> = rows.into_iter().map(|k| (id(&k), k)).collect();
    rows.sort_by_key(|(id, _)| *id);
    rows
}

async fn all_but(world: &mut World, run: crate::support::Run, expected: fn(i64) -> bool) {
    let end = world.now().await;
    world.reached(&run, end).await;
    run.stop().await;
    world.expected = expected;
    world.check(end, Guarantee::ExactlyOnce).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_a_sink_or_dispatcher_refuses_are_put_aside() {
    let mut world = world().await;
    world.down.poison.lock().unwanted.extend([7, 300]);
    world.down.poison.lock().undecided.insert(8);
    let run = world.run().await;
    put(&world, 0..400);
    all_but(&mut world, run, |id| ![7, 8, 300].contains(&id)).await;
    let rows = kept(&world);
    let seen: Vec<_> = rows.iter().map(|(id, k)| (*id, k.row.code.as_str(), k.row.by.as_str())).collect();
    assert_eq!(seen, [(7, "unwanted", "sink"), (8, "undecided", "dispatcher"), (300, "unwanted", "sink")]);
    assert!(rows.iter().all(|(_, k)| k.row.commit_ts > k.row.start_ts && k.row.lane.is_some() == (k.row.by == "sink")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_stop_a_plugin_again_and_again_are_found_and_put_aside() {
    let mut world = world().await;
    world.down.poison.lock().sink.extend([11, 12, 900]);
    world.down.poison.lock().dispatcher.insert(555);
    let run = world.run().await;
    put(&world, 0..1_000);
    put(&world, 1_000..1_100);
    let stats = Arc::clone(&run.stats);
    all_but(&mut world, run, |id| ![11, 12, 900, 555].contains(&id)).await;
    let rows = kept(&world);
    assert_eq!(rows.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [11, 12, 555, 900]);
    assert!(rows.iter().all(|(_, k)| k.row.code == "TG-2020" && k.row.message.contains("poison")), "{rows:?}");
    let stops = stats.snapshot().plugin_stops;
    assert!(stops <= 4 * 12, "{stops} stops to find 4 of 1000 rows");
    assert_eq!(stats.snapshot().rows_quarantined, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_stop_a_flush_are_found_and_put_aside() {
    let mut world = world().await;
    world.down.poison.lock().flush.extend([0, 700, 1_050]);
    let run = world.run().await;
    put(&world, 0..1_000);
    (1_000..1_100).for_each(|id| put(&world, std::iter::once(id)));
    let stats = Arc::clone(&run.stats);
    all_but(&mut world, run, |id| ![0, 700, 1_050].contains(&id)).await;
    let rows = kept(&world);
    assert_eq!(rows.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [0, 700, 1_050]);
    assert!(rows.iter().all(|(_, k)| k.row.code == "TG-2020" && k.row.by == "recorder"), "{rows:?}");
    let stops = stats.snapshot().plugin_stops;
    assert!(stops <= 3 * (2 * 10 + 6), "{stops} stops to find 3 of 1100 rows");
}

/// The search leaves lanes at places within windows and transactions: from each of them a run goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_stops_a_flush_is_searched_for_over_crashes() {
    let mut world = world().await;
    world.down.poison.lock().flush.extend([77, 300]);
    let mut run = world.run().await;
    put(&world, 0..200);
    (200..400).for_each(|id| put(&world, std::iter::once(id)));
    let mut inside = 0;
    for pause_ms in (0..300).step_by(15) {
        tokio::time::sleep(Duration::from_millis(pause_ms)).await;
        run.kill().await;
        inside += u64::from(world.down.state.lock().durable.values().any(|at| at.seq > 0));
        run = world.run().await;
    }
    assert!(inside > 0, "no run was killed with a lane inside a transaction");
    all_but(&mut world, run, |id| ![77, 300].contains(&id)).await;
    assert_eq!(kept(&world).iter().map(|(id, _)| *id).collect::<Vec<_>>(), [77, 300]);
}

/// What stops over every row is not the rows' fault: the quarantine is not filled, the run ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sink_that_cannot_flush_at_all_puts_few_rows_aside_and_ends_the_run() {
    let world = world().await;
    world.down.poison.lock().flush.extend(0..50);
    let run = world.run().await;
    put(&world, 0..50);
    let ended = run.task.await.unwrap().unwrap_err();
    assert!(ended.is_retryable() && ended.code().0 == 2020, "{ended}");
    let aside: Vec<i64> = kept(&world).iter().map(|(id, _)| *id).collect();
    assert!(aside.len() <= 2 * 3, "two lanes put {aside:?} aside");
    world.down.poison.lock().flush.clear();
    let end = world.now().await;
    world.until(end).await;
    let there = world.down.state.lock().rows.len();
    assert_eq!(there + aside.len(), 50, "each row is there or aside");
}

/// A crash between the quarantine and the flush puts the row aside once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_is_put_aside_before_its_lane_moves_and_once_over_crashes() {
    let mut world = world().await;
    world.down.poison.lock().unwanted.insert(5);
    world.down.flush_gate.send_replace(false);
    let mut run = world.run().await;
    put(&world, 0..10);
    for _ in 0..3 {
        while world.quarantine.as_ref().unwrap().count() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(world.down.state.lock().rows_durable, 0, "rows are durable");
        run.kill().await;
        run = world.run().await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    world.down.flush_gate.send_replace(true);
    all_but(&mut world, run, |id| id != 5).await;
    assert_eq!(kept(&world).len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_place_or_beyond_the_limit_the_run_ends_and_nothing_is_lost() {
    for (limit, code) in [(None, 4003), (Some(0), 4010)] {
        let mut world = world().await;
        let path = world.dir.path().join("little");
        world.quarantine = limit.map(|per_hour| FileQuarantine::open(&path, QuarantineLimits { per_hour }).unwrap());
        world.down.poison.lock().unwanted.extend([3, 4, 5]);
        let run = world.run().await;
        put(&world, 0..10);
        let ended = run.task.await.unwrap().unwrap_err();
        assert_eq!(ended.code().0, code, "{ended}");
        assert!(!ended.is_retryable());
        world.down.poison.lock().unwanted.clear();
        let end = world.now().await;
        world.until(end).await;
        world.check(end, Guarantee::ExactlyOnce).await;
    }
}

/// A new version that refuses rows is not given the quarantine to fill: what is on probation goes back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_swapped_sink_that_traps_is_taken_back_and_no_row_is_put_aside() {
    let mut world = world().await;
    let run = world.run().await;
    put(&world, 0..100);
    let flaw = crate::support::Flaw::Write(1);
    let bad = Version { sink: 1, flaw, ..Version::default() };
    let sinks = SwapParts { sink: true, stages: false };
    world.swap(&run, bad, sinks, Duration::from_secs(60)).await.unwrap();
    put(&world, 100..200);
    all_but(&mut world, run, |_| true).await;
    assert_eq!(kept(&world).len(), 0);
}

/// What is wanted after all is written once more, in its lane or through the stages again; what still is not wanted stays.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_are_replayed() {
    let world = world().await;
    world.down.poison.lock().unwanted.extend([7, 9]);
    world.down.poison.lock().undecided.insert(8);
    let run = world.run().await;
    put(&world, 0..100);
    let now = world.now().await;
    world.reached(&run, now).await;
    world.down.poison.lock().unwanted.remove(&7);
    world.down.poison.lock().undecided.clear();
    let quarantine = world.quarantine.clone().unwrap();
    for (id, kept) in kept(&world) {
        let replayed = run.control.replay(kept.row.clone()).await;
        assert_eq!(replayed.is_ok(), id != 9, "{id}: {replayed:?}");
        if replayed.is_ok() {
            quarantine.drop_row(kept.id).unwrap();
        }
    }
    let table = world.playground.table("q", "t").unwrap();
    let has = |id: i64| world.down.state.lock().rows.contains_key(&(tg_model::TableId(table.id), id));
    assert!(has(7) && has(8) && !has(9));
    assert_eq!(kept(&world).iter().map(|(id, _)| *id).collect::<Vec<_>>(), [9]);
    put(&world, 100..200);
    let end = world.now().await;
    world.reached(&run, end).await;
    run.stop().await;
    assert_eq!(world.down.state.lock().rows.len(), 199);
}

/// What cannot be decoded is put aside as it came, where that is wanted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_cannot_be_mounted_are_put_aside_as_they_came() {
    let mut world = world().await;
    let run = world.run().await;
    put(&world, 0..10);
    let table = world.playground.table("q", "t").unwrap();
    let mut txn = world.playground.blind();
    let key = txn.put_row(&table, &[Value::Int(10), Value::from("v")]).unwrap();
    txn.put(key.clone(), bytes::Bytes::from_static(b"\x80\0\xff\xff"));
    txn.commit().unwrap();
    put(&world, 11..20);
    all_but(&mut world, run, |id| id != 10).await;
    let rows = kept(&world);
    assert_eq!(rows.len(), 1, "{rows:?}");
    let Kept { row, .. } = &rows[0].1;
    assert_eq!((row.by.as_str(), row.lane, row.name.as_str()), ("mounter", None, "t"));
    assert!(matches!(&row.data, RowData::Raw { key: k, value, .. } if *k == key && value.len() == 4), "{row:?}");
    let again = world.run().await;
    let replayed = again.control.replay(row.clone()).await;
    assert!(matches!(replayed, Err(tg_pipeline::ReplayError::Raw)), "{replayed:?}");
    again.stop().await;
}
