//! Building the MySQL sink's statements, as a component and natively, into a database that takes everything and does nothing.

use crate::args::Options;
use crate::fixture;
use crate::measure::{Work, compare_process as compare};
use crate::run::plugins::{ENDPOINT, engine, spec};
use crate::table::{Line, rate};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::collections::BTreeMap;
use std::sync::Arc;
use tg_model::{Position, Ts};
use tg_plugin::grant::{Blocks, Dialect, ExecResult, LaneContext, ResultSet, SqlConnection, SqlEndpoint, SqlError};
use tg_plugin::native::NativeSink;
use tg_plugin::{Barrier, BarrierKind, Grants, Plugin, SinkInstance, SinkPort};
use tg_plugin_mysql::MysqlSink;
use tgr1::BatchBuf;
use tokio::runtime::Runtime;

/// Rows of a batch, and batches of a flush.
const ROWS: u64 = 4096;
const BATCHES: u64 = 4;

/// Takes everything.
struct Nowhere;

impl SqlEndpoint for Nowhere {
    fn connect(&self, _: LaneContext) -> BoxFuture<'_, Result<Box<dyn SqlConnection>, SqlError>> {
        async { Ok(Box::new(Self) as Box<dyn SqlConnection>) }.boxed()
    }
}

impl SqlConnection for Nowhere {
    fn dialect(&self) -> Dialect {
        Dialect::Mariadb
    }

    fn server_version(&self) -> String {
        "10.11.0-MariaDB".to_owned()
    }

    fn max_statement_bytes(&self) -> u32 {
        16 << 20
    }

    fn durable_at_open(&self) -> Option<Position> {
        None
    }

    fn durable(&mut self) -> BoxFuture<'_, Result<Option<Position>, SqlError>> {
        async { Ok(None) }.boxed()
    }

    fn transact<'a>(&'a mut self, s: Blocks<'a>, _: Option<Position>) -> BoxFuture<'a, Result<ExecResult, SqlError>> {
        std::hint::black_box(s.data);
        async { Ok(ExecResult::default()) }.boxed()
    }

    fn execute<'a>(&'a mut self, _: &'a str) -> BoxFuture<'a, Result<ExecResult, SqlError>> {
        async { Ok(ExecResult::default()) }.boxed()
    }

    fn query<'a>(&'a mut self, _: &'a str, _: u32) -> BoxFuture<'a, Result<ResultSet, SqlError>> {
        async { Ok(ResultSet::default()) }.boxed()
    }
}

/// Writes and flushes so many windows.
fn windows<'a>(
    runtime: &'a Runtime,
    mut sink: impl SinkPort + 'a,
    batches: &'a [Arc<BatchBuf>],
    rounds: u64,
) -> anyhow::Result<Work<'a>> {
    runtime.block_on(sink.on_schema(fixture::table(), Arc::from([])))?;
    let barrier = Barrier { id: 0, kind: BarrierKind::Checkpoint, at: Position::rows(Ts::new(100)) };
    Ok(Box::new(move || {
        runtime.block_on(async {
            for id in 0..rounds {
                for batch in batches {
                    sink.write(Arc::clone(batch)).await?;
                }
                sink.flush(Barrier { id: id as u32, ..barrier }).await?;
            }
            Ok(rounds * BATCHES * ROWS)
        })
    }))
}

/// Measures both.
pub(crate) fn run(options: &Options, lines: &mut Vec<Line>) -> anyhow::Result<()> {
    if !options.wants("crossing: MySQL statements") {
        return Ok(());
    }
    // A native sink with a database has a thread of its own, so both are measured by the process.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let plugin = runtime.block_on(Plugin::load(&engine()?, tg_builtin::MYSQL.to_vec()))?;
    let endpoint: Arc<dyn SqlEndpoint> = Arc::new(Nowhere);
    let spec = spec("", 1, Grants { sql: BTreeMap::from([(ENDPOINT.to_owned(), endpoint)]), ..Grants::default() });
    let (component, _) = runtime.block_on(SinkInstance::open(&plugin, &spec))?;
    let (native, _) = runtime.block_on(NativeSink::open::<MysqlSink>(&spec))?;
    let batches = (0..BATCHES).map(|n| fixture::batch(n * ROWS, ROWS)).collect::<anyhow::Result<Vec<_>>>()?;
    let rounds = options.scaled(40);
    let mut works = [windows(&runtime, component, &batches, rounds)?, windows(&runtime, native, &batches, rounds)?];
    let costs = compare(options.samples, &mut works)?;
    if let [c, n] = costs.as_slice() {
        let measured = format!("{:.1} ns/row, native {:.1}", c.cpu_ns, n.cpu_ns);
        let mut line = Line::new("crossing: MySQL statements built", measured);
        line.rate = rate(1e9 / c.cpu_ns, 200.0);
        lines.push(line.ratio(format!("{:.2} x native", c.cpu_ns / n.cpu_ns)));
    }
    Ok(())
}
