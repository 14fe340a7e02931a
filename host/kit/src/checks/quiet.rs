//! Calls that bring nothing.

use super::sink::{rows, same};
use super::{Ctx, Finding, Passed, Verdict, broken};
use crate::corpus::Event;
use crate::sink::{Broken, Drive, Schedule, may_pass};
use crate::world::{Faults, World};
use std::sync::Arc;
use tg_model::{Position, Ts};
use tg_plugin::{Barrier, BarrierKind, CallError, SinkInstance, SinkPort};

pub(super) async fn sink(ctx: &Ctx<'_>) -> Verdict {
    let corpus = rows(ctx, ctx.seed)?;
    let calm = Arc::new(World::new(true, Faults::none()));
    let base = Drive::new(ctx.subject, &calm, &corpus, Schedule::calm()).run().await;
    let base = base.map_err(|b| broken(ctx.seed, &b))?;
    let world = Arc::new(World::new(true, Faults::none()));
    let schedule = Schedule { tick: 500, empty: 500, ..Schedule::cut(ctx.seed) };
    let done = Drive::new(ctx.subject, &world, &corpus, schedule).run().await.map_err(|b| broken(ctx.seed, &b))?;
    same(ctx, &corpus, ctx.seed, (&base, &done), "ticks and empty batches").await?;
    let idle = Arc::new(World::new(true, Faults::none()));
    idle_life(ctx, &idle, &corpus.events).await.map_err(|b| broken(ctx.seed, &b))?;
    let left = idle.effect();
    if left.tables.values().any(|rows| !rows.is_empty()) {
        let expected = "an instance that got no rows writes none".to_owned();
        return Err(Finding { expected, happened: format!("it wrote {:?}", left.tables), seed: ctx.seed });
    }
    Ok(Passed::Pass("ticks, empty batches, flushes and checkpoints without rows".to_owned()))
}

/// Everything but rows.
async fn idle_life(ctx: &Ctx<'_>, world: &Arc<World>, events: &[Event]) -> Result<(), Broken> {
    let allowed = |doing: &str, answer: Result<(), CallError>| match answer {
        Err(e) if !may_pass(&e) => Err(Broken::call(doing, e)),
        _ => Ok(()),
    };
    let spec = ctx.subject.spec(0, 1, Some(world));
    let opened = SinkInstance::open(&ctx.subject.plugin, &spec).await;
    let (mut sink, _) = opened.map_err(|e| Broken::call("`open`", e))?;
    let mut id = 0;
    for event in events {
        let Event::Row(row) = event else { continue };
        if id >= 4 {
            break;
        }
        id += 1;
        allowed("`on-tick`", sink.on_tick().await)?;
        let at = Position::rows(Ts::new(row.commit_ts));
        for _ in 0..2 {
            let told = sink.on_schema(Arc::clone(&row.table), Arc::from([])).await;
            allowed("`on-schema`, also told twice", told.map(|_| ()))?;
        }
        let flushed = sink.flush(Barrier { id, kind: BarrierKind::Checkpoint, at }).await;
        allowed("`flush` of nothing", flushed.map(|_| ()))?;
        allowed("`status`", sink.status().await.map(|_| ()))?;
        for _ in 0..2 {
            allowed("`drop-schema`, also of a table that was not announced", sink.drop_schema(&row.table).await)?;
        }
        allowed("`on-checkpoint`", sink.on_checkpoint(at).await)?;
    }
    sink.close().await;
    Ok(())
}
