//! Configurations that nobody should write and somebody will.

use super::decide::Answers;
use super::{Ctx, Finding, Passed, Verdict, own};
use crate::corpus::{Change, Event, batch, plain};
use crate::rng::Rng;
use crate::subject::Subject;
use crate::world::{Faults, World};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use tg_model::{Coded, Position, Ts};
use tg_plugin::{Barrier, BarrierKind, CallError, CallFault, Kind, SinkInstance, SinkPort};

/// Configurations of one round.
const TRIES: usize = 40;
/// A text that is longer than anybody would write.
const LONG: usize = 1 << 20;
/// Depth of nested lists.
const DEPTH: usize = 60;

pub(super) async fn any(ctx: &Ctx<'_>) -> Verdict {
    let corpus = plain(ctx.seed, 10).map_err(|e| own(ctx.seed, &e))?;
    let row = corpus.events.iter().find_map(|e| if let Event::Row(r) = e { Some(r) } else { None });
    let row = row.ok_or_else(|| own(ctx.seed, &"the corpus has no rows"))?;
    let mut rng = Rng::part(ctx.seed, "config");
    let (mut taken, mut tries) = (0, 0);
    for _ in 0..TRIES * ctx.rounds as usize {
        let config = draw(&mut rng, ctx.subject).to_string();
        tries += 1;
        let subject = Given { subject: ctx.subject, config: &config };
        match subject.live(row).await {
            Ok(()) => taken += 1,
            Err(e) if matches!(e.fault, CallFault::Stopped { .. }) => {
                let shown: String = config.chars().take(300).collect();
                return Err(Finding {
                    expected: format!("the configuration `{shown}` is taken or refused with a reason"),
                    happened: format!("{}: {e}", e.code()),
                    seed: ctx.seed,
                });
            }
            Err(_) => {}
        }
    }
    Ok(Passed::Pass(format!("{tries} configurations, {taken} of them taken")))
}

fn odd(rng: &mut Rng) -> Value {
    match rng.below(12) {
        0 => Value::Null,
        1 => json!(-1),
        2 => json!(u64::MAX),
        3 => json!(1e308),
        4 => json!(""),
        5 => json!("\u{0}\u{202e}'\"\\"),
        6 => json!("x".repeat(LONG)),
        7 => json!([]),
        8 => json!({}),
        9 => json!(true),
        10 => (0..DEPTH).fold(Value::Null, |inner, _| json!([inner])),
        _ => json!([1, "two", null, { "three": [] }]),
    }
}

/// The author's configuration with something odd in it, or something else altogether.
fn draw(rng: &mut Rng, subject: &Subject) -> Value {
    let given = serde_json::from_str(&subject.settings.config).ok();
    let Some(Value::Object(mut object)) = given.or_else(|| Some(Value::Object(Map::new()))) else { return odd(rng) };
    if rng.permille(150) && object.is_empty() {
        return odd(rng);
    }
    let schema: Value = serde_json::from_str(&subject.plugin.manifest().config_schema).unwrap_or(Value::Null);
    let properties = schema.get("properties").and_then(Value::as_object);
    let mut names: Vec<String> = properties.into_iter().flat_map(|p| p.keys().cloned()).collect();
    names.extend(object.keys().cloned());
    names.push("no-such-key".to_owned());
    for _ in 0..=rng.below(2) {
        let Some(name) = rng.pick(&names).cloned() else { break };
        if rng.permille(150) {
            object.remove(&name);
        } else {
            object.insert(name, odd(rng));
        }
    }
    Value::Object(object)
}

struct Given<'a> {
    subject: &'a Subject,
    config: &'a str,
}

impl Given<'_> {
    /// A short life with the configuration.
    async fn live(&self, row: &Change) -> Result<(), CallError> {
        if self.subject.kind() != Kind::Sink {
            return self.ask(row).await;
        }
        let world = Arc::new(World::new(true, Faults::none()));
        world.learn([&*row.table]);
        let mut spec = self.subject.spec(0, 1, Some(&world));
        spec.config = self.config.to_owned();
        let (mut sink, _) = SinkInstance::open(&self.subject.plugin, &spec).await?;
        sink.on_schema(Arc::clone(&row.table), Arc::from([])).await?;
        if let Ok(made) = batch(&row.table, &[(row, 0)]) {
            sink.write(made).await?;
        }
        let at = Position::rows(Ts::new(row.commit_ts));
        sink.flush(Barrier { id: 1, kind: BarrierKind::Checkpoint, at }).await.map(|_| ())
    }

    async fn ask(&self, row: &Change) -> Result<(), CallError> {
        let run = async {
            let mut answers = Answers::with_config(self.subject, self.config).await?;
            answers.announce(&row.table).await?;
            let made = batch(&row.table, &[(row, 0)])?;
            answers.ask(&made).await.map(|_| ())
        };
        match run.await {
            Err(crate::sink::Broken::Call { error, .. }) => Err(error),
            _ => Ok(()),
        }
    }
}
