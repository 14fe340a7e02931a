//! `rows`: the batch behind the handle.

use crate::bindings::api::rows::{Host, HostRowBatch};
use crate::bindings::api::types::TableRef;
use crate::state::State;
use tgr1::BatchBuf;
use wasmtime::component::Resource;

/// A batch lent to a guest for one call; shares its bytes with the engine's.
pub struct BatchResource(pub(crate) BatchBuf);

/// The rows from `start` on, at most `count`, with these columns, `None`: all.
pub(crate) fn read(batch: &BatchBuf, columns: Option<&[u32]>, start: u32, count: u32) -> Result<Vec<u8>, String> {
    let head = batch.batch();
    if start as usize > head.len() {
        return Err(format!("there is no row {start} in a batch of {}", head.len()));
    }
    if columns.is_some_and(|c| c.len() > head.column_count()) {
        return Err(format!("the batch has {} columns", head.column_count()));
    }
    let all = || head.columns().map(|c| c.position.into()).collect();
    let columns: Vec<u32> = columns.map_or_else(all, <[u32]>::to_vec);
    tgr1::project(&head, &columns, start, count).map_err(|e| e.to_string())
}

impl Host for State {}

impl HostRowBatch for State {
    fn table(&mut self, batch: Resource<BatchResource>) -> wasmtime::Result<TableRef> {
        let batch = self.table.get(&batch)?.0.batch();
        Ok(TableRef { table: batch.table(), version: batch.version() })
    }

    fn row_count(&mut self, batch: Resource<BatchResource>) -> wasmtime::Result<u32> {
        Ok(u32::try_from(self.table.get(&batch)?.0.len()).unwrap_or(u32::MAX))
    }

    fn byte_size(&mut self, batch: Resource<BatchResource>) -> wasmtime::Result<u32> {
        Ok(u32::try_from(self.table.get(&batch)?.0.len_bytes()).unwrap_or(u32::MAX))
    }

    fn read(
        &mut self,
        batch: Resource<BatchResource>,
        columns: Option<Vec<u32>>,
        start: u32,
        count: u32,
    ) -> wasmtime::Result<Result<Vec<u8>, String>> {
        Ok(read(&self.table.get(&batch)?.0, columns.as_deref(), start, count))
    }

    fn drop(&mut self, batch: Resource<BatchResource>) -> wasmtime::Result<()> {
        self.table.delete(batch)?;
        Ok(())
    }
}
