//! What crosses of a batch, as the plan of its table version says.

use crate::error::CallFault;
use crate::ports::{DispatchPlan, TablePlan, TransformPlan};
use std::collections::BTreeMap;
use std::sync::Arc;
use tg_model::TableVersion;
use tgr1::BatchBuf;

/// Plans by (table, version).
pub(crate) type Plans<T> = BTreeMap<(u64, u64), T>;

fn plan_of<'a, T>(plans: &'a Plans<T>, batch: &BatchBuf) -> Result<&'a T, CallFault> {
    let head = batch.batch();
    let (table, version) = (head.table(), head.version());
    plans.get(&(table, version)).ok_or_else(|| CallFault::Fatal {
        code: "host-order".to_owned(),
        message: format!("rows of table {table} version {version} before its schema"),
    })
}

fn project(batch: &BatchBuf, columns: &[u32]) -> Result<Vec<u8>, CallFault> {
    tgr1::project(&batch.batch(), columns, 0, u32::MAX)
        .map_err(|e| CallFault::Fatal { code: "host-batch".to_owned(), message: e.to_string() })
}

/// The bytes for a sink; `None`: the batch as it is.
pub(crate) fn sink_data(plans: &Plans<TablePlan>, batch: &BatchBuf) -> Result<Option<Vec<u8>>, CallFault> {
    let plan = plan_of(plans, batch)?;
    match (&plan.columns, plan.deliver) {
        (_, false) => Ok(Some(Vec::new())),
        (None, true) => Ok(None),
        (Some(columns), true) => project(batch, columns).map(Some),
    }
}

/// The number of targets, at least 1, and the bytes for a dispatcher; `None`: the batch as it is.
pub(crate) fn dispatcher_data(
    plans: &Plans<DispatchPlan>,
    batch: &BatchBuf,
) -> Result<(usize, Option<Vec<u8>>), CallFault> {
    let plan = plan_of(plans, batch)?;
    let data = plan.columns.as_ref().map(|columns| project(batch, columns)).transpose()?;
    Ok((plan.targets.len().max(1), data))
}

/// What the rows become, and the bytes for a transform; `None`: the batch as it is.
pub(crate) fn transform_data(
    plans: &Plans<TransformPlan>,
    batch: &BatchBuf,
) -> Result<(Arc<TableVersion>, Option<Vec<u8>>), CallFault> {
    let plan = plan_of(plans, batch)?;
    let output = plan.output.clone().ok_or_else(|| CallFault::Fatal {
        code: "host-order".to_owned(),
        message: "a transform's plan without an output".to_owned(),
    })?;
    let data = plan.columns.as_ref().map(|columns| project(batch, columns)).transpose()?;
    Ok((output, data))
}
