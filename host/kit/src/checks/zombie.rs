//! An instance that was replaced and does not know it.

use super::sink::rows;
use super::{Ctx, Finding, Passed, Verdict, broken};
use crate::corpus::{Change, Event, batch};
use crate::sink::{Broken, before};
use crate::world::{Effect, Faults, World};
use std::sync::Arc;
use tg_plugin::{Barrier, BarrierKind, CallError, SinkInstance, SinkPort};

/// Rows that the old instance holds when the new one starts.
const ROWS: usize = 8;

pub(super) async fn sink(ctx: &Ctx<'_>) -> Verdict {
    let corpus = rows(ctx, ctx.seed)?;
    let world = Arc::new(World::new(true, Faults::none()));
    world.learn(corpus.tables().iter().map(|v| &**v));
    let judged = judge(ctx, &world, &corpus.events).await.map_err(|b| broken(ctx.seed, &b))?;
    let Judged { answer, held, after } = judged;
    let finding = |happened: String| {
        let expected = "the old instance says fenced, and writes nothing".to_owned();
        Err(Finding { expected, happened, seed: ctx.seed })
    };
    if world.fenced() == 0 {
        return Ok(Passed::Skip("nothing that it writes through fences".to_owned()));
    }
    if let Err(difference) = held.compare(&after, None) {
        return finding(format!("it wrote: {}", difference.happened));
    }
    match answer {
        Ok(()) => finding("it acknowledged its rows although every call was refused as fenced".to_owned()),
        Err(e) if Broken::call("", e.clone()).is_fenced() => Ok(Passed::Pass("it said fenced".to_owned())),
        Err(e) => finding(format!("it answered: {e}")),
    }
}

struct Judged {
    /// Of the old instance's last flush.
    answer: Result<(), CallError>,
    /// What was there when it was replaced, and at the end.
    held: Effect,
    after: Effect,
}

async fn judge(ctx: &Ctx<'_>, world: &Arc<World>, events: &[Event]) -> Result<Judged, Broken> {
    let open = async |epoch| {
        let spec = ctx.subject.spec(0, epoch, Some(world));
        SinkInstance::open(&ctx.subject.plugin, &spec).await.map_err(|e| Broken::call("`open`", e))
    };
    let (mut old, _) = open(1).await?;
    let first = events.iter().position(|e| matches!(e, Event::Row(_))).unwrap_or(0);
    let mut end = first;
    for event in events.iter().skip(first).take(ROWS) {
        let Event::Row(row) = event else { break };
        hand_over(&mut old, row).await?;
        end += 1;
    }
    let (_new, _) = open(2).await?;
    let held = world.effect();
    let barrier = Barrier { id: 1, kind: BarrierKind::Checkpoint, at: before(events, end) };
    let answer = old.flush(barrier).await.map(|_| ());
    Ok(Judged { answer, held, after: world.effect() })
}

async fn hand_over(to: &mut SinkInstance, row: &Change) -> Result<(), Broken> {
    let told = to.on_schema(Arc::clone(&row.table), Arc::from([])).await;
    told.map_err(|e| Broken::call("`on-schema`", e))?;
    let made = batch(&row.table, &[(row, 0)])?;
    to.write(made).await.map(|_| ()).map_err(|e| Broken::call(format!("`write` of {}", row.describe()), e))
}
