//! Answers of a dispatcher, and those checks that a transform shares.

use super::decide::{Answer, all};
use super::sink::rows;
use super::{Ctx, Finding, Passed, Verdict, broken, own};
use crate::KitError;
use crate::corpus::{self, Cell, Change, Corpus};
use crate::sink::Schedule;
use std::collections::HashMap;

pub(super) async fn ask(
    ctx: &Ctx<'_>,
    corpus: &Corpus,
    mut schedule: Schedule,
    seed: u64,
) -> Result<Vec<(Change, Answer)>, Finding> {
    all(ctx.subject, corpus, &mut schedule).await.map_err(|b| broken(seed, &b))
}

async fn both_ways(ctx: &Ctx<'_>, corpus: Result<Corpus, KitError>) -> Verdict {
    let corpus = corpus.map_err(|e| own(ctx.seed, &e))?;
    let large = ask(ctx, &corpus, Schedule { batch_rows: (5, 5), ..Schedule::calm() }, ctx.seed).await?;
    let single = ask(ctx, &corpus, Schedule { batch_rows: (1, 1), ..Schedule::calm() }, ctx.seed).await?;
    same(&large, &single, "single rows", ctx.seed)?;
    Ok(Passed::Pass(format!("{} rows", corpus.rows())))
}

/// Whether every row came to the same.
fn same(wanted: &[(Change, Answer)], found: &[(Change, Answer)], how: &str, seed: u64) -> Result<(), Finding> {
    for ((row, wanted), (_, found)) in wanted.iter().zip(found) {
        if wanted != found {
            let short = |a: &Answer| a.chars().take(200).collect::<String>();
            return Err(Finding {
                expected: format!("{}: {} (as without {how})", row.describe(), short(wanted)),
                happened: short(found),
                seed,
            });
        }
    }
    Ok(())
}

pub(super) async fn types(ctx: &Ctx<'_>) -> Verdict {
    both_ways(ctx, corpus::types(ctx.seed)).await
}

pub(super) async fn large(ctx: &Ctx<'_>) -> Verdict {
    both_ways(ctx, corpus::large()).await
}

pub(super) async fn batching(ctx: &Ctx<'_>) -> Verdict {
    for seed in ctx.seeds() {
        let corpus = rows(ctx, seed)?;
        let wanted = ask(ctx, &corpus, Schedule::calm(), seed).await?;
        let found = ask(ctx, &corpus, Schedule::cut(seed), seed).await?;
        same(&wanted, &found, "other batches", seed)?;
    }
    Ok(Passed::Pass(format!("{} runs", ctx.rounds)))
}

pub(super) async fn again(ctx: &Ctx<'_>) -> Verdict {
    for seed in ctx.seeds() {
        let corpus = rows(ctx, seed)?;
        let wanted = ask(ctx, &corpus, Schedule::calm(), seed).await?;
        let found = ask(ctx, &corpus, Schedule::calm(), seed).await?;
        same(&wanted, &found, "a new instance", seed)?;
    }
    Ok(Passed::Pass(format!("{} runs", ctx.rounds)))
}

/// The lane of an answer; `None`: it goes nowhere.
fn lane(answer: &str) -> Option<&str> {
    let lane = answer.strip_prefix("lane ")?.split(',').next()?;
    (lane != "65535").then_some(lane)
}

pub(super) async fn keys(ctx: &Ctx<'_>) -> Verdict {
    let mut count = 0;
    for seed in ctx.seeds() {
        let corpus = rows(ctx, seed)?;
        let mut lanes: HashMap<String, (String, String)> = HashMap::new();
        for (row, answer) in ask(ctx, &corpus, Schedule::calm(), seed).await? {
            let Some(lane) = lane(&answer) else { continue };
            for key in key_texts(&row) {
                let (known, first) = lanes.entry(key).or_insert_with(|| (lane.to_owned(), row.describe()));
                if known.as_str() != lane {
                    return Err(Finding {
                        expected: format!("lane {known} for every row of its key, as for: {first}"),
                        happened: format!("lane {lane} for: {}", row.describe()),
                        seed,
                    });
                }
            }
        }
        count += lanes.len();
    }
    Ok(Passed::Pass(format!("{count} keys")))
}

/// The keys a row touches, with its table; none when it has none.
pub(super) fn key_texts(row: &Change) -> Vec<String> {
    let key = row.table.row_key_columns();
    let text = |image: &Vec<Cell>| {
        let cells: Vec<_> = key.iter().map(|i| image.get(*i as usize)).collect();
        format!("{} {cells:?}", row.table.table)
    };
    if key.is_empty() {
        return Vec::new();
    }
    let mut out: Vec<String> = [&row.before, &row.after].into_iter().flatten().map(text).collect();
    out.dedup();
    out
}
