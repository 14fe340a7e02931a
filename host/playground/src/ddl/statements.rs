//! The statements: what each makes of the catalog, and the job it leaves.

use super::job::Job;
use super::{Plan, lay_out};
use crate::PlaygroundError;
use crate::store::{Cluster, State};
use crate::table::meta::{column_json, name, schema_json};
use crate::table::{ColumnSpec, IndexSpec, TableDef, TableSpec};
use serde_json::{Value as Json, json};
use std::sync::Arc;

/// A change of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Alter {
    /// ADD COLUMN at the end.
    AddColumn(ColumnSpec),
    /// DROP COLUMN of one that is in no key and no index.
    DropColumn(String),
    /// MODIFY COLUMN to a wider type of the same kind, so that rows stay as they are.
    ModifyColumn(ColumnSpec),
    /// RENAME COLUMN (TiDB's job type is that of a modification).
    RenameColumn(String, String),
    /// ADD INDEX.
    AddIndex(IndexSpec),
    /// DROP INDEX.
    DropIndex(String),
    /// ALTER COLUMN SET DEFAULT.
    SetDefault(String, String),
}

const CREATE_SCHEMA: u8 = 1;
const DROP_SCHEMA: u8 = 2;
const CREATE_TABLE: u8 = 3;
const DROP_TABLE: u8 = 4;
const ADD_COLUMN: u8 = 5;
const DROP_COLUMN: u8 = 6;
const ADD_INDEX: u8 = 7;
const DROP_INDEX: u8 = 8;
const TRUNCATE_TABLE: u8 = 11;
const MODIFY_COLUMN: u8 = 12;
const RENAME_TABLE: u8 = 14;
const SET_DEFAULT: u8 = 15;

/// How new tables are laid out in regions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    pub(crate) regions_per_table: u32,
    pub(crate) region_handles: i64,
    pub(crate) regions_max: usize,
}

fn job(action: u8, table: &TableDef, query: String, raw_args: Json) -> Job {
    Job {
        action,
        schema_id: table.schema_id,
        table_id: table.id,
        schema_name: table.schema.clone(),
        table_name: table.name.clone(),
        query,
        raw_args,
        table_ids: vec![table.id],
        public: true,
        ..Job::default()
    }
}

impl Cluster {
    /// CREATE DATABASE.
    ///
    /// # Errors
    /// The name is taken.
    pub fn create_schema(&self, schema: &str) -> Result<u64, PlaygroundError> {
        self.run_ddl(|state| {
            if state.catalog.schemas.contains_key(schema) {
                return Err(PlaygroundError::Exists { name: schema.to_owned() });
            }
            let id = state.next_schema_id();
            let info = schema_json(id, schema);
            let job = Job {
                action: CREATE_SCHEMA,
                schema_id: id,
                schema_name: schema.to_owned(),
                query: format!("CREATE DATABASE `{schema}`"),
                raw_args: json!({"db_info": info}),
                table_ids: vec![0],
                db_info: info,
                public: true,
                ..Job::default()
            };
            Ok(Plan { job, before: Vec::new(), after: None, schema: Some((schema.to_owned(), Some(id))) })
        })
    }

    /// DROP DATABASE with all its tables.
    ///
    /// # Errors
    /// There is no such schema.
    pub fn drop_schema(&self, schema: &str) -> Result<u64, PlaygroundError> {
        self.run_ddl(|state| {
            let id = state.catalog.schema(schema)?;
            let before: Vec<_> = state.catalog.all().filter(|t| t.schema == schema).cloned().collect();
            let dropped: Vec<_> = before.iter().map(|t| t.id).collect();
            let job = Job {
                action: DROP_SCHEMA,
                schema_id: id,
                schema_name: schema.to_owned(),
                query: format!("DROP DATABASE `{schema}`"),
                raw_args: json!({"all_dropped_table_ids": dropped}),
                table_ids: vec![0],
                db_info: schema_json(id, schema),
                no_table_info: true,
                ..Job::default()
            };
            Ok(Plan { job, before, after: None, schema: Some((schema.to_owned(), None)) })
        })
    }

    /// CREATE TABLE, with regions of its own.
    ///
    /// # Errors
    /// The name is taken, the schema is missing, or the spec cannot be read.
    pub fn create_table(&self, spec: &TableSpec) -> Result<u64, PlaygroundError> {
        let layout = self.layout();
        self.run_ddl(|state| {
            if state.catalog.table(&spec.schema, &spec.name).is_ok() {
                return Err(PlaygroundError::Exists { name: format!("{}.{}", spec.schema, spec.name) });
            }
            let schema_id = state.catalog.schema(&spec.schema)?;
            let table = TableDef::new(spec, schema_id, || state.next_schema_id())?;
            lay_out(state, &table, layout);
            let args = json!({"table_info": table.to_json(), "fk_check": true});
            let job = job(CREATE_TABLE, &table, spec.create_sql(), args);
            Ok(Plan { job, before: Vec::new(), after: Some(table), schema: None })
        })
    }

