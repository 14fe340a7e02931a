//! Answers of dispatchers and transforms in words, for examples.

use super::decide::Answers;
use crate::corpus::{Cell, Corpus, Event, batch, to_text};
use crate::sink::Broken;
use crate::subject::Subject;
use std::collections::BTreeMap;
use tg_model::TableVersion;
use tg_plugin::TransformPort;
use tgr1::{Batch, LANE_DROP, Value};

/// What was answered for one row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answered {
    pub(crate) lane: Option<u16>,
    pub(crate) target: Option<String>,
    pub(crate) partition: Option<u32>,
    pub(crate) left_out: bool,
    /// Of a transform: the row as it comes out, without its NULLs.
    pub(crate) values: BTreeMap<String, String>,
}

/// The answer for each row of a corpus, each asked for alone.
pub(crate) async fn answer_all(subject: &Subject, config: &str, corpus: &Corpus) -> Result<Vec<Answered>, Broken> {
    let mut answers = Answers::with_config(subject, config).await?;
    let mut out = Vec::new();
    for event in &corpus.events {
        let Event::Row(row) = event else { continue };
        answers.announce(&row.table).await?;
        let output = answers.output(&row.table).cloned();
        let made = batch(&row.table, &[(row, 0)])?;
        if let Some(transform) = answers.transform() {
            let came = transform.transform(&made).await;
            let came = came.map_err(|e| Broken::call(format!("`transform` of {}", row.describe()), e))?;
            let table = output.as_deref().unwrap_or(&row.table);
            let values = came.batch.as_ref().map(|b| values(table, &b.batch()));
            out.push(Answered {
                left_out: values.is_none(),
                values: values.unwrap_or_default(),
                ..Answered::default()
            });
            continue;
        }
        for half in answers.as_handed(row) {
            let made = batch(&half.table, &[(&half, 0)])?;
            if let Some(decided) = answers.decide(&made).await? {
                let target = decided.targets.first().copied().unwrap_or(0);
                out.push(Answered {
                    lane: Some(decided.lanes.first().copied().unwrap_or(0)).filter(|l| *l != LANE_DROP),
                    target: answers.target(&half.table, target),
                    partition: Some(decided.partitions.first().copied().unwrap_or(0)),
                    left_out: decided.lanes.first() == Some(&LANE_DROP),
                    values: BTreeMap::new(),
                });
            }
        }
    }
    Ok(out)
}

/// The latest image of the first row, by column.
fn values(table: &TableVersion, batch: &Batch<'_>) -> BTreeMap<String, String> {
    let Some(image) = batch.row(0).and_then(|r| r.current()) else { return BTreeMap::new() };
    let text = |(i, spec): (usize, tgr1::ColumnSpec)| {
        let column = table.columns.get(usize::from(spec.position))?;
        let cell = match image.value(i, spec).ok()? {
            Value::Null => Cell::Null,
            Value::Int(n) => Cell::Int(n),
            Value::UInt(n) => Cell::Uint(n),
            Value::Float(n) => Cell::Float(n),
            Value::Bytes(b) => Cell::Bytes(b.to_vec()),
        };
        Some((column.name.clone(), to_text(column, &cell)?))
    };
    batch.columns().enumerate().filter_map(text).collect()
}
