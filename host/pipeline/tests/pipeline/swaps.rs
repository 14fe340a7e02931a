//! Plugins that are swapped while rows flow: nothing lost, nothing twice, in order; and back, when the new ones fail.

use crate::support::{Faults, Flaw, Guarantee, Layout, Run, Version, World};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use std::time::{Duration, Instant};
use tg_model::Coded as _;
use tg_pipeline::{SwapError, SwapParts, SwapStatus};
use tg_playground::encode::Value;
use tg_playground::workload::{Bank, DdlStorm, Sysbench, Workload};
use tg_playground::{PlaygroundConfig, TableSpec};
use tg_sorter::SorterConfig;

const STAGES: SwapParts = SwapParts { sink: false, stages: true };
const SINKS: SwapParts = SwapParts { sink: true, stages: false };
const ALL: SwapParts = SwapParts { sink: true, stages: true };
const LONG: Duration = Duration::from_secs(60);

/// Swaps of the long test when the environment does not say.
const SWAPS: u64 = 400;

struct Load(Vec<Box<dyn Workload>>);

impl Load {
    fn new(world: &World, seed: u64, ddl: bool) -> Self {
        let mut all: Vec<Box<dyn Workload>> = vec![Box::new(Sysbench::new(4, 5, seed)), Box::new(Bank::new(50, seed))];
        if ddl {
            all.push(Box::new(DdlStorm::new(4, seed)));
        }
        all.iter_mut().for_each(|w| w.prepare(world.playground.cluster()).unwrap());
        Self(all)
    }

    fn step(&mut self, world: &World) {
        for workload in &mut self.0 {
            workload.step(world.playground.cluster()).unwrap();
        }
    }
}

fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    sorted.get(sorted.len() * percent / 100).copied().unwrap_or_default()
}

