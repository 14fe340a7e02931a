//! {{name}}: rows of one key go to one lane, so that their order is kept.

use std::sync::Arc;
use tidegate_sdk::tgr1::{Batch, Image};
use tidegate_sdk::{Context, Decisions, DispatchPlan, Dispatcher, Failure, Manifest, RowBatch, TableSchema};

struct {{Camel}} {
    lanes: u64,
}

impl Dispatcher for {{Camel}} {
    fn manifest() -> Manifest {
        Manifest::new("{{name}}", env!("CARGO_PKG_VERSION"))
    }

    fn open(ctx: Context) -> Result<Self, Failure> {
        Ok(Self { lanes: u64::from(ctx.lanes.max(1)) })
    }

    fn on_schema(&mut self, table: Arc<TableSchema>) -> Result<DispatchPlan, Failure> {
        Ok(DispatchPlan {
            // Only the key crosses; a change of the key comes as a delete and an insert, which may go to different lanes.
            columns: Some(table.row_key_columns().to_vec()),
            split_key_updates: true,
            ..DispatchPlan::default()
        })
    }

    fn dispatch(&mut self, _batch: &dyn RowBatch, data: &[u8]) -> Result<Decisions, Failure> {
        let batch = Batch::parse(data)?;
        let lane = |image: Option<Image<'_>>| (image.map_or(0, |i| hash(&batch, &i)) % self.lanes) as u16;
        let lanes = batch.iter().map(|row| lane(row.current())).collect();
        Ok(Decisions { lanes, ..Decisions::default() })
    }
}

/// FNV-1a over the key's values. The same for ever: nothing random, nothing of the process.
fn hash(batch: &Batch<'_>, image: &Image<'_>) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut take = |bytes: &[u8]| {
        for byte in bytes {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    for (i, column) in batch.columns().enumerate() {
        match column.slot {
            tidegate_sdk::tgr1::SlotKind::Bytes => take(image.bytes(i).unwrap_or_default()),
            _ => take(&image.u64(i).unwrap_or_default().to_le_bytes()),
        }
    }
    hash
}

tidegate_sdk::export_dispatcher!({{Camel}});
