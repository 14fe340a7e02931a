//! Batches into a component against the same crate natively: the sink that reads every value, and the dispatcher.

use super::Limits;
use crate::args::Options;
use crate::fixture;
use crate::measure::{Cost, Work, compare};
use crate::run::plugins::{engine, spec};
use crate::table::{Line, Target};
use std::sync::Arc;
use tg_plugin::native::{NativeDispatcher, NativeSink};
use tg_plugin::{DispatcherInstance, DispatcherPort, Grants, Plugin, SinkInstance, SinkPort};
use tg_plugin_blackhole::Blackhole;
use tg_plugin_dispatcher::KeyDispatcher;
use tgr1::BatchBuf;
use tokio::runtime::Runtime;

/// The sink reads every value.
pub(crate) const TOUCH: &str = r#"{"touch":true}"#;
/// Rows of a call.
const SIZES: [u64; 4] = [1, 16, 256, 4096];
/// Lanes the dispatcher chooses from.
const LANES: u16 = 4;
/// Most that the border may cost by row, in ns.
const ROW_LIMIT_NS: f64 = 25.0;
/// Most that the border may cost by call, in µs.
const CALL_LIMIT_US: f64 = 0.5;

struct Pair {
    component: Cost,
    native: Cost,
}

/// Measures both plugins.
pub(crate) fn run(options: &Options, limits: &Limits, lines: &mut Vec<Line>) -> anyhow::Result<()> {
    if !options.wants("crossing") {
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let engine = engine()?;
    let sink = runtime.block_on(Plugin::load(&engine, tg_builtin::BLACKHOLE.to_vec()))?;
    let dispatcher = runtime.block_on(Plugin::load(&engine, tg_builtin::DISPATCHER.to_vec()))?;
    let mut pairs = Vec::new();
    for rows in SIZES {
        let batch = fixture::batch(0, rows)?;
        if rows == 1 {
            let pair = sink_pair(options, &runtime, &sink, &batch, "")?;
            lines.push(line("crossing: sink counts rows", rows, &pair));
        }
        let pair = sink_pair(options, &runtime, &sink, &batch, TOUCH)?;
        lines.push(line("crossing: sink reads all", rows, &pair));
        pairs.push((rows as f64, pair));
        if rows >= 256 {
            let pair = dispatcher_pair(options, &runtime, &dispatcher, &batch)?;
            lines.push(line("crossing: dispatcher by key", rows, &pair));
        }
    }
    if let [(one, small), .., (many, large)] = pairs.as_slice() {
        lines.extend(border(limits, (*one, small), (*many, large)));
    }
    Ok(())
}

fn line(name: &str, rows: u64, pair: &Pair) -> Line {
    let (c, n) = (pair.component.cpu_ns, pair.native.cpu_ns);
    Line::new(format!("{name}, {rows} rows a call"), format!("{c:.1} ns/row, native {n:.1}"))
        .ratio(format!("{:.2} x native", c / n))
}

/// Cost of the border = component less native = `call + rows * row`, from the smallest and the largest call.
fn border(limits: &Limits, (one, small): (f64, &Pair), (many, large): (f64, &Pair)) -> [Line; 2] {
    let extra = |rows: f64, pair: &Pair| (pair.component.cpu_ns - pair.native.cpu_ns) * rows;
    let row = (extra(many, large) - extra(one, small)) / (many - one);
    let call_us = (extra(one, small) - row * one) / 1000.0;
    let bytes = fixture::batch(0, 4096).map_or(0.0, |b| b.len_bytes() as f64 / 4096.0);
    [
        Line::new("crossing: border by row, guest code included", format!("{row:.1} ns/row"))
            .ratio(limits.copies(row, bytes))
            .target(Target::Most(ROW_LIMIT_NS).verdict(row, " ns/row")),
        Line::new("crossing: border by call", format!("{call_us:.2} µs/call"))
            .target(Target::Most(CALL_LIMIT_US).verdict(call_us, " µs/call")),
    ]
}

/// Calls so that a sample is long enough for the clock.
fn calls(options: &Options, rows: u64) -> u64 {
    options.scaled(1_000_000 / rows.max(4)).max(4)
}

/// Writes the batch so many times.
fn write_all<'a>(runtime: &'a Runtime, mut sink: impl SinkPort + 'a, batch: &'a Arc<BatchBuf>, calls: u64) -> Work<'a> {
    Box::new(move || {
        runtime.block_on(async {
            for _ in 0..calls {
                sink.write(Arc::clone(batch)).await?;
            }
            Ok(calls * batch.len() as u64)
        })
    })
}

/// Asks for the batch so many times.
fn dispatch_all<'a>(
    runtime: &'a Runtime,
    mut dispatcher: impl DispatcherPort + 'a,
    batch: &'a Arc<BatchBuf>,
    calls: u64,
) -> Work<'a> {
    Box::new(move || {
        runtime.block_on(async {
            for _ in 0..calls {
                let decided = dispatcher.dispatch(batch).await?;
                anyhow::ensure!(decided.lanes.len() == batch.len(), "a row has no lane");
            }
            Ok(calls * batch.len() as u64)
        })
    })
}

fn sink_pair(
    options: &Options,
    runtime: &Runtime,
    plugin: &Plugin,
    batch: &Arc<BatchBuf>,
    config: &str,
) -> anyhow::Result<Pair> {
    let calls = calls(options, batch.len() as u64);
    let spec = spec(config, 1, Grants::default());
    let (mut component, _) = runtime.block_on(SinkInstance::open(plugin, &spec))?;
    let (mut native, _) = NativeSink::open_in_place::<Blackhole>(&spec)?;
    runtime.block_on(component.on_schema(fixture::table(), Arc::from([])))?;
    runtime.block_on(native.on_schema(fixture::table(), Arc::from([])))?;
    pair(options, &mut [write_all(runtime, component, batch, calls), write_all(runtime, native, batch, calls)])
}

fn dispatcher_pair(
    options: &Options,
    runtime: &Runtime,
    plugin: &Plugin,
    batch: &Arc<BatchBuf>,
) -> anyhow::Result<Pair> {
    let calls = calls(options, batch.len() as u64);
    let spec = spec("", LANES, Grants::default());
    let mut component = runtime.block_on(DispatcherInstance::open(plugin, &spec))?;
    let mut native = NativeDispatcher::open::<KeyDispatcher>(&spec)?;
    runtime.block_on(component.on_schema(fixture::table()))?;
    runtime.block_on(native.on_schema(fixture::table()))?;
    pair(options, &mut [dispatch_all(runtime, component, batch, calls), dispatch_all(runtime, native, batch, calls)])
}

fn pair(options: &Options, works: &mut [Work<'_>; 2]) -> anyhow::Result<Pair> {
    let costs = compare(options.samples, works)?;
    let [component, native] = costs.as_slice() else { anyhow::bail!("two costs are wanted") };
    Ok(Pair { component: *component, native: *native })
}
