//! Running checks one after another.

use crate::checks::{Check, Ctx, Passed, of_kind};
use crate::corpus::Corpus;
use crate::report::{Line, Report};
use crate::subject::Subject;
use crate::{Examples, KitError};
use tg_plugin::Kind;

/// What is to be run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Seed of everything that is generated.
    pub seed: u64,
    /// Schedules of each check that has several.
    pub rounds: u32,
    /// Only these checks; empty: all.
    pub only: Vec<String>,
    /// How the component is named in commands that are shown.
    pub shown_as: String,
}

impl Options {
    /// Schedules that are enough to find what is usually wrong.
    pub const ROUNDS: u32 = 6;
}

/// The kind as it is written in commands.
#[must_use]
pub const fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Sink => "sink",
        Kind::Dispatcher => "dispatcher",
        Kind::Transform => "transform",
    }
}

/// Names of the checks for a kind, with what each proves.
#[must_use]
pub fn checks(kind: Kind) -> Vec<(&'static str, &'static str)> {
    of_kind(kind).iter().map(|c| (c.name, c.proves)).collect()
}

/// Runs the checks and the person's own examples. `seen` gets each line as it is done.
///
/// # Errors
/// [`KitError::NoCheck`].
pub async fn run(
    subject: &Subject,
    options: &Options,
    recorded: Option<&Corpus>,
    examples: &[Examples],
    mut seen: impl FnMut(&Line),
) -> Result<Report, KitError> {
    let kind = subject.kind();
    let known = of_kind(kind);
    let names: Vec<&str> = known.iter().map(|c| c.name).chain(examples.iter().map(|e| e.name.as_str())).collect();
    if let Some(unknown) = options.only.iter().find(|o| !names.contains(&o.as_str())) {
        let (name, kind, known) = (unknown.clone(), kind_name(kind), names.join(", "));
        return Err(KitError::NoCheck { name, kind, known });
    }
    let wanted = |name: &str| options.only.is_empty() || options.only.iter().any(|o| o == name);
    let ctx = Ctx { subject, seed: options.seed, rounds: options.rounds.max(1), recorded };
    let mut lines = Vec::new();
    for check in known.iter().filter(|c| wanted(c.name)) {
        let line = one(&ctx, check, options).await;
        seen(&line);
        lines.push(line);
    }
    for example in examples.iter().filter(|e| wanted(&e.name)) {
        let verdict = example.run(subject).await;
        let again = |_| format!("tidegate plugin test {} --check {}", options.shown_as, example.name);
        let line = Line::of(&example.name, "the example comes out as it is written", verdict, again);
        seen(&line);
        lines.push(line);
    }
    let manifest = subject.plugin.manifest();
    Ok(Report {
        plugin: format!("{} {}", manifest.name, manifest.version),
        kind: kind_name(kind).to_owned(),
        seed: options.seed,
        lines,
    })
}

async fn one(ctx: &Ctx<'_>, check: &Check, options: &Options) -> Line {
    let verdict = match ctx.subject.settings.skip.get(check.name) {
        Some(why) => Ok(Passed::Skip(why.clone())),
        None => (check.run)(ctx).await,
    };
    let again =
        |seed| format!("tidegate plugin test {} --check {} --seed {seed} --rounds 1", options.shown_as, check.name);
    Line::of(check.name, check.proves, verdict, again)
}
