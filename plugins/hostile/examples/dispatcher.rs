//! A dispatcher that answers as its configuration names.

use std::sync::Arc;
use tidegate_sdk::tgr1::Batch;
use tidegate_sdk::{Context, Decisions, DispatchPlan, Dispatcher, Failure, Manifest, RowBatch, TableSchema};

/// See the file.
pub struct Hostile {
    mode: String,
    lanes: u16,
}

impl Dispatcher for Hostile {
    fn manifest() -> Manifest {
        Manifest { config_schema: "true".to_owned(), ..Manifest::new("hostile", "1") }
    }

    fn open(ctx: Context) -> Result<Self, Failure> {
        // A changefeed that configures nothing gets lanes that do not exist.
        let mode = if ctx.config == "{}" { "lane" } else { ctx.config.trim_matches('"') };
        Ok(Self { mode: mode.to_owned(), lanes: ctx.lanes as u16 })
    }

    fn on_schema(&mut self, _: Arc<TableSchema>) -> Result<DispatchPlan, Failure> {
        let columns = (self.mode == "reads").then(Vec::new);
        Ok(DispatchPlan { columns, ..DispatchPlan::default() })
    }

    fn dispatch(&mut self, batch: &dyn RowBatch, data: &[u8]) -> Result<Decisions, Failure> {
        let rows = batch.row_count() as usize;
        let none = Decisions::default();
        Ok(match self.mode.as_str() {
            "lane" => Decisions { lanes: vec![self.lanes; rows], ..none },
            "long" => Decisions { lanes: vec![0; rows + 1], ..none },
            "short" => Decisions { partitions: vec![0; rows.saturating_sub(1)], ..none },
            "target" => Decisions { targets: vec![1; rows], ..none },
            "loop" => loop {
                std::hint::black_box(0u64);
            },
            // Asked for row headers only, it reads everything behind the handle.
            "reads" => {
                let all = batch.read(None, 0, u32::MAX).map_err(|e| Failure::fatal("read", e))?;
                let read = Batch::parse(&all)?;
                let sent = Batch::parse(data)?;
                if read.column_count() == 0 || sent.column_count() != 0 || read.len() != rows {
                    return Err(Failure::fatal("read", "not the whole batch"));
                }
                Decisions { lanes: vec![1; rows], ..none }
            }
            _ => none,
        })
    }
}

tidegate_sdk::export_dispatcher!(Hostile);
