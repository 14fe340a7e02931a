//! The same plugin crates in-process give the same answers as their components.

use crate::common::{barrier, batch, engine, none, spec, table};
use futures::future::BoxFuture;
use parking_lot::Mutex;
use std::sync::Arc;
use tg_model::{Position, Ts};
use tg_plugin::grant::{Blocks, Dialect, ExecResult, LaneContext, ResultSet, SqlConnection, SqlEndpoint, SqlError};
use tg_plugin::native::{NativeDispatcher, NativeSink};
use tg_plugin::{CallFault, DispatcherInstance, DispatcherPort, Plugin, SinkPort, Stop};
use tg_plugin_blackhole::Blackhole;
use tg_plugin_dispatcher::KeyDispatcher;
use tidegate_sdk as sdk;

#[tokio::test]
async fn a_native_dispatcher_decides_as_its_component() {
    let plugin = Plugin::load(&engine(4), tg_builtin::DISPATCHER.to_vec()).await.unwrap();
    let mut component = DispatcherInstance::open(&plugin, &spec("")).await.unwrap();
    let mut native = NativeDispatcher::open::<KeyDispatcher>(&spec("")).unwrap();
    assert_eq!(component.on_schema(table()).await, native.on_schema(table()).await);
    let batch = batch(1000);
    assert_eq!(component.dispatch(&batch).await, native.dispatch(&batch).await);
    native.drop_schema(&table()).await.unwrap();
    assert!(native.dispatch(&batch).await.is_err());
}

#[tokio::test]
async fn a_native_sink_counts_as_its_component() {
    for in_place in [true, false] {
        let spec = spec(r#"{"touch":true}"#);
        let (mut sink, durable) = if in_place {
            NativeSink::open_in_place::<Blackhole>(&spec).unwrap()
        } else {
            NativeSink::open::<Blackhole>(&spec).await.unwrap()
        };
        assert_eq!(durable, None);
        sink.on_schema(table(), none()).await.unwrap();
        sink.write(batch(256)).await.unwrap();
        assert!(sink.flush(barrier(3)).await.unwrap().complete);
        sink.close().await;
        assert_eq!(sink.metrics().counters(), [("rows".to_owned(), 256)]);
    }
}

/// Keeps what was written, and the position of the last flush.
#[derive(Default)]
struct Store {
    statements: Mutex<Vec<String>>,
    durable: Mutex<Option<Position>>,
}

struct Endpoint(Arc<Store>);
struct Connection(Arc<Store>);

impl SqlEndpoint for Endpoint {
    fn connect(&self, _: LaneContext) -> BoxFuture<'_, Result<Box<dyn SqlConnection>, SqlError>> {
        let connection = Connection(Arc::clone(&self.0));
        Box::pin(async move {
            tokio::task::yield_now().await;
            Ok(Box::new(connection) as Box<dyn SqlConnection>)
        })
    }
}

impl SqlConnection for Connection {
    fn dialect(&self) -> Dialect {
        Dialect::Tidb
    }
    fn server_version(&self) -> String {
        "8.5".to_owned()
    }
    fn max_statement_bytes(&self) -> u32 {
        1 << 20
    }
    fn durable_at_open(&self) -> Option<Position> {
        Some(Position::rows(Ts::new(5)))
    }
    fn durable(&mut self) -> BoxFuture<'_, Result<Option<Position>, SqlError>> {
        Box::pin(async { Ok(*self.0.durable.lock()) })
    }
    fn transact<'a>(
        &'a mut self,
        statements: Blocks<'a>,
        progress: Option<Position>,
    ) -> BoxFuture<'a, Result<ExecResult, SqlError>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            self.0.statements.lock().push(String::from_utf8_lossy(statements.data).into_owned());
            *self.0.durable.lock() = progress;
            Ok(ExecResult { affected: 1, warnings: 0 })
        })
    }
    fn execute<'a>(&'a mut self, _: &'a str) -> BoxFuture<'a, Result<ExecResult, SqlError>> {
        Box::pin(async { Ok(ExecResult::default()) })
    }
    fn query<'a>(&'a mut self, _: &'a str, _: u32) -> BoxFuture<'a, Result<ResultSet, SqlError>> {
        Box::pin(async { Ok(ResultSet::default()) })
    }
}

/// Writes one statement a flush; panics when told to.
struct OneStatement(sdk::sql::Connection);

impl sdk::Sink for OneStatement {
    fn manifest() -> sdk::Manifest {
        let sql = sdk::Capability::required("sql", "it is a test");
        sdk::Manifest { capabilities: vec![sql], ..sdk::Manifest::new("one-statement", "1") }
    }
    fn open(ctx: sdk::Context) -> Result<(Self, Option<sdk::Position>), sdk::Failure> {
        let endpoint = ctx.endpoints.first().map_or("none", String::as_str);
        Ok((Self(sdk::sql::Connection::open(endpoint)?), None))
    }
    fn on_schema(&mut self, _: Arc<sdk::TableSchema>, _: &[String]) -> Result<sdk::TablePlan, sdk::Failure> {
        assert_eq!(self.0.dialect(), sdk::sql::Dialect::Tidb);
        Ok(sdk::TablePlan::default())
    }
    fn write(&mut self, _: &dyn sdk::RowBatch, _: &[u8]) -> Result<sdk::WriteOutcome, sdk::Failure> {
        panic!("no rows, please")
    }
    fn flush(&mut self, barrier: sdk::Barrier) -> Result<sdk::Ack, sdk::Failure> {
        let mut blocks = sdk::sql::Blocks::default();
        blocks.push(b"SELECT 1");
        self.0.transact(&blocks)?;
        Ok(sdk::Ack::complete(&barrier))
    }
}

#[tokio::test]
async fn a_native_sink_waits_for_its_endpoint_on_a_runtime_of_one_thread() {
    let store = Arc::<Store>::default();
    let mut granted = spec("");
    granted.grants.sql.insert("downstream".to_owned(), Arc::new(Endpoint(Arc::clone(&store))));
    let (mut sink, durable) = NativeSink::open::<OneStatement>(&granted).await.unwrap();
    assert_eq!(durable, Some(Position::rows(Ts::new(5))));
    sink.on_schema(table(), none()).await.unwrap();
    sink.flush(barrier(1)).await.unwrap();
    assert_eq!(*store.statements.lock(), ["SELECT 1"]);
    assert_eq!(sink.status().await.unwrap(), Some(barrier(1).at));
}

#[tokio::test]
async fn a_native_sink_is_held_to_grants_and_dies_of_a_panic() {
    assert!(NativeSink::open::<OneStatement>(&spec("")).await.is_err());
    let mut granted = spec("");
    granted.grants.sql.insert("downstream".to_owned(), Arc::new(Endpoint(Arc::default())));
    let (mut sink, _) = NativeSink::open::<OneStatement>(&granted).await.unwrap();
    sink.on_schema(table(), none()).await.unwrap();
    let stop_of = |fault: CallFault| match fault {
        CallFault::Stopped { stop, .. } => Some(stop),
        _ => None,
    };
    assert_eq!(stop_of(sink.write(batch(1)).await.unwrap_err().fault), Some(Stop::Trap));
    assert_eq!(stop_of(sink.flush(barrier(1)).await.unwrap_err().fault), Some(Stop::Dead));
}
