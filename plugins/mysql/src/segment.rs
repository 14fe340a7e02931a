//! Changes of one table version between two flushes.

use crate::keyed::Keyed;
use crate::keyless::write_keyless;
use crate::statements::KeyedWriter;
use crate::table::Table;
use tg_sql_common::{Kept, KeyMode, Limits, RowRef, Segment};
use tgr1::{Batch, FormatError, Op, Row};
use tidegate_sdk::BadEvent;
use tidegate_sdk::sql::Blocks;

/// Rows with a key are turned to text as they come, so that no batch is kept for them; batches of tables without one are.
#[derive(Default)]
pub struct Changes {
    keyed: Keyed,
    /// Of tables without a key: every change, in commit order.
    rows: Vec<RowRef>,
}

impl Segment for Changes {
    type Table = Table;

    fn take(&mut self, table: &Table, batch: &Batch<'_>, kept: &mut Kept) -> Result<Vec<BadEvent>, FormatError> {
        if table.mode != KeyMode::Keyless {
            self.keyed.apply(table, batch)?;
        } else if batch.iter().all(has_images) {
            self.rows.extend((0..batch.len()).map(|row| kept.upcoming(row)));
            kept.keep(batch)?;
        } else {
            return Err(FormatError::Bounds("image"));
        }
        Ok(Vec::new())
    }

    fn len_bytes(&self) -> usize {
        self.keyed.len_bytes()
    }

    fn write(
        &self,
        table: &Table,
        kept: &Kept,
        safe: bool,
        limits: Limits,
        out: &mut Blocks,
    ) -> Result<u64, FormatError> {
        if table.mode != KeyMode::Keyless {
            return Ok(KeyedWriter { table, keyed: &self.keyed, limits }.write(safe, out));
        }
        write_keyless(table, &self.rows, kept, safe, limits, out)?;
        Ok(self.rows.len() as u64)
    }

    fn recycled(self) -> Option<Self> {
        self.keyed.recycled().map(|keyed| Self { keyed, rows: Vec::new() })
    }
}

/// Whether a row has the images that its kind of change demands.
fn has_images(row: Row<'_>) -> bool {
    match row.op() {
        Op::Insert => row.after().is_some(),
        Op::Update => row.before().is_some() && row.after().is_some(),
        Op::Delete => row.before().is_some(),
    }
}
