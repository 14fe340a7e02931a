//! Memory over many rows.

use super::decide::Answers;
use super::{Ctx, Finding, Passed, Verdict, broken, own};
use crate::corpus::{Change, Event, batch, plain};
use crate::sink::Broken;
use crate::world::World;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use tg_model::{Position, TableVersion, Ts};
use tg_plugin::{Barrier, BarrierKind, SinkInstance, SinkPort};
use tgr1::BatchBuf;

/// Rounds of the same rows.
const ROUNDS: u32 = 60;
/// Rounds after which everything that is kept on purpose should be there.
const WARM: u32 = 15;
/// Transactions of the rows.
const TXNS: usize = 1500;
/// What may be added later: a language's heap grows in steps.
const SLACK_BYTES: u64 = 4 << 20;

/// The rows of one table that never changes, as a batch.
fn rows(ctx: &Ctx<'_>) -> Result<(Arc<TableVersion>, Arc<BatchBuf>), Finding> {
    let corpus = plain(ctx.seed, TXNS).map_err(|e| own(ctx.seed, &e))?;
    let row = |e: &Event| if let Event::Row(r) = e { Some(r.clone()) } else { None };
    let rows: Vec<Change> = corpus.events.iter().filter_map(row).collect();
    let Some(table) = rows.first().map(|r| Arc::clone(&r.table)) else {
        return Err(own(ctx.seed, &"the corpus has no rows"));
    };
    let of_table: Vec<_> = rows.iter().filter(|r| Arc::ptr_eq(&r.table, &table)).map(|r| (r, 0)).collect();
    let made = batch(&table, &of_table).map_err(|e| own(ctx.seed, &e))?;
    Ok((table, made))
}

fn judge(ctx: &Ctx<'_>, warm: u64, rows: usize) -> Verdict {
    let end = ctx.subject.plugin.metrics().memory_peak_bytes.load(Relaxed);
    let grown = end.saturating_sub(warm);
    if grown > SLACK_BYTES + warm / 8 {
        return Err(Finding {
            expected: format!("memory stays near {} KiB, where it was after {} rows", warm >> 10, rows * WARM as usize),
            happened: format!("after {} rows it is {} KiB", rows * ROUNDS as usize, end >> 10),
            seed: ctx.seed,
        });
    }
    Ok(Passed::Pass(format!("{} KiB after {} rows", end >> 10, rows * ROUNDS as usize)))
}

fn peak(ctx: &Ctx<'_>) -> u64 {
    ctx.subject.plugin.metrics().memory_peak_bytes.load(Relaxed)
}

pub(super) async fn sink(ctx: &Ctx<'_>) -> Verdict {
    let (table, made) = rows(ctx)?;
    let warm = run_sink(ctx, &table, &made).await.map_err(|b| broken(ctx.seed, &b))?;
    judge(ctx, warm, made.len())
}

async fn run_sink(ctx: &Ctx<'_>, table: &Arc<TableVersion>, made: &Arc<BatchBuf>) -> Result<u64, Broken> {
    let spec = ctx.subject.spec(0, 1, Some(&Arc::new(World::forgetful())));
    let opened = SinkInstance::open(&ctx.subject.plugin, &spec).await;
    let (mut sink, _) = opened.map_err(|e| Broken::call("`open`", e))?;
    let told = sink.on_schema(Arc::clone(table), Arc::from([])).await;
    told.map_err(|e| Broken::call("`on-schema`", e))?;
    let mut warm = 0;
    for round in 1..=ROUNDS {
        let written = sink.write(Arc::clone(made)).await;
        written.map_err(|e| Broken::call(format!("`write` of {} rows", made.len()), e))?;
        let at = Position::rows(Ts::new(made.batch().commit_ts_range().1 + u64::from(round)));
        let flushed = sink.flush(Barrier { id: round, kind: BarrierKind::Checkpoint, at }).await;
        flushed.map_err(|e| Broken::call("`flush`", e))?;
        if round == WARM {
            warm = peak(ctx);
        }
    }
    Ok(warm)
}

pub(super) async fn dispatcher(ctx: &Ctx<'_>) -> Verdict {
    pure(ctx).await
}

pub(super) async fn transform(ctx: &Ctx<'_>) -> Verdict {
    pure(ctx).await
}

async fn pure(ctx: &Ctx<'_>) -> Verdict {
    let (table, made) = rows(ctx)?;
    let mut warm = 0;
    let run = async {
        let mut answers = Answers::open(ctx.subject).await?;
        answers.announce(&table).await?;
        for round in 1..=ROUNDS {
            answers.ask(&made).await?;
            if round == WARM {
                warm = peak(ctx);
            }
        }
        Ok(())
    };
    run.await.map_err(|b: Broken| broken(ctx.seed, &b))?;
    judge(ctx, warm, made.len())
}
