//! Which columns of a table are sent.

use crate::RulesError;
use tg_filter::ColumnFilter;
use tg_format_partition::PartitionRule;
use tidegate_sdk::TableSchema;

/// Positions of the columns that pass; `None`: all of them.
pub(crate) fn select(
    schema: &TableSchema,
    filter: &ColumnFilter,
    partition: &PartitionRule,
) -> Result<Option<Vec<u32>>, RulesError> {
    let table = || format!("{}.{}", schema.database, schema.name);
    let passes = |position: &u32| schema.columns.get(*position as usize).is_some_and(|c| filter.matches(&c.name));
    let kept: Vec<u32> = (0..schema.columns.len() as u32).filter(passes).collect();
    if kept.len() == schema.columns.len() {
        return Ok(None);
    }
    let is_key = |i: &tidegate_sdk::Index| i.primary || i.unique;
    if !schema.indexes.iter().any(|i| is_key(i) && i.columns.iter().all(passes)) {
        return Err(RulesError::NoKey { table: table() });
    }
    let by: Vec<String> = match partition {
        PartitionRule::Columns(names) => names.clone(),
        PartitionRule::IndexValue(Some(name)) => {
            let index = schema.indexes.iter().find(|i| i.name.eq_ignore_ascii_case(name));
            let names = index.into_iter().flat_map(|i| &i.columns).filter_map(|p| schema.columns.get(*p as usize));
            names.map(|c| c.name.clone()).collect()
        }
        _ => Vec::new(),
    };
    match by.into_iter().find(|name| !filter.matches(name)) {
        Some(column) => Err(RulesError::ColumnGone { table: table(), column }),
        None => Ok(Some(kept)),
    }
}
