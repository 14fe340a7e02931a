//! The exchange of a partition: one statement, two tables.

use std::collections::BTreeSet;
use std::sync::Arc;
use tg_filter::Filter;
use tg_model::{DdlEvent, DdlKind, TableId, TableVersion};
use tg_schema::SchemaStore;

/// The events of a DDL as they are, and for the exchange of a partition one event per table.
///
/// The schema store tells of the partitioned table only, and counts the ids that change sides as staying. But a table's rows go
/// through the slot of its logical id, under its own version: so both ids end and begin again, each in its new table's slot. The
/// second event has no statement.
pub(crate) fn both_tables(mut event: DdlEvent, schema: &SchemaStore, filter: &Filter) -> Vec<DdlEvent> {
    let Some(other) = other_table(&event, schema) else { return vec![event] };
    let (Some(before), Some(after)) = (&event.before, &event.after) else { return vec![event] };
    let (old, new) = (ids(before), ids(after));
    let followed = filter.replicates(before) && filter.replicates(after);
    event.removes = old.symmetric_difference(&new).copied().collect();
    event.adds = new.difference(&old).copied().collect();
    let (normal_before, normal_after) = other;
    let second = DdlEvent {
        seq: event.seq + 1,
        query: String::new(),
        schema: normal_after.schema.clone(),
        table: normal_after.name.clone(),
        blocks: ids(&normal_before).into_iter().collect(),
        // Where the partitioned table is followed, the first event has ended these ids and some have begun again.
        removes: if followed { Vec::new() } else { ids(&normal_before).into_iter().collect() },
        adds: ids(&normal_after).into_iter().collect(),
        before: Some(normal_before),
        after: Some(normal_after),
        ..event.clone()
    };
    vec![event, second]
}

fn ids(version: &TableVersion) -> BTreeSet<TableId> {
    version.physical_ids().collect()
}

/// The table that is not partitioned, before and after.
fn other_table(event: &DdlEvent, schema: &SchemaStore) -> Option<(Arc<TableVersion>, Arc<TableVersion>)> {
    if event.kind != DdlKind::ExchangePartition {
        return None;
    }
    let (old, new) = (ids(event.before.as_ref()?), ids(event.after.as_ref()?));
    let before = new.difference(&old).find_map(|id| schema.table_at(*id, event.commit_ts))?;
    let after = old.difference(&new).find_map(|id| schema.table_at(*id, event.commit_ts.next()))?;
    Some((before, after))
}
