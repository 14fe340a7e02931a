//! Answers of a transform. That they fit their rows and their own schema is checked by the host.

use super::decide::Answers;
use super::dispatcher;
use super::sink::rows;
use super::{Ctx, Finding, Passed, Verdict, broken};
use crate::corpus::{Change, Event, batch};
use crate::sink::Broken;
use std::collections::HashMap;
use std::sync::Arc;
use tg_model::TableVersion;
use tg_plugin::TransformPort;

pub(super) async fn types(ctx: &Ctx<'_>) -> Verdict {
    dispatcher::types(ctx).await
}

pub(super) async fn large(ctx: &Ctx<'_>) -> Verdict {
    dispatcher::large(ctx).await
}

pub(super) async fn batching(ctx: &Ctx<'_>) -> Verdict {
    dispatcher::batching(ctx).await
}

pub(super) async fn again(ctx: &Ctx<'_>) -> Verdict {
    dispatcher::again(ctx).await
}

/// Two rows with different keys that come out with the same one would overwrite each other.
pub(super) async fn keys(ctx: &Ctx<'_>) -> Verdict {
    let corpus = rows(ctx, ctx.seed)?;
    let mut answers = Answers::open(ctx.subject).await.map_err(|b| broken(ctx.seed, &b))?;
    let mut seen: HashMap<String, (String, String)> = HashMap::new();
    for event in &corpus.events {
        let Event::Row(row) = event else { continue };
        let out = key_after(&mut answers, row).await.map_err(|b| broken(ctx.seed, &b))?;
        let (Some(out), Some(source)) = (out, dispatcher::key_texts(row).pop()) else { continue };
        let (known, first) = seen.entry(out).or_insert_with(|| (source.clone(), row.describe()));
        if *known != source {
            return Err(Finding {
                expected: "rows with different keys come out with different keys".to_owned(),
                happened: format!("the same key for `{first}` and `{}`", row.describe()),
                seed: ctx.seed,
            });
        }
    }
    Ok(Passed::Pass(format!("{} keys", seen.len())))
}

/// The key of the row's latest image as it comes out, with its table; `None`: no row comes out, or it has no key.
async fn key_after(answers: &mut Answers, row: &Change) -> Result<Option<String>, Broken> {
    answers.announce(&row.table).await?;
    let output = answers.output(&row.table).unwrap_or(&row.table).clone();
    if !answers.is_active(&row.table) {
        return Ok(None);
    }
    let Some(transform) = answers.transform() else { return Ok(None) };
    let made = batch(&row.table, &[(row, 0)])?;
    let out = transform.transform(&made).await;
    let out = out.map_err(|e| Broken::call(format!("`transform` of {}", row.describe()), e))?;
    let Some(batch) = out.batch else { return Ok(None) };
    let batch = batch.batch();
    let key = output.row_key_columns();
    let Some(image) = batch.row(0).and_then(|r| r.current()).filter(|_| !key.is_empty()) else { return Ok(None) };
    let cells: Option<Vec<String>> = key
        .iter()
        .map(|i| {
            let value = image.value(*i as usize, batch.column(*i as usize)?).ok()?;
            Some(format!("{value:?}"))
        })
        .collect();
    Ok(cells.map(|cells| format!("{} {}", row.table.table, cells.join("/"))))
}

/// What a DDL says of a table is what `on-schema` says of it.
pub(super) async fn ddl(ctx: &Ctx<'_>) -> Verdict {
    let corpus = rows(ctx, ctx.seed)?;
    let mut count = 0;
    let mut answers = Answers::open(ctx.subject).await.map_err(|b| broken(ctx.seed, &b))?;
    for event in &corpus.events {
        let Event::Ddl(event) = event else { continue };
        count += 1;
        let run = async {
            for version in event.before.iter().chain(&event.after) {
                answers.announce(version).await?;
            }
            let wanted = event.after.as_ref().map(|v| answers.output(v).unwrap_or(v).clone());
            let Some(transform) = answers.transform() else { return Ok((wanted, None)) };
            let mut told = Vec::new();
            for maybe_done in [false, true] {
                let answer = transform.on_ddl(Arc::clone(event), maybe_done).await;
                told.push(answer.map_err(|e| Broken::call(format!("`on-ddl` of `{}`", event.query), e))?);
            }
            let (last, first) = (told.pop().flatten(), told.pop().flatten());
            if first != last {
                return Err(Broken::Claim {
                    expected: format!("the same answer to `{}` when it comes again", event.query),
                    happened: "another".to_owned(),
                });
            }
            Ok((wanted, first))
        };
        let (wanted, told) = run.await.map_err(|b| broken(ctx.seed, &b))?;
        let Some(told) = told else { continue };
        if told.after.as_deref().map(shape) != wanted.as_deref().map(shape) {
            let show = |v: Option<&Arc<TableVersion>>| v.map_or_else(|| "no table".to_owned(), |v| shown(v));
            return Err(Finding {
                expected: format!(
                    "behind `{}` the table is what `on-schema` says: {}",
                    event.query,
                    show(wanted.as_ref())
                ),
                happened: show(told.after.as_ref()),
                seed: ctx.seed,
            });
        }
    }
    Ok(Passed::Pass(format!("{count} statements")))
}

/// What others see of a table: its name, its columns with their types, its key.
fn shape(v: &TableVersion) -> (&str, &str, Vec<(&str, String)>, &[u32]) {
    let columns = v.columns.iter().map(|c| (c.name.as_str(), tg_mounter::source_type(&c.ty))).collect();
    (&v.schema, &v.name, columns, v.row_key_columns())
}

fn shown(v: &TableVersion) -> String {
    let columns: Vec<&str> = v.columns.iter().map(|c| c.name.as_str()).collect();
    format!("{}.{} ({})", v.schema, v.name, columns.join(", "))
}
