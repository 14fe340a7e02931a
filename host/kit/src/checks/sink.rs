//! Runs of a sink, each compared with the same rows handed over in peace.

use super::{Ctx, Finding, Passed, Verdict, broken, differs, own};
use crate::KitError;
use crate::corpus::{self, Corpus, Event};
use crate::sink::{Done, Drive, Schedule};
use crate::subject::Subject;
use crate::world::{Fault, Faults, World};
use std::sync::Arc;
use tg_plugin::CallFault;

/// Tables of the check for many.
const TABLES: usize = 300;
/// Faults of one run at most.
const FAULTS_MAX: u32 = 60;
/// Chance of a fault, in a thousand calls.
const FAULT_PERMILLE: u16 = 250;

/// The rows of a seed: those that were recorded, or generated ones.
pub(super) fn rows(ctx: &Ctx<'_>, seed: u64) -> Result<Corpus, Finding> {
    match ctx.recorded {
        Some(corpus) => Ok(corpus.clone()),
        None => corpus::plain(seed, corpus::PLAIN_TXNS).map_err(|e| own(seed, &e)),
    }
}

async fn go(
    subject: &Subject,
    world: &Arc<World>,
    corpus: &Corpus,
    schedule: Schedule,
    seed: u64,
) -> Result<Done, Finding> {
    Drive::new(subject, world, corpus, schedule).run().await.map_err(|b| broken(seed, &b))
}

/// The rows in peace.
async fn peace(ctx: &Ctx<'_>, corpus: &Corpus, seed: u64) -> Result<Done, Finding> {
    let world = Arc::new(World::new(true, Faults::none()));
    go(ctx.subject, &world, corpus, Schedule::calm(), seed).await
}

/// Two runs of the same rows came to the same. Order over all keys is more than a sink promises: where it differs, the order of each key
/// decides, for which one more run finds out what each row leaves behind.
pub(super) async fn same(
    ctx: &Ctx<'_>,
    corpus: &Corpus,
    seed: u64,
    (base, done): (&Done, &Done),
    how: &str,
) -> Result<(), Finding> {
    let Err(difference) = base.effect.compare(&done.effect, None) else { return Ok(()) };
    if !base.effect.has_streams() {
        return Err(differs(seed, how, difference));
    }
    let world = Arc::new(World::new(true, Faults::none()));
    let owning = Drive::new(ctx.subject, &world, corpus, Schedule::calm()).owning().run().await;
    let owners = owning.map_err(|b| broken(seed, &b))?.owners;
    base.effect.compare(&done.effect, owners.as_ref()).map_err(|d| differs(seed, how, d))
}

/// A corpus in large and in single batches.
async fn both_ways(ctx: &Ctx<'_>, corpus: Result<Corpus, KitError>) -> Verdict {
    let corpus = corpus.map_err(|e| own(ctx.seed, &e))?;
    let base = peace(ctx, &corpus, ctx.seed).await?;
    let world = Arc::new(World::new(false, Faults::none()));
    let single = Schedule { batch_rows: (1, 1), window_rows: (5, 5), ..Schedule::calm() };
    let done = go(ctx.subject, &world, &corpus, single, ctx.seed).await?;
    same(ctx, &corpus, ctx.seed, (&base, &done), "single rows").await?;
    Ok(Passed::Pass(format!("{} rows", corpus.rows())))
}

pub(super) async fn life(ctx: &Ctx<'_>) -> Verdict {
    let corpus = rows(ctx, ctx.seed)?;
    let base = peace(ctx, &corpus, ctx.seed).await?;
    if base.effect.is_empty() && !ctx.subject.names.is_empty() && base.effect.refused.len() < corpus.rows() {
        return Err(Finding {
            expected: "rows that were acknowledged can be found in what was granted".to_owned(),
            happened: "nothing was written anywhere".to_owned(),
            seed: ctx.seed,
        });
    }
    Ok(Passed::Pass(format!("{} events, {} flushes", corpus.events.len(), base.flushes)))
}

pub(super) async fn types(ctx: &Ctx<'_>) -> Verdict {
    both_ways(ctx, corpus::types(ctx.seed)).await
}

pub(super) async fn large(ctx: &Ctx<'_>) -> Verdict {
    both_ways(ctx, corpus::large()).await
}

pub(super) async fn tables(ctx: &Ctx<'_>) -> Verdict {
    let corpus = corpus::many(ctx.seed, TABLES).map_err(|e| own(ctx.seed, &e))?;
    let world = Arc::new(World::new(true, Faults::none()));
    let done = go(ctx.subject, &world, &corpus, Schedule::cut(ctx.seed), ctx.seed).await?;
    Ok(Passed::Pass(format!("{TABLES} tables, state of {} bytes at most", done.state_bytes_max)))
}

