//! How fast a component is, beside one that does nothing, in the same run.
//!
//! Counted is the time within the guest's calls: what the stand-ins for capabilities take is left out.

use crate::KitError;
use crate::checks::Answers;
use crate::corpus::{Change, batch, bench_rows};
use crate::settings::Settings;
use crate::sink::Broken;
use crate::subject::Subject;
use crate::world::World;
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use tg_model::{Position, TableVersion, Ts};
use tg_plugin::{Barrier, BarrierKind, Kind, SinkInstance, SinkPort};
use tgr1::BatchBuf;

/// Rows of a call.
const SIZES: [usize; 3] = [1, 16, 256];
/// Samples of each size, one of the component and one of the other by turns.
const SAMPLES: usize = 5;
/// Calls of a sample at least.
const CALLS_MIN: u64 = 20;
/// Rows between two flushes.
const FLUSH_ROWS: u64 = 4_096;

/// What one size costs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Measured {
    /// Rows of a call.
    pub rows_per_call: usize,
    /// Rows that one core gets through the component in a second.
    pub rows_per_sec: f64,
    /// Nanoseconds of a row.
    pub ns_per_row: f64,
    /// Microseconds of a call.
    pub us_per_call: f64,
    /// Nanoseconds of a row in the plugin that only reads every value.
    pub reader_ns_per_row: f64,
    /// How many times that.
    pub tax: f64,
}

/// What is measured: an instance that takes the same batch again and again.
enum Runner {
    Sink(Box<SinkInstance>, u32, u64),
    Pure(Box<Answers>),
}

impl Runner {
    async fn start(subject: &Subject, table: &Arc<TableVersion>) -> Result<Self, Broken> {
        if subject.kind() != Kind::Sink {
            let mut answers = Answers::open(subject).await?;
            answers.announce(table).await?;
            return Ok(Self::Pure(Box::new(answers)));
        }
        let spec = subject.spec(0, 1, Some(&Arc::new(World::forgetful())));
        let opened = SinkInstance::open(&subject.plugin, &spec).await;
        let (mut sink, _) = opened.map_err(|e| Broken::call("`open`", e))?;
        let told = sink.on_schema(Arc::clone(table), Arc::from([])).await;
        told.map_err(|e| Broken::call("`on-schema`", e))?;
        Ok(Self::Sink(Box::new(sink), 0, 0))
    }

    async fn call(&mut self, made: &Arc<BatchBuf>) -> Result<(), Broken> {
        match self {
            Self::Pure(answers) => answers.ask_only(made).await,
            Self::Sink(sink, barrier, open) => {
                sink.write(Arc::clone(made)).await.map_err(|e| Broken::call("`write`", e))?;
                *open += made.len() as u64;
                if *open >= FLUSH_ROWS {
                    (*open, *barrier) = (0, *barrier + 1);
                    let at = Position::rows(Ts::new(made.batch().commit_ts_range().1 + u64::from(*barrier)));
                    let flush = sink.flush(Barrier { id: *barrier, kind: BarrierKind::Checkpoint, at }).await;
                    flush.map_err(|e| Broken::call("`flush`", e))?;
                }
                Ok(())
            }
        }
    }
}

/// One side: the component, or the plugin it is compared with.
struct Side<'a> {
    subject: &'a Subject,
    runner: Runner,
    made: Arc<BatchBuf>,
    samples: Vec<f64>,
}

impl<'a> Side<'a> {
    async fn new(subject: &'a Subject, table: &Arc<TableVersion>, made: &Arc<BatchBuf>) -> Result<Self, Broken> {
        let runner = Runner::start(subject, table).await?;
        Ok(Self { subject, runner, made: Arc::clone(made), samples: Vec::new() })
    }

    /// Nanoseconds of a row over so many calls.
    async fn sample(&mut self, calls: u64) -> Result<(), Broken> {
        let spent = || self.subject.plugin.metrics().guest_ns.load(Relaxed);
        let before = spent();
        for _ in 0..calls {
            self.runner.call(&self.made).await?;
        }
        let rows = (calls * self.made.len() as u64).max(1);
        self.samples.push((spent() - before) as f64 / rows as f64);
        Ok(())
    }

    fn median(&mut self) -> f64 {
        self.samples.sort_by(f64::total_cmp);
        self.samples.get(self.samples.len() / 2).copied().unwrap_or_default()
    }
}

/// Measures the component with batches of several sizes; about `rows` rows go through it in each sample.
///
/// # Errors
/// [`KitError::Bench`] when it fails meanwhile.
pub async fn bench(subject: &Subject, rows: u64) -> Result<Vec<Measured>, KitError> {
    let reads = Settings { config: r#"{"touch":true}"#.to_owned(), ..Settings::default() };
    let reader = Subject::of_bytes("blackhole", tg_builtin::BLACKHOLE.to_vec(), reads).await?;
    let mut out = Vec::new();
    for size in SIZES {
        let one = measure(subject, &reader, size, rows).await;
        out.push(one.map_err(|b| {
            let (wanted, happened) = b.told();
            KitError::Bench { reason: format!("{wanted}, but {happened}") }
        })?);
    }
    Ok(out)
}

async fn measure(subject: &Subject, reader: &Subject, size: usize, rows: u64) -> Result<Measured, Broken> {
    let (table, changes) = bench_rows(size)?;
    let handed: Vec<(&Change, u16)> = changes.iter().map(|c| (c, 0)).collect();
    let made = batch(&table, &handed)?;
    let calls = (rows / size as u64).max(CALLS_MIN);
    let mut sides = [Side::new(subject, &table, &made).await?, Side::new(reader, &table, &made).await?];
    for side in &mut sides {
        side.sample(CALLS_MIN).await?;
        side.samples.clear();
    }
    for _ in 0..SAMPLES {
        for side in &mut sides {
            side.sample(calls).await?;
        }
    }
    let [component, other] = &mut sides;
    let (ns, reader_ns) = (component.median(), other.median());
    Ok(Measured {
        rows_per_call: size,
        rows_per_sec: 1e9 / ns.max(f64::MIN_POSITIVE),
        ns_per_row: ns,
        us_per_call: ns * size as f64 / 1e3,
        reader_ns_per_row: reader_ns,
        tax: ns / reader_ns.max(f64::MIN_POSITIVE),
    })
}
