//! Every change once and in order, whatever happens.

use crate::support::{Faults, Guarantee, Layout, World};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use std::time::Duration;
use tg_playground::Chaos;
use tg_playground::workload::{Bank, DdlStorm, Sysbench, Wide, Workload};

/// What goes on while rows flow.
#[derive(Clone, Copy, Debug)]
struct Trouble {
    seed: u64,
    chaos: bool,
    faults: bool,
    kills: u32,
    keeps: bool,
}

const CALM: Trouble = Trouble { seed: 1, chaos: false, faults: false, kills: 0, keeps: true };

/// Steps of each workload between two looks at the run.
const STEPS: u32 = 40;

async fn flow(workloads: Vec<Box<dyn Workload>>, layout: Layout, trouble: Trouble, rounds: u32) -> World {
    let faults = if trouble.faults { Faults::some(trouble.seed) } else { Faults::default() };
    let mut world = World::new(layout, trouble.keeps, faults).await;
    let mut rng = StdRng::seed_from_u64(trouble.seed);
    let mut chaos = Chaos::new(trouble.seed);
    let mut workloads = workloads;
    for w in &mut workloads {
        w.prepare(world.playground.cluster()).unwrap();
    }
    let mut run = world.run().await;
    let mut kills = 0;
    for round in 0..rounds {
        for w in &mut workloads {
            for _ in 0..STEPS {
                w.step(world.playground.cluster()).unwrap();
            }
        }
        if trouble.chaos {
            chaos.step(&world.playground).unwrap();
            leave_a_lock(&world, &mut rng);
        }
        tokio::time::sleep(Duration::from_millis(rng.random_range(5..25))).await;
        if run.task.is_finished() {
            run = world.again(run).await;
        }
        if kills < trouble.kills && round * trouble.kills >= (kills + 1) * rounds / 2 {
            run.kill().await;
            kills += 1;
            run = world.run().await;
        }
    }
    run.kill().await;
    let end = world.now().await;
    world.until(end).await;
    let guarantee = if trouble.keeps { Guarantee::ExactlyOnce } else { Guarantee::AtLeastOnce };
    world.check(end, guarantee).await;
    for table in world.playground.tables() {
        if ["bank", "sbtest"].iter().any(|s| table.full_name().contains(s)) {
            let name = table.name.clone();
            let schema = if name == "accounts" { "bank" } else { "sbtest" };
            world.same_rows(schema, &name, end);
        }
    }
    world
}

/// A client that died with its key locked; others resolve the lock when its time is up.
fn leave_a_lock(world: &World, rng: &mut StdRng) {
    let Ok(table) = world.playground.table("sbtest", "sbtest1") else { return };
    let mut txn = world.playground.begin();
    txn.lock_ttl_ms(rng.random_range(1..60));
    let id = tg_playground::encode::Value::Int(1_000_000 + rng.random_range(0..1000));
    let text = || tg_playground::encode::Value::from("lost");
    let _ = txn.put_row(&table, &[id, tg_playground::encode::Value::Int(1), text(), text()]);
    drop(txn.prewrite());
}

fn sysbench(seed: u64) -> Box<dyn Workload> {
    Box::new(Sysbench::new(4, 5, seed))
}

fn all(seed: u64) -> Vec<Box<dyn Workload>> {
    vec![sysbench(seed), Box::new(Bank::new(50, seed)), Box::new(Wide::new(seed)), Box::new(DdlStorm::new(4, seed))]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calm() {
    flow(vec![sysbench(1), Box::new(Bank::new(50, 1))], Layout { slots: 1, lanes: 1 }, CALM, 20).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_at_once_in_many_lanes() {
    flow(all(2), Layout { slots: 3, lanes: 4 }, Trouble { seed: 2, ..CALM }, 30).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_regions_that_split_and_move() {
    flow(all(3), Layout { slots: 2, lanes: 2 }, Trouble { seed: 3, chaos: true, ..CALM }, 40).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_sink_that_fails() {
    let trouble = Trouble { seed: 4, faults: true, ..CALM };
    let world = flow(all(4), Layout { slots: 2, lanes: 2 }, trouble, 30).await;
    let hits = world.down.state.lock().faults.hits;
    assert!(hits[1..].iter().sum::<u64>() > 10, "{hits:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_crashes() {
    flow(all(5), Layout { slots: 3, lanes: 2 }, Trouble { seed: 5, kills: 8, ..CALM }, 40).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_all_of_it() {
    for seed in [6, 7] {
        let trouble = Trouble { seed, chaos: true, faults: true, kills: 5, keeps: true };
        flow(all(seed), Layout { slots: 2, lanes: 3 }, trouble, 30).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sink_that_keeps_nothing_gets_everything_at_least_once() {
    let trouble = Trouble { seed: 8, chaos: true, faults: true, kills: 5, keeps: false };
    flow(all(8), Layout { slots: 2, lanes: 2 }, trouble, 30).await;
}