/// Swaps of sinks, of dispatchers and of both, with rows under way; runs that die in between start with what was recorded.
async fn many(swaps: u64, seed: u64, faults: Faults, kill_every: u64, ddl: bool) -> World {
    let config = PlaygroundConfig { resolved_interval_ms: 2, ..PlaygroundConfig::default() };
    let layout = Layout { slots: 2, lanes: 3 };
    let mut world = World::with(layout, true, faults, SorterConfig::default(), config).await;
    let mut load = Load::new(&world, seed, ddl);
    let mut rng = StdRng::seed_from_u64(seed);
    let mut run = world.run().await;
    let mut stalls = Vec::new();
    let (mut done, mut kills) = (0, 0);
    let mut newest = Version::default();
    // Stages may still be taken back.
    let mut unsettled = false;
    let mut tries = 0;
    let began = Instant::now();
    while done < swaps {
        tries += 1;
        let before = run.stats.snapshot().rows_out;
        (0..rng.random_range(1..4)).for_each(|_| load.step(&world));
        // The swap comes while these rows pass.
        while run.stats.snapshot().rows_out == before && !run.task.is_finished() {
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
        let parts = [STAGES, SINKS, ALL][rng.random_range(0..3)];
        newest.stages += u64::from(parts.stages);
        newest.sink += u64::from(parts.sink);
        let mut version = Version { warm: rng.random(), ..newest };
        if !parts.stages {
            // Those that stay are those that run: others may have been taken back, or be about to.
            if std::mem::take(&mut unsettled) {
                let _ = run.control.settled().await;
            }
            version.stages = Version::of_label(&world.store.inner.lock().resume.label).stages;
        }
        let swapped = world.swap(&run, version, parts, Duration::from_millis(rng.random_range(0..20))).await;
        eprintln!("try {tries}: {parts:?} {version:?}: {swapped:?}, label {:?}", world.store.inner.lock().resume.label);
        unsettled |= parts.stages;
        match swapped {
            Ok(outcome) => {
                stalls.push(outcome.stall);
                done += 1;
            }
            Err(SwapError::NotRunning) => run = world.again(run).await,
            Err(SwapError::RolledBack(_)) => {}
            Err(e) => panic!("swap {done}: {} {e}", e.code()),
        }
        if kill_every > 0 && tries % kill_every == 0 {
            run.kill().await;
            kills += 1;
            run = world.run().await;
        }
        if run.task.is_finished() {
            run = world.again(run).await;
        }
    }
    run.kill().await;
    stalls.sort_unstable();
    println!(
        "{done} swaps in {:?} with {kills} kills ({tries} tries): stall p50 {:?}, p99 {:?}, max {:?}",
        began.elapsed(),
        percentile(&stalls, 50),
        percentile(&stalls, 99),
        stalls.last().copied().unwrap_or_default(),
    );
    let end = world.now().await;
    world.until(end).await;
    world.check(end, Guarantee::ExactlyOnce).await;
    assert!(world.down.state.lock().swap_barriers > 0, "no sink heard of a swap");
    for (schema, table) in [("bank", "accounts"), ("sbtest", "sbtest1"), ("sbtest", "sbtest4")] {
        world.same_rows(schema, table, end);
    }
    world
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_swaps_under_load() {
    let swaps = std::env::var("TIDEGATE_TEST_SWAPS").ok().and_then(|n| n.parse().ok()).unwrap_or(SWAPS);
    many(swaps, 21, Faults::default(), 0, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn swaps_between_kills_traps_and_schema_changes() {
    for seed in [31, 32] {
        many(60, seed, Faults::some(seed), 7, true).await;
    }
}

/// A run begins where the slowest lane of the one before was, and rows that the others had written are left out by lane: until all of
/// that is through, another dispatcher must not say which lane a row is in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_swap_right_after_a_crash_loses_and_doubles_nothing() {
    for seed in [61, 62] {
        let mut world = World::new(Layout { slots: 2, lanes: 3 }, true, Faults::some(seed)).await;
        let mut load = Load::new(&world, seed, false);
        let mut rng = StdRng::seed_from_u64(seed);
        let mut swapped = 0;
        for stages in 1..16 {
            let run = world.run().await;
            (0..40).for_each(|_| load.step(&world));
            tokio::time::sleep(Duration::from_millis(rng.random_range(5..60))).await;
            run.kill().await;
            let run = world.run().await;
            let version = Version { stages, ..Version::default() };
            match world.swap(&run, version, STAGES, Duration::ZERO).await {
                Ok(_) => swapped += 1,
                Err(SwapError::NotRunning | SwapError::RolledBack(_)) => {}
                Err(e) => panic!("{} {e}", e.code()),
            }
            (0..10).for_each(|_| load.step(&world));
            run.kill().await;
        }
        assert!(swapped > 3, "{swapped} swaps are through");
        let end = world.now().await;
        world.until(end).await;
        world.check(end, Guarantee::ExactlyOnce).await;
    }
}

/// The same where it is sure to matter: one lane got nowhere, the others far, and for a while the next run sees none of those rows,
/// since somebody's lock holds its resolved-ts below them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_swap_waits_until_what_lanes_had_written_before_a_crash_is_through() {
    let mut world = World::new(Layout { slots: 1, lanes: 3 }, true, Faults::default()).await;
    world.playground.create_schema("w").unwrap();
    let spec = TableSpec::new("w", "t").column("id", "bigint").primary_key(&["id"]);
    world.playground.create_table(&spec).unwrap();
    let table = world.playground.table("w", "t").unwrap();
    let run = world.run().await;
    let now = world.now().await;
    world.reached(&run, now).await;

    let mut late = world.playground.begin();
    late.put_row(&table, &[Value::Int(-1)]).unwrap();
    world.down.stuck.send_replace(Some((0, 0)));
    for id in 0..90 {
        let mut txn = world.playground.blind();
        txn.put_row(&table, &[Value::Int(id)]).unwrap();
        txn.commit().unwrap();
    }
    while world.down.state.lock().rows_durable < 30 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    run.kill().await;
    world.down.stuck.send_replace(None);

    let locked = late.prewrite().unwrap();
    let run = world.run().await;
    let swap = world.swap(&run, Version { stages: 1, ..Version::default() }, STAGES, Duration::ZERO);
    let unlock = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        locked.commit().unwrap()
    };
    let (swapped, _) = tokio::join!(swap, unlock);
    swapped.unwrap();
    let end = world.now().await;
    world.reached(&run, end).await;
    run.stop().await;
    world.check(end, Guarantee::ExactlyOnce).await;
}

async fn flowing(flaw: Flaw, parts: SwapParts) -> (World, Load, Run, Result<(), SwapError>) {
    let world = World::new(Layout { slots: 2, lanes: 2 }, true, Faults::default()).await;
    let mut load = Load::new(&world, 41, false);
    let run = world.run().await;
    (0..20).for_each(|_| load.step(&world));
    let before = world.now().await;
    world.reached(&run, before).await;
    let bad = Version { stages: 7, sink: 7, flaw, ..Version::default() };
    let swapped = world.swap(&run, bad, parts, LONG).await;
    if swapped.is_ok() {
        for _ in 0..1_000 {
            load.step(&world);
            tokio::time::sleep(Duration::from_millis(1)).await;
            if matches!(run.control.status(), SwapStatus::RolledBack(_)) {
                break;
            }
        }
    }
    let settled = match swapped {
        Ok(_) => {
            tokio::time::timeout(Duration::from_secs(30), run.control.settled()).await.expect("it is never settled")
        }
        Err(e) => Err(e),
    };
    (world, load, run, settled)
}

/// The run that was there goes on with the plugins it had, over everything that comes.
async fn goes_on(mut world: World, mut load: Load, run: Run, label: &str) {
    (0..20).for_each(|_| load.step(&world));
    let end = world.now().await;
    world.reached(&run, end).await;
    assert_eq!(world.store.inner.lock().resume.label, label);
    run.stop().await;
    world.check(end, Guarantee::ExactlyOnce).await;
    world.same_rows("bank", "accounts", end);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_on_probation_is_taken_back_without_a_restart() {
    let flaws = [
        (Flaw::Write(3), SINKS, 2020),
        (Flaw::Flush(4), SINKS, 2020),
        (Flaw::Fatal(1), ALL, 2013),
        (Flaw::Dispatch(1), STAGES, 2020),
        (Flaw::Dispatch(6), STAGES, 2020),
        (Flaw::Schema(2), STAGES, 2020),
        (Flaw::Dispatch(5), ALL, 2020),
    ];
    for (flaw, parts, code) in flaws {
        let (world, load, run, settled) = flowing(flaw, parts).await;
        match settled {
            Err(SwapError::RolledBack(why)) => assert_eq!(why.code().0, code, "{flaw:?}: {why}"),
            other => panic!("{flaw:?}: {other:?}"),
        }
        assert_eq!(run.stats.snapshot().rollbacks, 1, "{flaw:?}");
        goes_on(world, load, run, "0 0 false").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_started_changes_nothing() {
    for (warm, parts) in [(true, SINKS), (true, ALL), (false, STAGES)] {
        let world = World::new(Layout { slots: 2, lanes: 2 }, true, Faults::default()).await;
        let mut load = Load::new(&world, 42, false);
        let run = world.run().await;
        (0..5).for_each(|_| load.step(&world));
        let bad = Version { stages: 1, sink: 1, warm, flaw: Flaw::Open, ..Version::default() };
        let swapped = world.swap(&run, bad, parts, LONG).await;
        if parts.sink {
            assert!(matches!(swapped, Err(SwapError::Refused(_))), "{swapped:?}");
            assert_eq!(run.stats.snapshot().swaps, 0);
            goes_on(world, load, run, "0 0 false").await;
        } else {
            // Its stages can be started.
            swapped.unwrap();
            goes_on(world, load, run, "1 1 false").await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_probation_ends_and_a_stopped_run_swaps_nothing() {
    let world = World::new(Layout { slots: 1, lanes: 2 }, true, Faults::default()).await;
    let mut load = Load::new(&world, 43, false);
    let run = world.run().await;
    (0..5).for_each(|_| load.step(&world));
    let good = Version { stages: 1, sink: 1, ..Version::default() };
    let outcome = world.swap(&run, good, ALL, Duration::from_millis(10)).await.unwrap();
    assert_eq!(outcome.positions.len(), 1);
    run.control.settled().await.unwrap();
    let control = run.control.clone();
    let epoch_gone = world.down.epoch.load(std::sync::atomic::Ordering::SeqCst);
    goes_on(world, load, run, "1 1 false").await;
    assert!(epoch_gone > 0);
    assert!(matches!(control.settled().await, Ok(()) | Err(SwapError::NotRunning)));
}

/// A transaction of many windows is written by one dispatcher, not by two.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_swap_waits_for_the_end_of_a_huge_transaction() {
    use tg_playground::TableSpec;
    let mut world = World::new(Layout { slots: 1, lanes: 3 }, true, Faults::default()).await;
    world.playground.create_schema("h").unwrap();
    let spec = TableSpec::new("h", "huge").column("id", "bigint").column("v", "longtext").primary_key(&["id"]);
    world.playground.create_table(&spec).unwrap();
    let table = world.playground.table("h", "huge").unwrap();
    let mut run = world.run().await;
    tg_playground::workload::huge_txn(world.playground.cluster(), &table, 60_000, 100).await.unwrap();
    let end = world.now().await;
    let durable = || world.down.state.lock().rows_durable;
    while durable() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let next = Version { stages: 1, ..Version::default() };
    let swapped = world.swap(&run, next, STAGES, Duration::ZERO).await;
    let outcome = swapped.unwrap();
    assert_eq!(outcome.positions[0].stage, tg_model::Stage::Rows, "{:?}", outcome.positions);
    assert_eq!(durable(), 60_000, "the transaction was cut in two");
    run.kill().await;
    run = world.run().await;
    world.reached(&run, end).await;
    run.stop().await;
    world.check(end, Guarantee::ExactlyOnce).await;
}
