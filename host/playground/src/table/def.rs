//! A table as the meta data holds it, at one schema version.

use super::spec::{ColumnSpec, IndexSpec, TableSpec};
use crate::PlaygroundError;
use crate::encode::FieldType;
use crate::encode::field::{FLAG_MULTIPLE, FLAG_NO_DEFAULT, FLAG_NOT_NULL, FLAG_PRIMARY, FLAG_UNIQUE};
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnDef {
    /// Id, unique in the table for ever.
    pub id: i64,
    /// Name.
    pub name: String,
    /// Type.
    pub ty: FieldType,
    /// DEFAULT as text.
    pub default: Option<String>,
    /// What rows older than the column hold.
    pub origin_default: Option<String>,
}

impl ColumnDef {
    pub(crate) fn new(id: i64, spec: &ColumnSpec, added: bool) -> Result<Self, PlaygroundError> {
        let mut ty = spec.field()?;
        if spec.not_null {
            ty.flag |= FLAG_NOT_NULL | if spec.default.is_none() { FLAG_NO_DEFAULT } else { 0 };
        }
        let origin_default = if added { spec.default.clone() } else { None };
        Ok(Self { id, name: spec.name.clone(), ty, default: spec.default.clone(), origin_default })
    }
}

/// An index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexDef {
    /// Id, unique in the table.
    pub id: i64,
    /// Name; `PRIMARY` for the primary key.
    pub name: String,
    /// Names of the columns in order.
    pub columns: Vec<String>,
    /// UNIQUE.
    pub unique: bool,
    /// The primary key.
    pub primary: bool,
}

/// How keys of rows are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Handle {
    /// From the integer column at this position.
    Int(usize),
    /// From the columns at these positions.
    Common(Vec<usize>),
    /// From a counter.
    RowId,
}

/// A table at one schema version.
#[derive(Clone, Debug)]
pub struct TableDef {
    /// Logical id.
    pub id: i64,
    /// Id of the schema.
    pub schema_id: i64,
    /// Name of the schema.
    pub schema: String,
    /// Name.
    pub name: String,
    /// Public columns in order.
    pub columns: Vec<ColumnDef>,
    /// Indexes that the meta data lists.
    pub indexes: Vec<IndexDef>,
    /// How keys are made.
    pub handle: Handle,
    /// Partition ids and names; empty: not partitioned.
    pub partitions: Vec<(i64, String)>,
    /// Highest column id ever given.
    pub max_column_id: i64,
    /// Highest index id ever given.
    pub max_index_id: i64,
    /// TSO of the last schema change.
    pub update_ts: u64,
    /// Number of changes to this table's meta data.
    pub revision: u64,
    /// The last hidden row id; shared by all versions of the table.
    pub row_id: Arc<AtomicI64>,
}

impl TableDef {
    /// The table of a spec; `ids` gives the table's and the partitions' ids.
    pub(crate) fn new(
        spec: &TableSpec,
        schema_id: i64,
        mut next_id: impl FnMut() -> i64,
    ) -> Result<Self, PlaygroundError> {
        let columns = spec.columns.iter().enumerate();
        let columns = columns.map(|(i, c)| ColumnDef::new(i as i64 + 1, c, false)).collect::<Result<Vec<_>, _>>()?;
        let mut def = Self {
            id: next_id(),
            schema_id,
            schema: spec.schema.clone(),
            name: spec.name.clone(),
            max_column_id: columns.len() as i64,
            columns,
            indexes: Vec::new(),
            handle: Handle::RowId,
            partitions: Vec::new(),
            max_index_id: 0,
            update_ts: 0,
            revision: 0,
            row_id: Arc::default(),
        };
        def.set_primary_key(&spec.primary_key, spec.clustered)?;
        for index in &spec.indexes {
            def.add_index(index)?;
        }
        for i in 0..spec.partitions {
            def.partitions.push((next_id(), format!("p{i}")));
        }
        if !def.partitions.is_empty() && !matches!(def.handle, Handle::Int(_)) {
            return Err(PlaygroundError::PartitionKey { table: def.full_name() });
        }
        Ok(def)
    }

    fn set_primary_key(&mut self, key: &[String], clustered: bool) -> Result<(), PlaygroundError> {
        if key.is_empty() {
            return Ok(());
        }
        let positions = key.iter().map(|c| self.position(c)).collect::<Result<Vec<_>, _>>()?;
        for at in &positions {
            let flag = &mut self.columns[*at].ty.flag;
            *flag |= FLAG_NOT_NULL | FLAG_PRIMARY | FLAG_NO_DEFAULT;
        }
        let integer = positions.len() == 1 && self.columns[positions[0]].ty.code.is_integer();
        self.handle = match (clustered, integer) {
            (true, true) => Handle::Int(positions[0]),
            (true, false) => Handle::Common(positions),
            (false, _) => Handle::RowId,
        };
        if !matches!(self.handle, Handle::Int(_)) {
            self.push_index("PRIMARY", key, true, true);
        }
        Ok(())
    }

    pub(crate) fn add_index(&mut self, index: &IndexSpec) -> Result<(), PlaygroundError> {
        for column in &index.columns {
            let at = self.position(column)?;
            let single = index.unique && index.columns.len() == 1;
            self.columns[at].ty.flag |= if single { FLAG_UNIQUE } else { FLAG_MULTIPLE };
        }
        self.push_index(&index.name, &index.columns, index.unique, false);
        Ok(())
    }

    fn push_index(&mut self, name: &str, columns: &[String], unique: bool, primary: bool) {
        self.max_index_id += 1;
        let (id, columns) = (self.max_index_id, columns.to_vec());
        self.indexes.push(IndexDef { id, name: name.to_owned(), columns, unique, primary });
    }

    /// Position of a column.
    ///
    /// # Errors
    /// There is no such column.
    pub fn position(&self, column: &str) -> Result<usize, PlaygroundError> {
        self.columns
            .iter()
            .position(|c| c.name == column)
            .ok_or_else(|| PlaygroundError::UnknownColumn { table: self.full_name(), column: column.to_owned() })
    }

    /// `schema.table`.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}.{}", self.schema, self.name)
    }

    /// Ids under which rows are stored.
    #[must_use]
    pub fn physical_ids(&self) -> Vec<i64> {
        if self.partitions.is_empty() { vec![self.id] } else { self.partitions.iter().map(|p| p.0).collect() }
    }
}
