//! Jobs whose names stand in their arguments: renames and the exchange of a partition.

use crate::apply::{Draft, event, incomplete, need_table};
use crate::info::{JobInfo, TableInfo};
use crate::job::Job;
use crate::store::{SchemaStore, physical_ids};
use crate::{SchemaError, action, is_system_schema, sql};
use serde_json::Value;
use std::sync::Arc;
use tg_model::{DdlEvent, TableId, TableVersion};

/// One step of a rename.
struct Step {
    table: TableId,
    old_schema_id: i64,
    old_schema: String,
    old_name: String,
    new_schema_id: i64,
    new_name: String,
}

impl SchemaStore {
    pub(crate) fn rename(&mut self, job: &Job) -> Result<Vec<DdlEvent>, SchemaError> {
        let steps = if job.info.action == action::RENAME_TABLE {
            vec![self.single(job)?]
        } else {
            steps(&job.info).ok_or_else(|| incomplete(job, "names"))?
        };
        let infos = &job.info.binlog.tables;
        let mut events = Vec::new();
        for (seq, step) in (0_u32..).zip(steps) {
            let info = infos.get(seq as usize).or(job.info.binlog.table.as_ref()).filter(|i| i.id == step.table.0);
            events.extend(self.rename_one(job, &step, info, seq)?);
        }
        Ok(events)
    }

    fn rename_one(
        &mut self,
        job: &Job,
        step: &Step,
        info: Option<&TableInfo>,
        seq: u32,
    ) -> Result<Option<DdlEvent>, SchemaError> {
        let known = self.tables.get(&step.table).cloned();
        let new_schema = self.schema_name(step.new_schema_id, job);
        let old_schema =
            self.schemas.get(&step.old_schema_id).map_or_else(|| step.old_schema.clone(), |s| s.name.clone());
        let mut version = match (info, &known) {
            (Some(info), _) => self.version(job, info, step.new_schema_id)?,
            (None, Some(known)) => TableVersion { since: job.commit_ts, ..TableVersion::clone(known) },
            (None, None) => return Err(incomplete(job, "table description")),
        };
        if is_system_schema(&old_schema) && is_system_schema(&new_schema) || known.is_none() && version.is_sequence {
            return Ok(None);
        }
        version.schema_id = step.new_schema_id;
        version.schema = new_schema;
        version.name.clone_from(&step.new_name);
        let query = format!(
            "RENAME TABLE {} TO {}",
            sql::full(&old_schema, &step.old_name),
            sql::full(&version.schema, &version.name)
        );
        // The snapshot may have the new name already: the statement counts.
        let before = known.map(|k| {
            Arc::new(TableVersion {
                schema_id: step.old_schema_id,
                schema: old_schema,
                name: step.old_name.clone(),
                ..TableVersion::clone(&k)
            })
        });
        let after = if is_system_schema(&version.schema) {
            self.remove_table(step.table, job.commit_ts);
            None
        } else {
            Some(self.put_table(version))
        };
        Ok(event(job, Draft { seq, query, before, after }))
    }

    fn single(&self, job: &Job) -> Result<Step, SchemaError> {
        let info = &job.info;
        let new_name = need_table(job)?.name.original.clone();
        let (id, schema) = match &info.raw_args {
            Value::Array(a) => (a.first(), a.get(2)),
            other => (other.get("old_schema_id"), other.get("old_schema_name")),
        };
        let known = self.tables.get(&TableId(info.table_id));
        let old_schema_id = id.and_then(Value::as_i64).or(known.map(|k| k.schema_id)).unwrap_or(info.schema_id);
        // The job has the old name, in lower case from some versions; the store has it as written, or the new one
        // when the snapshot was taken in the middle.
        let old_name =
            known.map(|k| &k.name).filter(|n| n.eq_ignore_ascii_case(&info.table_name) || info.table_name == new_name);
        Ok(Step {
            table: TableId(info.table_id),
            old_schema_id,
            old_schema: schema.and_then(name).unwrap_or_else(|| info.schema_name.clone()),
            old_name: old_name.unwrap_or(&info.table_name).clone(),
            new_schema_id: info.schema_id,
            new_name,
        })
    }

