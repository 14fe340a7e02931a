//! The mounter, and what the pipeline does with batches.

use super::Limits;
use crate::args::Options;
use crate::fixture;
use crate::measure::{Work, compare};
use crate::table::Line;
use std::sync::Arc;
use tg_model::{ChangeOp, RawChange};
use tg_mounter::{MountOptions, TableMounter};
use tgr1::{Batch, BatchBuf};

/// Rows of a batch.
const ROWS: u64 = 4096;
/// Rows of a batch as a number of one.
const ROWS_U32: u32 = 4096;

fn mount<'a>(rounds: u64, changes: Vec<RawChange>) -> anyhow::Result<Work<'a>> {
    let table = fixture::table();
    let mut mounter = TableMounter::new(Arc::clone(&table), MountOptions::default())?;
    let mut writer = mounter.writer(table.since.get(), 2 << 20);
    let mut spare = Vec::new();
    Ok(Box::new(move || {
        for _ in 0..rounds {
            for change in &changes {
                mounter.mount(change, &mut writer)?;
            }
            let done = writer.finish_with(std::mem::take(&mut spare));
            anyhow::ensure!(Batch::parse(&done)?.len() as u64 == ROWS, "rows are lost");
            spare = done;
        }
        Ok(rounds * ROWS)
    }))
}

/// Measures them.
pub(crate) fn run(options: &Options, limits: &Limits, lines: &mut Vec<Line>) -> anyhow::Result<()> {
    if !options.wants("stage: mounter") && !options.wants("stage: batch") {
        return Ok(());
    }
    let rounds = options.scaled(200);
    let value = fixture::row_value();
    let inserts = fixture::inserts(0, ROWS, &value);
    let updates = inserts.iter().cloned().map(|c| RawChange { op: ChangeOp::Update, old_value: value.clone(), ..c });
    let updates = updates.collect();
    let batch = fixture::batch(0, ROWS)?;
    let half: Vec<u32> = (0..ROWS_U32).filter(|i| i % 2 == 0).collect();
    let mut works = vec![mount(rounds, inserts)?, mount(rounds, updates)?];
    works.push(Box::new(|| {
        for _ in 0..rounds {
            std::hint::black_box(BatchBuf::new(batch.as_bytes().to_vec())?);
        }
        Ok(rounds * ROWS)
    }));
    works.push(Box::new(|| {
        for _ in 0..rounds {
            std::hint::black_box(tgr1::project(&batch.batch(), &[0], 0, u32::MAX)?);
        }
        Ok(rounds * ROWS)
    }));
    works.push(Box::new(|| {
        for _ in 0..rounds {
            std::hint::black_box(tgr1::select(&batch.batch(), half.iter().copied())?);
        }
        Ok(rounds * ROWS / 2)
    }));
    let names = [
        "stage: mounter, insert",
        "stage: mounter, update with both images",
        "stage: batch copy and check",
        "stage: batch key projection",
        "stage: batch rows of one lane selected",
    ];
    let bytes = batch.len_bytes() as f64 / ROWS as f64;
    for (name, cost) in names.into_iter().zip(compare(options.samples, &mut works)?) {
        lines.push(Line::per_row(name, cost, bytes).ratio(limits.copies(cost.cpu_ns, bytes)));
    }
    Ok(())
}
