//! Hostile guests: each is stopped with its coded error, and everything else goes on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{barrier, batch, engine, none, short_spec, small_spec, spec, table};
use futures::future::BoxFuture;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tg_model::{Coded, Position};
use tg_plugin::grant::{Blocks, Dialect, ExecResult, LaneContext, ResultSet, SqlConnection, SqlEndpoint, SqlError};
use tg_plugin::{
    CallError, DispatcherInstance, DispatcherPort, InstanceSpec, Limits, Plugin, PluginEngine, SinkInstance, SinkPort,
};
use tokio::sync::OnceCell;

/// Instances of the shared engine at once.
const INSTANCES_MAX: u32 = 64;

struct Guests {
    sink: Plugin,
    dispatcher: Plugin,
}

/// Compiled once for all tests of the file.
async fn guests() -> &'static Guests {
    static GUESTS: OnceCell<Guests> = OnceCell::const_new();
    let load = || async {
        let engine: Arc<PluginEngine> = engine(INSTANCES_MAX);
        Guests {
            sink: Plugin::load(&engine, tg_plugin_hostile::SINK.to_vec()).await.unwrap(),
            dispatcher: Plugin::load(&engine, tg_plugin_hostile::DISPATCHER.to_vec()).await.unwrap(),
        }
    };
    GUESTS.get_or_init(load).await
}

fn quoted(mode: &str) -> String {
    format!("{mode:?}")
}

async fn open(spec: &InstanceSpec) -> Result<SinkInstance, CallError> {
    Ok(SinkInstance::open(&guests().await.sink, spec).await?.0)
}

/// A whole life: open, schema, rows, flush. With `ends`, the guest ends by itself, and gets the time for it on any machine.
async fn live(mode: &str, ends: bool) -> Result<(), CallError> {
    let spec = if ends { small_spec(&quoted(mode)) } else { short_spec(&quoted(mode)) };
    let mut sink = open(&spec).await?;
    sink.on_schema(table(), none()).await?;
    let failed = sink.write(batch(8)).await.err();
    let flushed = sink.flush(barrier(1)).await;
    if let Some(e) = failed {
        // What the host stopped is never asked again; what failed by its own word is.
        let dead = matches!(e.code().0, 2020..=2025);
        assert_eq!(flushed.is_err_and(|e| e.code().0 == 2025), dead, "{mode}: {e}");
        return Err(e);
    }
    flushed.map(|_| ())
}

async fn code_of(mode: &str, ends: bool) -> u16 {
    live(mode, ends).await.err().map_or(0, |e| e.code().0)
}

/// Runs the modes with a healthy instance beside them, and a new one after each.
async fn check(modes: &[(&str, u16)]) {
    let mut beside = open(&spec(&quoted("well"))).await.unwrap();
    beside.on_schema(table(), none()).await.unwrap();
    for (mode, code) in modes {
        let (stopped, written) = tokio::join!(code_of(mode, *code != 2022), beside.write(batch(100)));
        assert_eq!(stopped, *code, "{mode}");
        assert!(written.is_ok(), "{mode}: the instance beside it: {written:?}");
        assert_eq!(code_of("well", true).await, 0, "a new instance after {mode}");
    }
    assert!(beside.flush(barrier(9)).await.unwrap().complete);
}

#[tokio::test]
async fn what_ends_itself_is_a_trap() {
    check(&[("trap", 2020), ("abort", 2020), ("exit", 2020), ("open-abort", 2020), ("handles", 2020)]).await;
    check(&[("stack", 2021), ("stack-wide", 2020), ("memory", 2023)]).await;
}

#[tokio::test]
async fn what_does_not_end_is_ended() {
    check(&[("loop", 2022), ("open-loop", 2022), ("sleep", 2022), ("storm", 2022), ("read-flood", 2022)]).await;
    check(&[("log-flood", 2022), ("stdout-flood", 2022), ("slow-loop", 2022), ("clock-storm", 2022)]).await;
    check(&[("random-storm", 2022), ("metric-storm", 2022), ("state-keys", 2022)]).await;
    assert!(guests().await.sink.metrics().logs_dropped.load(Relaxed) > 0);
}

#[tokio::test]
async fn answers_outside_the_contract_are_refused() {
    check(&[("wrong-ack", 2024), ("huge-state", 2024), ("row-outside", 2024), ("too-many-refused", 2024)]).await;
    check(&[("column-outside", 2024), ("open-stage", 2024)]).await;
}

#[tokio::test]
async fn what_is_not_granted_is_not_there() {
    check(&[("files", 0), ("env", 0), ("net", 0), ("clock", 0), ("read-outside", 0), ("open-endpoint", 2013)]).await;
}

#[tokio::test]
async fn capabilities_that_were_not_granted_are_denied() {
    check(&[("secret", 0), ("http", 0), ("queue", 0), ("store", 0), ("state-flood", 0)]).await;
}

#[tokio::test]
async fn a_barrier_is_acknowledged_once() {
    let mut sink = open(&small_spec(&quoted("repeated-ack"))).await.unwrap();
    assert!(sink.flush(barrier(1)).await.unwrap().complete);
    assert_eq!(sink.flush(barrier(2)).await.unwrap_err().code().0, 2024);
    assert_eq!(sink.flush(barrier(3)).await.unwrap_err().code().0, 2025);
}

#[tokio::test]
async fn long_words_are_cut() {
    let e = live("long-message", true).await.unwrap_err();
    assert_eq!(e.code().0, 2013);
    assert!(e.to_string().len() < 8 << 10, "{}", e.to_string().len());
}

