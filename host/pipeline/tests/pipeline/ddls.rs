//! Schema changes: barriers for their tables, no hindrance for others, once, also when a run dies in the middle.

use crate::support::{Faults, Guarantee, Layout, Seen, World};
use std::time::Duration;
use tg_cluster::slot_of;
use tg_model::{Position, SlotId, TableId, Ts};
use tg_playground::encode::Value;
use tg_playground::{Alter, ColumnSpec, TableSpec};

const TWO_SLOTS: Layout = Layout { slots: 2, lanes: 2 };

fn table_in(world: &World, slot: u16, prefix: &str) -> (String, TableId) {
    for i in 0..64 {
        let name = format!("{prefix}{i}");
        world.playground.create_table(&spec(&name)).unwrap();
        let id = TableId(world.playground.table("s", &name).unwrap().id);
        if slot_of(id, TWO_SLOTS.slots) == SlotId(slot) {
            return (name, id);
        }
    }
    panic!("no table falls into slot {slot}")
}

fn spec(name: &str) -> TableSpec {
    TableSpec::new("s", name).column("id", "bigint").column("v", "varchar(64)").primary_key(&["id"])
}

fn put(world: &World, table: &str, ids: std::ops::Range<i64>) -> Ts {
    let table = world.playground.table("s", table).unwrap();
    let mut last = 0;
    for id in ids {
        let mut txn = world.playground.blind();
        let mut row = vec![Value::Int(id)];
        row.extend((1..table.columns.len()).map(|_| Value::from("v")));
        txn.put_row(&table, &row).unwrap();
        last = txn.commit().unwrap();
    }
    Ts::new(last)
}

fn add_column(world: &World, table: &str) -> Ts {
    let column = ColumnSpec::new("more", "varchar(32)").not_null().default("x");
    Ts::new(world.playground.alter_table("s", table, &Alter::AddColumn(column)).unwrap())
}

async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..3_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {what}");
}

async fn world() -> World {
    let world = World::new(TWO_SLOTS, true, Faults::default()).await;
    world.playground.create_schema("s").unwrap();
    world
}

fn ddls(world: &World) -> Vec<String> {
    let state = world.down.state.lock();
    let queries = state.log.iter().filter_map(|s| match s {
        Seen::Ddl { query, .. } => Some(query.clone()),
        Seen::Row { .. } | Seen::Syncpoint(_) => None,
    });
    queries.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ddl_holds_its_own_slot_and_no_other() {
    let mut world = world().await;
    let (held, held_id) = table_in(&world, 0, "a");
    let (free, free_id) = table_in(&world, 1, "b");
    put(&world, &held, 0..20);
    put(&world, &free, 0..20);
    let before = world.now().await;
    world.until(before).await;
    world.down.ddl_gate.send_replace(false);
    let run = world.run().await;
    let ddl = add_column(&world, &held);
    put(&world, &held, 20..40);
    let last = put(&world, &free, 20..40);
    eventually("the other slot goes on", || world.down.rows_of(free_id).iter().any(|c| c.ts == last)).await;
    let held_rows = world.down.rows_of(held_id);
    assert!(held_rows.iter().all(|c| c.ts < ddl), "a row above the DDL left before it");
    assert_eq!(held_rows.len(), 20);
    assert!(world.store.checkpoint_now() <= Position::rows(ddl));
    world.down.ddl_gate.send_replace(true);
    let end = world.now().await;
    eventually("everything is durable", || world.store.checkpoint_now() >= Position::rows(end)).await;
    run.stop().await;
    world.check(end, Guarantee::ExactlyOnce).await;
}

/// A crash while the downstream works on the statement, and one after it has, before anybody heard of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_in_the_middle_of_a_ddl_runs_it_once() {
    for done in [false, true] {
        let mut world = world().await;
        let (name, id) = table_in(&world, 0, "a");
        put(&world, &name, 0..20);
        let before = world.now().await;
        world.until(before).await;
        let gate = if done { world.down.answer_gate.clone() } else { world.down.ddl_gate.clone() };
        gate.send_replace(false);
        let run = world.run().await;
        let ddl = add_column(&world, &name);
        put(&world, &name, 20..40);
        let begun = || world.store.inner.lock().ddls.contains_key(&(ddl, 0));
        eventually("the statement has begun", begun).await;
        let ran = || ddls(&world).iter().any(|q| q.contains("more"));
        if done {
            eventually("the statement has run", ran).await;
        }
        run.kill().await;
        assert_eq!(ran(), done);
        gate.send_replace(true);
        let end = world.now().await;
        world.until(end).await;
        assert_eq!(world.down.rows_of(id).len(), 40);
        assert_eq!(ddls(&world).iter().filter(|q| q.contains("more")).count(), 1);
        world.check(end, Guarantee::ExactlyOnce).await;
    }
}