    /// DROP TABLE.
    ///
    /// # Errors
    /// There is no such table.
    pub fn drop_table(&self, schema: &str, table: &str) -> Result<u64, PlaygroundError> {
        self.run_ddl(|state| {
            let old = state.catalog.table(schema, table)?;
            let mut job = job(DROP_TABLE, &old, format!("DROP TABLE `{schema}`.`{table}`"), json!({"fk_check": true}));
            job.public = false;
            Ok(Plan { job, before: vec![old], after: None, schema: None })
        })
    }

    /// TRUNCATE TABLE: the table gets new ids.
    ///
    /// # Errors
    /// There is no such table.
    pub fn truncate_table(&self, schema: &str, table: &str) -> Result<u64, PlaygroundError> {
        let layout = self.layout();
        self.run_ddl(|state| {
            let old = state.catalog.table(schema, table)?;
            let mut new = TableDef::clone(&old);
            new.id = state.next_schema_id();
            for partition in &mut new.partitions {
                partition.0 = state.next_schema_id();
            }
            new.revision += 1;
            new.row_id = Arc::default();
            lay_out(state, &new, layout);
            let args = json!({"fk_check": true, "new_table_id": new.id});
            let mut job = job(TRUNCATE_TABLE, &old, format!("TRUNCATE TABLE `{schema}`.`{table}`"), args);
            job.table_ids.push(new.id);
            Ok(Plan { job, before: vec![old], after: Some(new), schema: None })
        })
    }

    /// RENAME TABLE, also into another schema.
    ///
    /// # Errors
    /// There is no such table or schema, or the new name is taken.
    pub fn rename_table(&self, from: (&str, &str), to: (&str, &str)) -> Result<u64, PlaygroundError> {
        self.run_ddl(|state| {
            let old = state.catalog.table(from.0, from.1)?;
            if state.catalog.table(to.0, to.1).is_ok() {
                return Err(PlaygroundError::Exists { name: format!("{}.{}", to.0, to.1) });
            }
            let mut new = TableDef::clone(&old);
            new.schema_id = state.catalog.schema(to.0)?;
            (new.schema, new.name) = (to.0.to_owned(), to.1.to_owned());
            new.revision += 1;
            let args = json!({
                "old_schema_id": old.schema_id, "old_schema_name": name(from.0), "new_table_name": name(to.1),
                "old_table_name": name(""), "new_schema_id": new.schema_id,
            });
            let query = format!("RENAME TABLE `{}`.`{}` TO `{}`.`{}`", from.0, from.1, to.0, to.1);
            let mut job = job(RENAME_TABLE, &new, query, args);
            job.table_name = old.name.clone();
            Ok(Plan { job, before: vec![old], after: Some(new), schema: None })
        })
    }

    /// ALTER TABLE.
    ///
    /// # Errors
    /// The table or column is missing, or the change needs rows rewritten.
    pub fn alter_table(&self, schema: &str, table: &str, alter: &Alter) -> Result<u64, PlaygroundError> {
        self.run_ddl(|state: &mut State| {
            let old = state.catalog.table(schema, table)?;
            let mut new = TableDef::clone(&old);
            let (action, what, args) = alter.apply(&mut new)?;
            new.revision += 1;
            let job = job(action, &new, format!("ALTER TABLE `{schema}`.`{table}` {what}"), args);
            Ok(Plan { job, before: vec![old], after: Some(new), schema: None })
        })
    }
}

impl Alter {
    /// Changes the table; gives action, statement and arguments.
    fn apply(&self, table: &mut TableDef) -> Result<(u8, String, Json), PlaygroundError> {
        let index_args = |n: &str| json!({"index_args": [{"index_name": name(n), "index_part_specifications": null}]});
        Ok(match self {
            Self::AddColumn(spec) => {
                let column = table.add_column(spec)?;
                (ADD_COLUMN, format!("ADD COLUMN {}", spec.sql()), json!({"column_info": column}))
            }
            Self::DropColumn(column) => {
                let at = table.free_column(column)?;
                table.columns.remove(at);
                (DROP_COLUMN, format!("DROP COLUMN `{column}`"), json!({"column_info": {"name": name(column)}}))
            }
            Self::ModifyColumn(spec) => {
                table.modify_column(spec)?;
                (MODIFY_COLUMN, format!("MODIFY COLUMN {}", spec.sql()), json!({"old_column_name": name(&spec.name)}))
            }
            Self::RenameColumn(from, to) => {
                table.rename_column(from, to)?;
                (MODIFY_COLUMN, format!("RENAME COLUMN `{from}` TO `{to}`"), json!({"old_column_name": name(from)}))
            }
            Self::AddIndex(spec) => {
                table.add_index(spec)?;
                (ADD_INDEX, format!("ADD {}", spec.sql()), index_args(&spec.name))
            }
            Self::DropIndex(index) => {
                table.drop_index(index)?;
                (DROP_INDEX, format!("DROP INDEX `{index}`"), index_args(index))
            }
            Self::SetDefault(column, text) => {
                let at = table.position(column)?;
                table.columns[at].default = Some(text.clone());
                let info = column_json(&table.columns[at], at);
                let quoted = text.replace('\'', "''");
                (SET_DEFAULT, format!("ALTER COLUMN `{column}` SET DEFAULT '{quoted}'"), json!({"column_info": info}))
            }
        })
    }
}