    pub(crate) fn exchange(&mut self, job: &Job) -> Result<Vec<DdlEvent>, SchemaError> {
        let info = need_table(job)?;
        let before = self.tables.get(&TableId(info.id)).cloned();
        let arg = |at: usize, key: &str| match &job.info.raw_args {
            Value::Array(a) => a.get(at).cloned(),
            other => other.get(key).cloned(),
        };
        let schema_id = before
            .as_ref()
            .map(|b| b.schema_id)
            .or(arg(1, "pt_schema_id").and_then(|v| v.as_i64()))
            .unwrap_or(job.info.schema_id);
        let version = self.version(job, info, schema_id)?;
        let normal = self.tables.get(&TableId(job.info.table_id)).cloned();
        if is_system_schema(&version.schema) || (before.is_none() && normal.is_none()) {
            return Ok(Vec::new());
        }
        let left = before.as_ref().and_then(|b| {
            b.partitions.iter().find(|(id, _)| !version.partitions.iter().any(|(new, _)| new == id)).cloned()
        });
        let left_id = left.as_ref().map(|(id, _)| *id).or(arg(0, "partition_id").and_then(|v| v.as_i64()).map(TableId));
        let partition = left
            .map(|(_, n)| n)
            .or(arg(3, "partition_name").as_ref().and_then(name))
            .ok_or_else(|| incomplete(job, "partition name"))?;
        let left_id = left_id.ok_or_else(|| incomplete(job, "partition id"))?;
        let other = normal
            .as_ref()
            .map_or_else(|| sql::full(&job.info.schema_name, &job.info.table_name), |n| sql::full(&n.schema, &n.name));
        let query = format!(
            "ALTER TABLE {} EXCHANGE PARTITION {} WITH TABLE {other} WITHOUT VALIDATION",
            sql::full(&version.schema, &version.name),
            sql::ident(&partition),
        );
        self.remove_table(TableId(job.info.table_id), job.commit_ts);
        let after = self.put_table(version);
        let normal_ids = normal.as_deref().map(physical_ids).unwrap_or_default();
        if let Some(normal) = normal {
            self.put_table(TableVersion { table: left_id, since: job.commit_ts, ..TableVersion::clone(&normal) });
        }
        Ok(event(job, Draft { seq: 0, query, before, after: Some(after) })
            .map(|e| with_other_table(e, normal_ids, left_id))
            .into_iter()
            .collect())
    }
}

/// An exchange waits for both tables. When both are known no id begins or ends.
fn with_other_table(mut event: DdlEvent, normal: Vec<TableId>, left: TableId) -> DdlEvent {
    event.adds.retain(|id| !normal.contains(id));
    if !normal.is_empty() {
        event.removes.retain(|id| *id != left);
    }
    event.blocks.extend(normal);
    event
}

/// A name in arguments: an object with two spellings, or plain text.
fn name(value: &Value) -> Option<String> {
    value.get("O").unwrap_or(value).as_str().map(str::to_owned)
}

fn steps(info: &JobInfo) -> Option<Vec<Step>> {
    match &info.raw_args {
        Value::Array(lists) => positional(lists),
        other => other.get("rename_table_infos")?.as_array()?.iter().map(keyed).collect(),
    }
}

fn keyed(item: &Value) -> Option<Step> {
    Some(Step {
        table: TableId(item.get("table_id")?.as_i64()?),
        old_schema_id: item.get("old_schema_id")?.as_i64()?,
        old_schema: item.get("old_schema_name").and_then(name).unwrap_or_default(),
        old_name: name(item.get("old_table_name")?)?,
        new_schema_id: item.get("new_schema_id")?.as_i64()?,
        new_name: name(item.get("new_table_name")?)?,
    })
}

/// Version 1: old schema ids, new schema ids, new names, table ids, old schema names, old names.
fn positional(lists: &[Value]) -> Option<Vec<Step>> {
    let list = |at: usize| lists.get(at)?.as_array();
    let (old_ids, new_ids, new_names, tables, old_schemas, old_names) =
        (list(0)?, list(1)?, list(2)?, list(3)?, list(4)?, list(5)?);
    (0..tables.len())
        .map(|i| {
            Some(Step {
                table: TableId(tables.get(i)?.as_i64()?),
                old_schema_id: old_ids.get(i)?.as_i64()?,
                old_schema: name(old_schemas.get(i)?)?,
                old_name: name(old_names.get(i)?)?,
                new_schema_id: new_ids.get(i)?.as_i64()?,
                new_name: name(new_names.get(i)?)?,
            })
        })
        .collect()
}