/// What a kind of trouble does to the schedule, and how it is called.
struct Trouble {
    how: &'static str,
    change: fn(Schedule) -> Schedule,
    kinds: &'static [Fault],
}

/// Runs with trouble, each compared with the same rows in peace.
async fn troubled(ctx: &Ctx<'_>, trouble: Trouble) -> Verdict {
    let (mut starts, mut faults) = (0, 0);
    for seed in ctx.seeds() {
        let corpus = rows(ctx, seed)?;
        let base = peace(ctx, &corpus, seed).await?;
        let script = Faults::some(seed, trouble.kinds, FAULT_PERMILLE, FAULTS_MAX);
        let script = if trouble.kinds.is_empty() { Faults::none() } else { script };
        let world = Arc::new(World::new(seed % 2 == 0, script));
        let done = go(ctx.subject, &world, &corpus, (trouble.change)(Schedule::cut(seed)), seed).await?;
        same(ctx, &corpus, seed, (&base, &done), trouble.how).await?;
        starts += done.starts;
        faults += world.faults_done();
    }
    if !trouble.kinds.is_empty() && faults == 0 {
        return Ok(Passed::Skip("it calls no capability that could fail".to_owned()));
    }
    Ok(Passed::Pass(format!("{} runs, {starts} instances, {faults} faults", ctx.rounds)))
}

pub(super) async fn batching(ctx: &Ctx<'_>) -> Verdict {
    troubled(ctx, Trouble { how: "other batches", change: |s| s, kinds: &[] }).await
}

pub(super) async fn durable(ctx: &Ctx<'_>) -> Verdict {
    let change = |s| Schedule { crash_acked: 300, window_rows: (3, 40), ..s };
    troubled(ctx, Trouble { how: "a crash right after an acknowledgement", change, kinds: &[] }).await
}

pub(super) async fn replay(ctx: &Ctx<'_>) -> Verdict {
    let change = |s| Schedule { crash_open: 120, batch_rows: (1, 20), window_rows: (5, 60), ..s };
    troubled(ctx, Trouble { how: "a crash between write and flush", change, kinds: &[] }).await
}

pub(super) async fn swap(ctx: &Ctx<'_>) -> Verdict {
    let change = |s| Schedule { swap: 350, window_rows: (3, 40), ..s };
    troubled(ctx, Trouble { how: "a swap", change, kinds: &[] }).await
}

pub(super) async fn ddl(ctx: &Ctx<'_>) -> Verdict {
    let change = |s| Schedule { crash_ddl: 700, ..s };
    troubled(ctx, Trouble { how: "a crash behind a DDL", change, kinds: &[] }).await
}

pub(super) async fn retry(ctx: &Ctx<'_>) -> Verdict {
    let change = |s| Schedule { window_rows: (3, 40), ..s };
    troubled(ctx, Trouble { how: "a busy downstream", change, kinds: &[Fault::Busy] }).await
}

pub(super) async fn unknown(ctx: &Ctx<'_>) -> Verdict {
    let change = |s| Schedule { window_rows: (3, 40), ..s };
    let kinds = &[Fault::LostAnswer, Fault::LostRequest, Fault::Busy];
    troubled(ctx, Trouble { how: "lost answers", change, kinds }).await
}

/// Nothing arrives anywhere: a sink that goes on acknowledging loses rows.
pub(super) async fn honest(ctx: &Ctx<'_>) -> Verdict {
    let corpus = rows(ctx, ctx.seed)?;
    let base = peace(ctx, &corpus, ctx.seed).await?;
    if base.effect.is_empty() {
        return Ok(Passed::Skip("it writes nothing into what it was granted".to_owned()));
    }
    // Rows only: a schema change that does not get through would end the run before the first row.
    let is_row = |e: &Event| matches!(e, Event::Row(_));
    let corpus = Corpus { events: corpus.events.into_iter().filter(is_row).collect() };
    for fault in [Fault::Busy, Fault::LostRequest] {
        let world = Arc::new(World::new(false, Faults::always(fault)));
        let run = Drive::new(ctx.subject, &world, &corpus, Schedule::cut(ctx.seed)).run().await;
        let told = match run {
            Err(b) if is_stop(&b) => return Err(broken(ctx.seed, &b)),
            // Giving up is as honest as asking to be called again.
            Err(_) => continue,
            Ok(done) => format!("it acknowledged all {} events, {} times", corpus.events.len(), done.flushes),
        };
        let expected = format!("no acknowledgement while every call fails ({fault:?})");
        return Err(Finding { expected, happened: told, seed: ctx.seed });
    }
    Ok(Passed::Pass("2 runs".to_owned()))
}

/// Whether the host had to stop the plugin.
fn is_stop(b: &crate::sink::Broken) -> bool {
    matches!(b, crate::sink::Broken::Call { error, .. } if matches!(error.fault, CallFault::Stopped { .. }))
}
