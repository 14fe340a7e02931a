//! What came out, for people and for programs.

use crate::checks::{Finding, Passed, Verdict};
use serde::Serialize;

/// How one check ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "result", rename_all = "lowercase")]
pub enum Result {
    /// It holds.
    Passed {
        /// What was seen.
        seen: String,
    },
    /// It does not apply, or the author left it out.
    Skipped {
        /// Why.
        why: String,
    },
    /// It does not hold.
    Failed {
        /// What should have happened.
        expected: String,
        /// What happened.
        happened: String,
        /// The seed that shows it.
        seed: u64,
        /// The command that runs this check alone.
        again: String,
    },
}

/// One line of a report.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Line {
    /// Name of the check, or of the person's own example.
    pub name: String,
    /// What it proves.
    pub proves: String,
    /// How it ended.
    #[serde(flatten)]
    pub result: Result,
}

/// Everything that was checked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Report {
    /// Name and version of the plugin.
    pub plugin: String,
    /// `sink`, `dispatcher` or `transform`.
    pub kind: String,
    /// Seed it was run with.
    pub seed: u64,
    /// The checks in the order they ran.
    pub lines: Vec<Line>,
}

impl Report {
    /// How many failed.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.lines.iter().filter(|l| matches!(l.result, Result::Failed { .. })).count()
    }
}

impl Line {
    pub(crate) fn of(name: &str, proves: &str, verdict: Verdict, again: impl FnOnce(u64) -> String) -> Self {
        let result = match verdict {
            Ok(Passed::Pass(seen)) => Result::Passed { seen },
            Ok(Passed::Skip(why)) => Result::Skipped { why },
            Err(Finding { expected, happened, seed }) => {
                Result::Failed { expected, happened, seed, again: again(seed) }
            }
        };
        Self { name: name.to_owned(), proves: proves.to_owned(), result }
    }

    /// The line as people read it; a failure has several. `mark` paints pass, skip and fail.
    #[must_use]
    pub fn text(&self, mark: impl Fn(&Result, &str) -> String) -> String {
        let Self { name, proves, result } = self;
        match result {
            Result::Passed { seen } => format!("{} {name:<10} {proves} ({seen})", mark(result, "✓")),
            Result::Skipped { why } => format!("{} {name:<10} left out: {why}", mark(result, "–")),
            Result::Failed { expected, happened, seed, again } => format!(
                "{} {name:<10} {proves}\n    expected  {expected}\n    happened  {happened}\n    seed      {seed}\n    again     {again}",
                mark(result, "✗")
            ),
        }
    }
}
