//! Figures, printed and not judged: many idle tables, and how long a row takes.

use crate::support::{Faults, Guarantee, Layout, World, small_sorter};
use std::time::{Duration, Instant};
use tg_model::Position;
use tg_playground::encode::Value;
use tg_playground::workload::{Sysbench, Workload as _};
use tg_playground::{PlaygroundConfig, TableSpec};

/// CPU of this process so far, in milliseconds.
fn cpu_ms() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|f| f.parse::<u64>().ok()).unwrap_or(0);
    (ticks(11) + ticks(12)) * 10
}

/// Some thousand tables: every one gets rows, none is lost, sinks and dispatchers forget those that are idle.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_tables() {
    let tables: i64 = std::env::var("TIDEGATE_TEST_TABLES").ok().and_then(|n| n.parse().ok()).unwrap_or(2_000);
    let config = PlaygroundConfig { regions_per_table: 1, ..PlaygroundConfig::default() };
    let layout = Layout { slots: 1, lanes: 1 };
    let mut world = World::with(layout, true, Faults::default(), small_sorter(64 << 20), config).await;
    world.playground.create_schema("m").unwrap();
    let begin = Instant::now();
    for i in 0..tables {
        let spec = TableSpec::new("m", &format!("t{i}")).column("id", "bigint").column("v", "int");
        world.playground.create_table(&spec.primary_key(&["id"])).unwrap();
    }
    let made = begin.elapsed();
    // All tables are part of the start.
    world.store.inner.lock().checkpoint = Position::ddl(world.now().await);
    let begin = Instant::now();
    let run = world.run().await;
    while run.stats.snapshot().spans_initialized < tables as u64 {
        assert!(!run.task.is_finished());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let subscribed = begin.elapsed();
    let (begin, cpu) = (Instant::now(), cpu_ms());
    tokio::time::sleep(Duration::from_secs(2)).await;
    let idle = (cpu_ms() - cpu) as f64 / begin.elapsed().as_millis() as f64;
    println!(
        "{tables} tables: made in {made:?}, subscribed in {subscribed:?}, then {:.1} % of a core (upstream included, \
         resolved-ts every {} ms, other tests beside it)",
        idle * 100.0,
        world.playground.config().resolved_interval_ms,
    );
    for round in 0..2 {
        for i in 0..tables {
            let table = world.playground.table("m", &format!("t{i}")).unwrap();
            let mut txn = world.playground.blind();
            txn.put_row(&table, &[Value::Int(round), Value::Int(1)]).unwrap();
            txn.commit().unwrap();
        }
    }
    let end = world.now().await;
    while world.store.checkpoint_now() < Position::rows(end) {
        assert!(!run.task.is_finished());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    run.stop().await;
    let (told, dropped) = {
        let state = world.down.state.lock();
        (state.schemas, state.dropped_schemas)
    };
    println!("the sink was told {told} versions and {dropped} were dropped");
    assert!(told - dropped <= tables as u64);
    world.check(end, Guarantee::ExactlyOnce).await;
}

/// From the upstream's commit to durable, at a load that leaves room. The resolved-ts of the upstream moves every 20 ms.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn latency() {
    let mut world = World::new(Layout { slots: 2, lanes: 2 }, true, Faults::default()).await;
    let mut load = Sysbench::new(4, 5, 9);
    load.prepare(world.playground.cluster()).unwrap();
    let run = world.run().await;
    world.down.state.lock().keep_arrivals = true;
    let cluster = world.playground.cluster().clone();
    tg_playground::workload::run(cluster, load, 5_000, 15_000).await.unwrap();
    let end = world.now().await;
    while world.store.checkpoint_now() < Position::rows(end) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut ms: Vec<u64> =
        world.down.state.lock().arrivals.iter().map(|(at_ms, ts)| at_ms.saturating_sub(ts.get() >> 18)).collect();
    ms.sort_unstable();
    let at = |percent: usize| ms.get(ms.len() * percent / 100).copied().unwrap_or(0);
    println!("5000 rows/s, commit to durable, per batch: p50 {} ms, p99 {} ms ({} batches)", at(50), at(99), ms.len());
    run.stop().await;
    world.check(end, Guarantee::ExactlyOnce).await;
}