/// The table made by a DDL that still waits belongs to a slot that the next DDL must wait for too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_dropped_behind_a_table_that_waits_to_be_made() {
    for seed in 0..4 {
        let mut world = world().await;
        let (name, _) = table_in(&world, 0, "a");
        put(&world, &name, 0..5);
        let before = world.now().await;
        world.until(before).await;
        world.down.ddl_gate.send_replace(false);
        let run = world.run().await;
        let (late, late_id) = table_in(&world, 1, &format!("late{seed}_"));
        put(&world, &late, 0..200);
        world.playground.drop_schema("s").unwrap();
        let end = world.now().await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        world.down.ddl_gate.send_replace(true);
        eventually("everything is durable", || world.store.checkpoint_now() >= Position::rows(end)).await;
        run.stop().await;
        assert_eq!(world.down.rows_of(late_id).len(), 200);
        world.check(end, Guarantee::ExactlyOnce).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_ends_exactly_at_its_target() {
    let mut world = world().await;
    let (name, id) = table_in(&world, 0, "a");
    put(&world, &name, 0..50);
    let target = add_column(&world, &name);
    put(&world, &name, 50..100);
    world.target = Some(target);
    let run = world.run().await;
    assert_eq!(run.task.await.unwrap().unwrap(), tg_pipeline::FeedEnd::Finished);
    assert!(world.store.checkpoint_now() >= Position::rows(target));
    assert_eq!(world.down.rows_of(id).len(), 50);
    assert!(ddls(&world).iter().any(|q| q.contains("more")), "the DDL at the target belongs to it");
    world.check(target, Guarantee::ExactlyOnce).await;
}

/// A statement may take an hour: who stops a changefeed does not wait for it, and the next run asks whether it was done.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_does_not_wait_for_a_ddl() {
    let mut world = world().await;
    let (name, _) = table_in(&world, 0, "a");
    put(&world, &name, 0..5);
    let before = world.now().await;
    world.until(before).await;
    world.down.ddl_gate.send_replace(false);
    let run = world.run().await;
    let ddl = add_column(&world, &name);
    eventually("the statement has begun", || world.store.inner.lock().ddls.contains_key(&(ddl, 0))).await;
    eventually("sinks hear that time passes", || world.down.state.lock().ticks > 0).await;
    run.stop().await;
    world.down.ddl_gate.send_replace(true);
    let end = world.now().await;
    world.until(end).await;
    world.check(end, Guarantee::ExactlyOnce).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_is_heard_while_the_upstream_is_away() {
    let world = world().await;
    world.playground.set_pd_leaderless(true);
    let run = world.run().await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let _ = run.stop.send(true);
    let ended = tokio::time::timeout(Duration::from_secs(5), run.task).await;
    assert_eq!(ended.expect("the stop is not heard").unwrap().unwrap(), tg_pipeline::FeedEnd::Stopped);
}

/// A lock that nobody resolves keeps its table's resolved-ts down. Other slots go on when they wait for their own tables only.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stuck_table_holds_other_slots_up_only_where_they_wait_for_it() {
    for own_gates in [true, false] {
        let mut world = world().await;
        world.own_gates = own_gates;
        let (stuck, stuck_id) = table_in(&world, 0, "a");
        let (free, free_id) = table_in(&world, 1, "b");
        let made = world.now().await;
        world.until(made).await;
        let table = world.playground.table("s", &stuck).unwrap();
        let mut txn = world.playground.begin();
        txn.lock_ttl_ms(600_000);
        txn.put_row(&table, &[Value::Int(1_000), Value::from("v")]).unwrap();
        let locked = txn.prewrite().unwrap();
        let run = world.run().await;
        let last = put(&world, &free, 0..20);
        put(&world, &stuck, 0..20);
        let there = || world.down.rows_of(free_id).iter().any(|c| c.ts == last);
        if own_gates {
            eventually("the other slot goes on", there).await;
        } else {
            tokio::time::sleep(Duration::from_millis(300)).await;
            assert!(!there(), "a slot went beyond what the changefeed is resolved to");
        }
        assert!(world.down.rows_of(stuck_id).is_empty());
        assert!(world.store.checkpoint_now() < Position::rows(last));
        locked.commit().unwrap();
        let end = world.now().await;
        world.reached(&run, end).await;
        run.stop().await;
        world.check(end, Guarantee::ExactlyOnce).await;
    }
}
