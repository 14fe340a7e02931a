//! Memory is a bound: large transactions, large rows, slow sinks, many tables.

use crate::support::{Faults, Guarantee, Layout, World, small_sorter};
use std::time::Duration;
use tg_model::Position;
use tg_playground::encode::Value;
use tg_playground::{PlaygroundConfig, TableSpec};

const MIB: usize = 1 << 20;

fn spec(schema: &str, name: &str) -> TableSpec {
    TableSpec::new(schema, name).column("id", "bigint").column("v", "longtext").primary_key(&["id"])
}

fn rss_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|n| n.parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// One transaction of 200 MB through a sorter of 32 MB, with crashes inside it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_huge_transaction_with_crashes_inside() {
    const ROWS: i64 = 200_000;
    let layout = Layout { slots: 1, lanes: 3 };
    let sorter = small_sorter(32 * MIB);
    let mut world = World::with(layout, true, Faults::default(), sorter, PlaygroundConfig::default()).await;
    world.down.state.lock().keep_rows = false;
    world.playground.create_schema("h").unwrap();
    world.playground.create_table(&spec("h", "huge")).unwrap();
    let table = world.playground.table("h", "huge").unwrap();
    let mut run = world.run().await;
    tg_playground::workload::huge_txn(world.playground.cluster(), &table, ROWS, 1_000).await.unwrap();
    let end = world.now().await;
    let durable = || world.down.state.lock().rows_durable;
    for part in 1..4 {
        while durable() < part * ROWS as u64 / 4 {
            assert!(!run.task.is_finished(), "{:?}", run.task.await);
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        run.kill().await;
        run = world.run().await;
    }
    while world.store.checkpoint_now() < Position::rows(end) {
        assert!(!run.task.is_finished(), "{:?}", run.task.await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    run.stop().await;
    let usage = world.sorters.usage();
    println!("200 MB in one transaction: sorter peak {} MiB, process {} MiB", usage.memory_peak_bytes / MIB, rss_mib());
    // Feeds hold what they were given until the sorter takes it, and a push is taken whole.
    assert!(usage.memory_peak_bytes < 48 * MIB, "{usage:?}");
    assert!(world.down.state.lock().inside > 3, "no lane was durable inside the transaction");
    world.check(end, Guarantee::ExactlyOnce).await;
}

/// A batch holds 16 MiB: rows that do not fit beside others go to the next window.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_batch_is_cut_and_the_row_goes_to_the_next() {
    let mut world = World::new(Layout { slots: 1, lanes: 2 }, true, Faults::default()).await;
    world.playground.create_schema("h").unwrap();
    world.playground.create_table(&spec("h", "big")).unwrap();
    let table = world.playground.table("h", "big").unwrap();
    let put = |id: i64, len: usize| {
        let mut txn = world.playground.blind();
        txn.put_row(&table, &[Value::Int(id), Value::from("x".repeat(len))]).unwrap();
        txn.commit().unwrap();
    };
    put(0, 7 * MIB);
    let before = world.now().await;
    world.until(before).await;
    let run = world.run().await;
    world.playground.set_resolved_frozen(true);
    for id in 1..20 {
        put(id, 100 << 10);
    }
    // Both images of the update are 14 MiB; what lies before it in the window is close to 2.
    put(0, 7 * MIB + 1);
    let end = world.now().await;
    world.playground.set_resolved_frozen(false);
    while world.store.checkpoint_now() < Position::rows(end) {
        assert!(!run.task.is_finished(), "{:?}", run.task.await);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    run.stop().await;
    world.check(end, Guarantee::ExactlyOnce).await;
    world.same_rows("h", "big", end);
}

/// With a sink that stands still, windows stop being cut at the named bound.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sink_that_stands_still_holds_the_windows_bound() {
    const BOUND: u64 = 64 << 20;
    let layout = Layout { slots: 2, lanes: 2 };
    let mut world = World::new(layout, true, Faults::default()).await;
    world.down.state.lock().keep_rows = false;
    world.down.flush_gate.send_replace(false);
    world.playground.create_schema("h").unwrap();
    for t in 0..4 {
        world.playground.create_table(&spec("h", &format!("t{t}"))).unwrap();
    }
    let run = world.run().await;
    for i in 0..1_000i64 {
        let table = world.playground.table("h", &format!("t{}", i % 4)).unwrap();
        let mut txn = world.playground.blind();
        for row in 0..10 {
            txn.put_row(&table, &[Value::Int(i * 10 + row), Value::from("x".repeat(10_000))]).unwrap();
        }
        txn.commit().unwrap();
        if i % 50 == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    let end = world.now().await;
    let mut last = (u64::MAX, 0);
    // Until nothing moves any more.
    while last.1 < 20 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let out = run.stats.snapshot().bytes_out;
        last = if out == last.0 { (out, last.1 + 1) } else { (out, 0) };
    }
    println!("in flight with a sink that stands still: {} MiB", last.0 >> 20);
    assert!(last.0 > BOUND / 4, "the test did not reach the bound: {}", last.0);
    assert!(last.0 < BOUND + 2 * (3 << 20), "{} bytes are in flight", last.0);
    world.down.flush_gate.send_replace(true);
    while world.store.checkpoint_now() < Position::rows(end) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    run.stop().await;
    world.check(end, Guarantee::ExactlyOnce).await;
}
