//! `rows`: the batch behind the handle.

use crate::bindings::api::rows::{Host, HostRowBatch};
use crate::bindings::api::types::TableRef;
use crate::state::State;
use std::sync::Arc;
use tgr1::{Batch, BatchBuf};
use wasmtime::component::Resource;

/// A batch lent to a guest for one call.
pub enum BatchResource {
    /// Shared with the engine.
    Shared(Arc<BatchBuf>),
    /// A dispatcher that asked for a projection sees the batch without rows to read.
    HeaderOnly(TableRef, u32, u32),
}

impl BatchResource {
    fn batch(&self) -> Option<Batch<'_>> {
        match self {
            Self::Shared(b) => Some(b.batch()),
            Self::HeaderOnly(..) => None,
        }
    }
}

/// The name of a batch's table version.
pub(crate) fn table_ref(batch: &Batch<'_>) -> TableRef {
    TableRef { table: batch.table(), version: batch.version() }
}

impl Host for State {}

impl HostRowBatch for State {
    async fn table(&mut self, batch: Resource<BatchResource>) -> wasmtime::Result<TableRef> {
        Ok(match self.table.get(&batch)? {
            BatchResource::Shared(b) => table_ref(&b.batch()),
            BatchResource::HeaderOnly(table, ..) => *table,
        })
    }

    async fn row_count(&mut self, batch: Resource<BatchResource>) -> wasmtime::Result<u32> {
        Ok(match self.table.get(&batch)? {
            BatchResource::Shared(b) => u32::try_from(b.len()).unwrap_or(u32::MAX),
            BatchResource::HeaderOnly(_, rows, _) => *rows,
        })
    }

    async fn byte_size(&mut self, batch: Resource<BatchResource>) -> wasmtime::Result<u32> {
        Ok(match self.table.get(&batch)? {
            BatchResource::Shared(b) => u32::try_from(b.len_bytes()).unwrap_or(u32::MAX),
            BatchResource::HeaderOnly(_, _, bytes) => *bytes,
        })
    }

    async fn read(
        &mut self,
        batch: Resource<BatchResource>,
        columns: Option<Vec<u32>>,
        start: u32,
        count: u32,
    ) -> wasmtime::Result<Result<Vec<u8>, String>> {
        let Some(batch) = self.table.get(&batch)?.batch() else {
            return Ok(Err("a dispatcher reads the columns of its plan".to_owned()));
        };
        let columns = columns.unwrap_or_else(|| batch.columns().map(|c| c.position.into()).collect());
        Ok(tgr1::project(&batch, &columns, start, count).map_err(|e| e.to_string()))
    }

    async fn drop(&mut self, batch: Resource<BatchResource>) -> wasmtime::Result<()> {
        self.table.delete(batch)?;
        Ok(())
    }
}