#[tokio::test]
async fn an_answer_of_a_hundred_megabytes_is_not_taken() {
    let mut sink = open(&spec(&quoted("huge-answer"))).await.unwrap();
    sink.on_schema(table(), none()).await.unwrap();
    let e = sink.write(batch(1000)).await.unwrap_err();
    assert_eq!(e.code().0, 2020, "{e}");
}

#[tokio::test]
async fn a_dispatcher_is_held_to_lanes_rows_and_time() {
    for (mode, code) in [("lane", 2024), ("long", 2024), ("short", 2024), ("target", 2024), ("loop", 2022), ("well", 0)]
    {
        let spec = if code == 2022 { short_spec(&quoted(mode)) } else { small_spec(&quoted(mode)) };
        let mut d = DispatcherInstance::open(&guests().await.dispatcher, &spec).await.unwrap();
        d.on_schema(table()).await.unwrap();
        let got = d.dispatch(&batch(5)).await.err().map_or(0, |e| e.code().0);
        assert_eq!(got, code, "{mode}");
    }
}

#[tokio::test]
async fn a_dispatcher_reads_more_than_its_plan_through_the_handle() {
    let mut d = DispatcherInstance::open(&guests().await.dispatcher, &small_spec(&quoted("reads"))).await.unwrap();
    d.on_schema(table()).await.unwrap();
    let batch = batch(5);
    assert_eq!(d.dispatch(&batch).await.unwrap().lanes, [1; 5]);
}

#[tokio::test]
async fn a_call_that_is_dropped_leaves_a_dead_instance() {
    let limits = Limits { call: Duration::from_secs(60), ..Limits::SINK };
    let mut sink = open(&InstanceSpec { limits, ..spec(&quoted("loop")) }).await.unwrap();
    sink.on_schema(table(), none()).await.unwrap();
    let asked = tokio::time::timeout(Duration::from_millis(50), sink.write(batch(1))).await;
    assert!(asked.is_err(), "a loop gives its thread back between slices");
    assert_eq!(sink.flush(barrier(1)).await.unwrap_err().code().0, 2025);
}

#[tokio::test]
async fn instances_beyond_the_pool_are_refused_until_one_ends() {
    let plugin = Plugin::load(&engine(2), tg_plugin_hostile::SINK.to_vec()).await.unwrap();
    let spec = small_spec(&quoted("well"));
    let first = SinkInstance::open(&plugin, &spec).await.unwrap();
    let _second = SinkInstance::open(&plugin, &spec).await.unwrap();
    let third = SinkInstance::open(&plugin, &spec).await.err().map(|e| e.code().0);
    assert_eq!(third, Some(2008));
    drop(first);
    assert!(SinkInstance::open(&plugin, &spec).await.is_ok());
}

/// Takes longer to connect than a call may compute, and never says what is durable.
struct Slow;

/// Does everything at once.
struct Quick;

impl SqlEndpoint for Quick {
    fn connect(&self, _: LaneContext) -> BoxFuture<'_, Result<Box<dyn SqlConnection>, SqlError>> {
        Box::pin(async { Ok(Box::new(Slow) as Box<dyn SqlConnection>) })
    }
}

impl SqlEndpoint for Slow {
    fn connect(&self, _: LaneContext) -> BoxFuture<'_, Result<Box<dyn SqlConnection>, SqlError>> {
        Box::pin(async {
            tokio::time::sleep(Duration::from_millis(900)).await;
            Ok(Box::new(Self) as Box<dyn SqlConnection>)
        })
    }
}

impl SqlConnection for Slow {
    fn dialect(&self) -> Dialect {
        Dialect::Other
    }
    fn server_version(&self) -> String {
        String::new()
    }
    fn max_statement_bytes(&self) -> u32 {
        0
    }
    fn durable_at_open(&self) -> Option<Position> {
        None
    }
    fn durable(&mut self) -> BoxFuture<'_, Result<Option<Position>, SqlError>> {
        Box::pin(std::future::pending())
    }
    fn transact<'a>(&'a mut self, _: Blocks<'a>, _: Option<Position>) -> BoxFuture<'a, Result<ExecResult, SqlError>> {
        Box::pin(std::future::pending())
    }
    fn execute<'a>(&'a mut self, _: &'a str) -> BoxFuture<'a, Result<ExecResult, SqlError>> {
        Box::pin(async { Ok(ExecResult::default()) })
    }
    fn query<'a>(&'a mut self, _: &'a str, _: u32) -> BoxFuture<'a, Result<ResultSet, SqlError>> {
        Box::pin(std::future::pending())
    }
}

/// Time in endpoints is not the guest's, so that only their number ends this.
#[tokio::test]
async fn calling_endpoints_for_ever_is_ended() {
    let limits = Limits { call: Duration::from_secs(60), ..Limits::SINK };
    let mut spec = InstanceSpec { limits, ..spec(&quoted("endpoint-storm")) };
    spec.grants.sql.insert("downstream".to_owned(), Arc::new(Quick));
    let mut sink = open(&spec).await.unwrap();
    sink.on_schema(table(), none()).await.unwrap();
    let e = sink.write(batch(1)).await.unwrap_err();
    assert_eq!(e.code().0, 2024, "{e}");
}

#[tokio::test]
async fn waiting_for_an_endpoint_is_not_computing_but_status_ends() {
    let mut spec = short_spec(&quoted("well"));
    spec.grants.sql.insert("downstream".to_owned(), Arc::new(Slow));
    let mut sink = open(&spec).await.unwrap();
    sink.on_tick().await.unwrap();
    assert_eq!(sink.status().await.unwrap_err().code().0, 2022);
    assert_eq!(sink.on_tick().await.unwrap_err().code().0, 2025);
}
