//! The Kafka sink: messages built as a component and natively, and both through a real broker.

use crate::args::Options;
use crate::fixture;
use crate::measure::{Work, compare_process as compare};
use crate::run::plugins::{ENDPOINT, engine, spec};
use crate::table::{Line, rate};
use anyhow::Context;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;
use tg_kafka::{KafkaEndpoint, KafkaTarget};
use tg_model::{Position, Ts};
use tg_plugin::grant::{EndpointError, LaneContext, Messages, Producer, ProducerEndpoint};
use tg_plugin::native::NativeSink;
use tg_plugin::{Barrier, BarrierKind, Grants, InstanceSpec, Plugin, SinkInstance, SinkPort};
use tg_plugin_kafka::Kafka as KafkaSink;
use tg_test_servers::Kafka;
use tgr1::BatchBuf;
use tokio::runtime::Runtime;

/// Rows of a batch, and batches of a flush: as many as the sink asks for.
const ROWS: u64 = 4096;
const BATCHES: u64 = 8;
/// What the sink is told.
const CONFIG: &str = r#"{"protocol": "canal-json", "topic": "bench"}"#;
/// Name of the lines that need a broker.
const THROUGH: &str = "kafka: canal-json through a broker";
/// Target of rows a second through the broker, which shares the cores.
const BROKER_TARGET: f64 = 150_000.0;

/// Takes everything.
struct Nowhere;

impl ProducerEndpoint for Nowhere {
    fn open(&self, _: LaneContext) -> BoxFuture<'_, Result<Box<dyn Producer>, EndpointError>> {
        async { Ok(Box::new(Self) as Box<dyn Producer>) }.boxed()
    }
}

impl Producer for Nowhere {
    fn partitions<'a>(&'a mut self, _: &'a str) -> BoxFuture<'a, Result<u32, EndpointError>> {
        async { Ok(3) }.boxed()
    }

    fn max_message_bytes<'a>(&'a mut self, _: &'a str) -> BoxFuture<'a, Result<u32, EndpointError>> {
        async { Ok(10 << 20) }.boxed()
    }

    fn send(&mut self, messages: Messages) -> BoxFuture<'_, Result<(), EndpointError>> {
        std::hint::black_box(&messages);
        async { Ok(()) }.boxed()
    }

    fn flush(&mut self, _: Option<Position>) -> BoxFuture<'_, Result<(), EndpointError>> {
        async { Ok(()) }.boxed()
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
    let mut id = 0;
    Ok(Box::new(move || {
        runtime.block_on(async {
            for _ in 0..rounds {
                for batch in batches {
                    sink.write(Arc::clone(batch)).await?;
                }
                id += 1;
                let at = Position::rows(Ts::new(100 + u64::from(id)));
                sink.flush(Barrier { id, kind: BarrierKind::Checkpoint, at }).await?;
            }
            Ok(rounds * BATCHES * ROWS)
        })
    }))
}

fn given(endpoint: Arc<dyn ProducerEndpoint>) -> InstanceSpec {
    spec(CONFIG, 1, Grants { producers: BTreeMap::from([(ENDPOINT.to_owned(), endpoint)]), ..Grants::default() })
}

/// Measures both, into nowhere and through a broker.
pub(crate) fn run(options: &Options, lines: &mut Vec<Line>) -> anyhow::Result<()> {
    let (crossing, broker) = (options.wants("crossing: canal-json messages"), options.wants(THROUGH));
    if !crossing && !broker {
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let plugin = runtime.block_on(Plugin::load(&engine()?, tg_builtin::KAFKA.to_vec()))?;
    let batches = (0..BATCHES).map(|n| fixture::batch(n * ROWS, ROWS)).collect::<anyhow::Result<Vec<_>>>()?;
    if crossing {
        built(options, &runtime, &plugin, &batches, lines)?;
    }
    if broker { through_broker(options, &runtime, &plugin, &batches, lines) } else { Ok(()) }
}

fn component(runtime: &Runtime, plugin: &Plugin, spec: &InstanceSpec) -> anyhow::Result<SinkInstance> {
    Ok(runtime.block_on(SinkInstance::open(plugin, spec))?.0)
}

fn native(runtime: &Runtime, spec: &InstanceSpec) -> anyhow::Result<NativeSink> {
    Ok(runtime.block_on(NativeSink::open::<KafkaSink>(spec))?.0)
}

fn built(
    options: &Options,
    runtime: &Runtime,
    plugin: &Plugin,
    batches: &[Arc<BatchBuf>],
    lines: &mut Vec<Line>,
) -> anyhow::Result<()> {
    let rounds = options.scaled(20);
    let spec = given(Arc::new(Nowhere));
    let (component, native) = (component(runtime, plugin, &spec)?, native(runtime, &spec)?);
    let mut works = [windows(runtime, component, batches, rounds)?, windows(runtime, native, batches, rounds)?];
    let costs = compare(options.samples, &mut works)?;
    if let [c, n] = costs.as_slice() {
        let measured = format!("{:.1} ns/row, native {:.1}", c.cpu_ns, n.cpu_ns);
        let mut line = Line::new("crossing: canal-json messages built", measured);
        line.rate = rate(1e9 / c.cpu_ns, 200.0);
        lines.push(line.ratio(format!("{:.2} x native", c.cpu_ns / n.cpu_ns)).target("<= 2 x native"));
    }
    Ok(())
}

fn through_broker(
    options: &Options,
    runtime: &Runtime,
    plugin: &Plugin,
    batches: &[Arc<BatchBuf>],
    lines: &mut Vec<Line>,
) -> anyhow::Result<()> {
    let kafka = Kafka::start().context("the broker of the bench")?;
    let _in_runtime = runtime.enter();
    for (name, exactly_once) in [("exactly once", true), ("at least once", false)] {
        // The component and the native sink are one lane each of two changefeeds, so that neither fences the other.
        let spec = |incarnation: &str| -> anyhow::Result<InstanceSpec> {
            let target = KafkaTarget {
                brokers: vec![kafka.address()],
                exactly_once,
                incarnation: incarnation.to_owned(),
                ..KafkaTarget::default()
            };
            Ok(given(Arc::new(KafkaEndpoint::new(target)?)))
        };
        let rounds = options.scaled(8);
        let component = component(runtime, plugin, &spec("component")?)?;
        let native = native(runtime, &spec("native")?)?;
        let mut works = [windows(runtime, component, batches, rounds)?, windows(runtime, native, batches, rounds)?];
        let mut walls = [Vec::new(), Vec::new()];
        let mut cpu = Vec::new();
        for round in 0..=options.samples {
            for (i, (work, taken)) in works.iter_mut().zip(&mut walls).enumerate() {
                let (start, before) = (Instant::now(), crate::measure::process_cpu());
                let rows = work()? as f64;
                if round > 0 {
                    taken.push(rows / start.elapsed().as_secs_f64());
                    if i == 0 {
                        cpu.push((crate::measure::process_cpu() - before).as_nanos() as f64 / rows);
                    }
                }
            }
        }
        let [component, native] = walls.map(crate::measure::median);
        let cpu = crate::measure::median(cpu);
        let mut line =
            Line::new(format!("{THROUGH}, {name}"), format!("{:.2} us CPU/row here, broker beside", cpu / 1e3));
        line.rate = rate(component, 200.0);
        let verdict = crate::table::Target::Least(BROKER_TARGET).verdict(component, " rows/s");
        lines.push(line.ratio(format!("{:.2} x native end to end", component / native)).target(verdict));
    }
    Ok(())
}
