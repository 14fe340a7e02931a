//! What is checked, and how it is told.

mod answered;
mod config;
mod decide;
mod dispatcher;
mod memory;
mod quiet;
mod sink;
mod transform;
mod zombie;

pub(crate) use answered::{Answered, answer_all};
pub(crate) use decide::Answers;

use crate::corpus::Corpus;
use crate::sink::Broken;
use crate::subject::Subject;
use crate::world::Difference;
use futures::future::BoxFuture;
use tg_plugin::Kind;

/// A check that did not fail.
pub(crate) enum Passed {
    /// With what was seen.
    Pass(String),
    /// It does not apply, and why.
    Skip(String),
}

/// A check that failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Finding {
    pub(crate) expected: String,
    pub(crate) happened: String,
    /// The seed that shows it with one round.
    pub(crate) seed: u64,
}

pub(crate) type Verdict = Result<Passed, Finding>;

/// What a check is run with.
pub(crate) struct Ctx<'a> {
    pub(crate) subject: &'a Subject,
    pub(crate) seed: u64,
    /// Schedules, each with the next seed.
    pub(crate) rounds: u32,
    /// Rows that were recorded, in place of generated ones.
    pub(crate) recorded: Option<&'a Corpus>,
}

impl Ctx<'_> {
    pub(crate) fn seeds(&self) -> impl Iterator<Item = u64> + use<> {
        (0..u64::from(self.rounds)).map({
            let seed = self.seed;
            move |n| seed.wrapping_add(n)
        })
    }
}

/// A check.
pub(crate) struct Check {
    pub(crate) name: &'static str,
    /// What a plugin that passes can be trusted with.
    pub(crate) proves: &'static str,
    pub(crate) run: for<'a> fn(&'a Ctx<'a>) -> BoxFuture<'a, Verdict>,
}

/// The checks for a kind of plugin, in the order they run.
pub(crate) const fn of_kind(kind: Kind) -> &'static [Check] {
    match kind {
        Kind::Sink => SINK,
        Kind::Dispatcher => DISPATCHER,
        Kind::Transform => TRANSFORM,
    }
}

macro_rules! check {
    ($name:literal, $run:path, $proves:literal) => {
        Check { name: $name, proves: $proves, run: |ctx| Box::pin($run(ctx)) }
    };
}

/// `memory` comes first: the greatest memory of all instances is what can be seen.
const SINK: &[Check] = &[
    check!("memory", memory::sink, "memory does not grow with the rows that went through"),
    check!("life", sink::life, "rows, schema changes and flushes in order go through"),
    check!("types", sink::types, "every type, NULLs, zero dates, the largest decimals, tables without a key"),
    check!("large", sink::large, "rows of megabytes and tables of a thousand columns, within memory and time"),
    check!("tables", sink::tables, "hundreds of tables and versions; what it keeps stays within 64 KiB"),
    check!("quiet", quiet::sink, "ticks, empty batches, flushes of nothing and unknown tables change nothing"),
    check!("batching", sink::batching, "the same is left behind, however rows are cut into batches and flushes"),
    check!("durable", sink::durable, "what it acknowledged is still there when the instance is gone"),
    check!("replay", sink::replay, "rows that come again after a crash between write and flush leave the same behind"),
    check!("swap", sink::swap, "another instance can take over at any barrier"),
    check!("ddl", sink::ddl, "a schema change that may have run before can be handed over again"),
    check!("retry", sink::retry, "a downstream that is busy makes it say retryable, and nothing is lost or doubled"),
    check!("unknown", sink::unknown, "an answer that got lost makes it say unknown or retryable, and nothing is lost"),
    check!("honest", sink::honest, "it acknowledges nothing while every call fails"),
    check!("zombie", zombie::sink, "an instance that was replaced says fenced and writes nothing"),
    check!("config", config::any, "no configuration traps it"),
];

const DISPATCHER: &[Check] = &[
    check!("memory", memory::dispatcher, "memory does not grow with the rows that went through"),
    check!("types", dispatcher::types, "every type, NULLs and zero dates are decided"),
    check!("large", dispatcher::large, "rows of megabytes and tables of a thousand columns, within memory and time"),
    check!("batching", dispatcher::batching, "a row's place does not depend on the rows beside it"),
    check!("again", dispatcher::again, "another instance gives the same answers"),
    check!("keys", dispatcher::keys, "rows of one key stay in one lane, so their order is kept"),
    check!("config", config::any, "no configuration traps it"),
];

const TRANSFORM: &[Check] = &[
    check!("memory", memory::transform, "memory does not grow with the rows that went through"),
    check!("types", transform::types, "every type, NULLs and zero dates pass"),
    check!("large", transform::large, "rows of megabytes and tables of a thousand columns, within memory and time"),
    check!("batching", transform::batching, "what becomes of a row does not depend on the rows beside it"),
    check!("again", transform::again, "another instance gives the same answers"),
    check!("keys", transform::keys, "rows that differ in their key still do"),
    check!("ddl", transform::ddl, "a schema change says the same of a table as the table's own output"),
    check!("config", config::any, "no configuration traps it"),
];

/// A broken run, as a finding.
pub(crate) fn broken(seed: u64, broken: &Broken) -> Finding {
    let (expected, happened) = broken.told();
    Finding { expected, happened, seed }
}

/// A difference of two runs, as a finding.
pub(crate) fn differs(seed: u64, how: &str, difference: Difference) -> Finding {
    let Difference { expected, happened } = difference;
    Finding { expected: format!("{expected} (as without {how})"), happened, seed }
}

/// The kit's own trouble, as a finding.
pub(crate) fn own(seed: u64, error: &impl std::fmt::Display) -> Finding {
    Finding { expected: "the kit can make its rows".to_owned(), happened: error.to_string(), seed }
}
