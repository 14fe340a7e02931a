//! Guests that no SDK would make: written by hand on the canonical ABI, they forge handles, answer with wrong addresses, lengths and tags, and
//! reach for the host where they may not. Each is stopped with a coded error, and everything else goes on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../common/mod.rs"]
mod common;

use common::{barrier, batch, engine, none, short_spec, spec, table};
use std::sync::Arc;
use tg_model::Coded;
use tg_plugin::{Plugin, PluginEngine, SinkInstance, SinkPort};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

const GUEST: &str = include_str!("guest.wat");
/// Ends `write` early, so that what follows in the guest's text is not reached.
const ENDLESS: &str = "(loop (br 0)) (unreachable)";

/// What is changed of the guest's text.
#[derive(Clone, Copy)]
struct Guest<'a> {
    write: &'a str,
    realloc: &'a str,
    post: &'a str,
    more: &'a str,
    memory: &'a str,
    table: &'a str,
}

const WELL: Guest<'_> = Guest { write: "", realloc: "", post: "", more: "", memory: "4", table: "1" };

impl Guest<'_> {
    /// The component of a core module by the contract's text.
    fn component(&self) -> Vec<u8> {
        let parts = [
            ("WRITE", self.write),
            ("REALLOC", self.realloc),
            ("POST", self.post),
            ("MORE", self.more),
            ("MEMORY", self.memory),
            ("TABLE", self.table),
        ];
        let text = parts.iter().fold(GUEST.to_owned(), |text, (name, part)| text.replace(name, part));
        let mut module = wat::parse_str(text).unwrap();
        let mut resolve = Resolve::default();
        let (package, _) = resolve.push_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit/1.0.0")).unwrap();
        let world = resolve.select_world(&[package], Some("sink-plugin")).unwrap();
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false).unwrap();
        ComponentEncoder::default().module(&module).unwrap().encode().unwrap()
    }
}

fn writing(write: &str) -> Guest<'_> {
    Guest { write, ..WELL }
}

/// A whole life with two writes; the code it ends with, 0 for well.
async fn life(engine: &Arc<PluginEngine>, guest: &Guest<'_>) -> u16 {
    let plugin = match Plugin::load(engine, guest.component()).await {
        Ok(plugin) => plugin,
        Err(e) => return e.code().0,
    };
    let run = async {
        let (mut sink, _) = SinkInstance::open(&plugin, &short_spec("")).await?;
        sink.on_schema(table(), none()).await?;
        for id in 1..3 {
            sink.write(batch(8)).await?;
            assert!(sink.flush(barrier(id)).await?.complete);
        }
        Ok(())
    };
    let ended: Result<(), tg_plugin::CallError> = run.await;
    ended.err().map_or(0, |e| e.code().0)
}

/// Runs the guests beside one that does well, and another that does well after each.
async fn check(guests: &[(&str, Guest<'_>, u16)]) {
    let engine = engine(16);
    let well = Plugin::load(&engine, WELL.component()).await.unwrap();
    let (mut beside, _) = SinkInstance::open(&well, &spec("")).await.unwrap();
    beside.on_schema(table(), none()).await.unwrap();
    for (n, (what, guest, expected)) in (1..).zip(guests) {
        let code = life(&engine, guest).await;
        assert_eq!(code, *expected, "{what}");
        beside.write(batch(100)).await.unwrap();
        assert!(beside.flush(barrier(n)).await.unwrap().complete, "beside {what}");
        assert_eq!(life(&engine, &WELL).await, 0, "after {what}");
    }
}

#[tokio::test]
async fn handles_cannot_be_forged_kept_or_passed_for_others() {
    check(&[
        ("a number that is no handle", writing("(drop (call $row_count (i32.const 77)))"), 2020),
        ("a handle beyond any table", writing("(drop (call $row_count (i32.const -1)))"), 2020),
        ("the handle 0", writing("(call $drop_batch (i32.const 0))"), 2020),
        ("a batch given back twice", writing("(call $drop_batch (local.get $batch))"), 2020),
        ("a batch that is kept", writing("(return (i32.const 1024))"), 2020),
        (
            "a batch of the call before",
            writing(
                "(if (global.get $kept) (then (call $drop_batch (local.get $batch)) \
                 (drop (call $row_count (global.get $kept))) (return (i32.const 1024)))) \
                 (global.set $kept (local.get $batch))",
            ),
            2020,
        ),
        (
            "a counter passed for a batch",
            writing("(drop (call $row_count (call $counter (i32.const 16) (i32.const 3))))"),
            2020,
        ),
        ("a batch passed for a counter", writing("(call $drop_counter (local.get $batch))"), 2020),
        (
            "a counter that was given back",
            writing(
                "(global.set $kept (call $counter (i32.const 16) (i32.const 3))) \
                 (call $drop_counter (global.get $kept)) (call $add (global.get $kept) (i64.const 1))",
            ),
            2020,
        ),
    ])
    .await;
}

#[tokio::test]
async fn answers_and_arguments_must_lie_in_the_guests_memory() {
    let refuse = "(call $drop_batch (local.get $batch)) (i32.store8 (i32.const 1024) (i32.const 1)) \
                  (i32.store8 (i32.const 1032) (i32.const 3)) (i32.store (i32.const 1040) (i32.const 2))";
    let at =
        |address: i32| format!("{refuse} (i32.store (i32.const 1036) (i32.const {address})) (return (i32.const 1024))");
    let (no_utf8, outside) = (at(24), at(-2));
    check(&[
        ("an answer outside of memory", writing("(call $drop_batch (local.get $batch)) (return (i32.const -8))"), 2020),
        ("a crooked address", writing("(call $drop_batch (local.get $batch)) (return (i32.const 1025))"), 2020),
        ("a case that is none", writing("(i32.store8 (i32.const 1024) (i32.const 9))"), 2020),
        (
            "a failure that is none",
            writing("(i32.store8 (i32.const 1024) (i32.const 1)) (i32.store8 (i32.const 1032) (i32.const 200))"),
            2020,
        ),
        (
            "a list longer than memory",
            writing("(i32.store (i32.const 1032) (i32.const 16)) (i32.store (i32.const 1036) (i32.const -1))"),
            2020,
        ),
        (
            "a list whose end wraps around",
            writing(
                "(i32.store (i32.const 1032) (i32.const 8192)) (i32.store (i32.const 1036) (i32.const 0x0fffffff))",
            ),
            2020,
        ),
        ("a text that is no UTF-8", writing(&no_utf8), 2020),
        ("a text outside of memory", writing(&outside), 2020),
        ("arguments put outside of memory", Guest { realloc: "(return (i32.const -16))", ..WELL }, 2020),
        ("arguments put at a crooked address", Guest { realloc: "(return (i32.const 8193))", ..WELL }, 2020),
    ])
    .await;
}

#[tokio::test]
async fn the_host_is_not_called_while_it_calls() {
    let reach = "(drop (call $enabled (i32.const 0)))";
    check(&[
        ("calling the host while arguments are put", Guest { realloc: reach, ..WELL }, 2020),
        ("calling the host after the answer", Guest { post: reach, ..WELL }, 2020),
        ("a trap while arguments are put", Guest { realloc: "(unreachable)", ..WELL }, 2020),
        ("a trap after the answer", Guest { post: "(unreachable)", ..WELL }, 2020),
        ("no end of putting arguments", Guest { realloc: ENDLESS, ..WELL }, 2022),
        ("no end after the answer", Guest { post: ENDLESS, ..WELL }, 2022),
    ])
    .await;
}

#[tokio::test]
async fn memories_and_tables_grow_to_their_bound_and_no_further() {
    let growing = |op: &str| format!("(loop (br_if 0 (i32.ne {op} (i32.const -1))))");
    let table = growing("(table.grow $table (ref.null func) (i32.const 1000))");
    let leap = growing("(table.grow $table (ref.null func) (i32.const 100000000))");
    let memory = growing("(memory.grow (i32.const 16))");
    check(&[
        ("a table that grows", writing(&table), 0),
        ("a table that leaps", writing(&leap), 0),
        ("a memory that grows", writing(&memory), 0),
    ])
    .await;
}

#[tokio::test]
async fn what_cannot_begin_is_refused_where_it_is_loaded() {
    let start = |body: &str| format!("(func $start {body}) (start $start)");
    let (trap, endless) = (start("(unreachable)"), start(ENDLESS));
    check(&[
        ("a trap at the start", Guest { more: &trap, ..WELL }, 2006),
        ("no end of the start", Guest { more: &endless, ..WELL }, 2006),
        ("a memory of 4 GiB to begin with", Guest { memory: "65536", ..WELL }, 2001),
        ("a table of 100 million to begin with", Guest { table: "100000000", ..WELL }, 2001),
    ])
    .await;
}
