//! A table version prepared for encoders.

use crate::{EncodeError, MysqlType};
use std::collections::BTreeMap;
use std::sync::Arc;
use tgr1::{ColumnSpec, Logical};
use tidegate_sdk::{TableRef, TableSchema};

/// One column of the images.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts about a column")]
pub struct Column {
    /// Name as written.
    pub name: String,
    /// Position in the schema's columns.
    pub position: usize,
    /// Place in the images.
    pub image: usize,
    /// How its slot is read.
    pub spec: ColumnSpec,
    /// Type.
    pub ty: MysqlType,
    /// UNSIGNED (YEAR and BIT are not counted).
    pub unsigned: bool,
    /// ZEROFILL.
    pub zerofill: bool,
    /// NULL is allowed.
    pub nullable: bool,
    /// Part of the key that identifies rows.
    pub handle: bool,
    /// Part of the primary key.
    pub primary: bool,
    /// Fraction digits of times.
    pub fsp: u8,
    /// Members of ENUM and SET.
    pub members: Vec<String>,
}

/// A table version with the columns that its messages have.
#[derive(Clone, Debug)]
pub struct Table {
    /// The version as the host gave it.
    pub schema: Arc<TableSchema>,
    /// Columns of the messages, in order.
    pub columns: Vec<Column>,
    /// Indexes in `columns` of the key that identifies rows, in table order; empty: there is none.
    pub handle: Vec<usize>,
    /// `schema.table`.
    pub full_name: String,
}

impl Table {
    /// Prepares a table. `selected`: positions of the columns that images hold, in order; `None`: all.
    ///
    /// # Errors
    /// When the schema has a column of a type that does not exist, or a selected column does not.
    pub fn new(schema: Arc<TableSchema>, selected: Option<&[u32]>) -> Result<Self, EncodeError> {
        let all: Vec<u32> = (0..schema.columns.len() as u32).collect();
        let selected = selected.unwrap_or(&all);
        let mut columns = Vec::with_capacity(selected.len());
        for (image, position) in selected.iter().enumerate() {
            columns.push(column(&schema, image, *position as usize)?);
        }
        let handle = columns.iter().enumerate().filter(|(_, c)| c.handle).map(|(i, _)| i).collect();
        let full_name = format!("{}.{}", schema.database, schema.name);
        Ok(Self { schema, columns, handle, full_name })
    }

    /// Names of the primary key's columns, in the table's order.
    pub fn primary_names(&self) -> impl Iterator<Item = &str> {
        self.schema.columns.iter().filter(|c| c.props.primary_key).map(|c| c.name.as_str())
    }

    /// An attribute of the schema.
    #[must_use]
    pub fn attr(&self, name: &str) -> Option<&str> {
        self.schema.attrs.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// Upstream's number of the version.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.attr("update-ts").and_then(|text| text.parse().ok()).unwrap_or(self.schema.id.version)
    }
}

fn column(schema: &TableSchema, image: usize, position: usize) -> Result<Column, EncodeError> {
    let fault = |reason: String| EncodeError::Config(format!("{}.{}: {reason}", schema.database, schema.name));
    let column = schema.columns.get(position).ok_or_else(|| fault(format!("no column at position {position}")))?;
    let ty = MysqlType::parse(&column.source_type)
        .ok_or_else(|| fault(format!("column {} has an unknown type {}", column.name, column.source_type)))?;
    let logical = Logical::from_u8(column.logical as u8).unwrap_or(Logical::Bytes);
    Ok(Column {
        name: column.name.clone(),
        position,
        image,
        spec: ColumnSpec::new(u16::try_from(position).unwrap_or(u16::MAX), logical),
        ty,
        unsigned: column.props.unsigned,
        zerofill: column.source_type.ends_with(" zerofill"),
        nullable: column.props.nullable,
        handle: column.props.row_key,
        primary: column.props.primary_key,
        fsp: column.decimals.map_or(0, |n| n.min(6) as u8),
        members: column.members.clone(),
    })
}

/// What an encoder prepared, by table version.
#[derive(Debug)]
pub struct Tables<T> {
    all: BTreeMap<TableRef, T>,
}

impl<T> Default for Tables<T> {
    fn default() -> Self {
        Self { all: BTreeMap::new() }
    }
}

impl<T> Tables<T> {
    /// Adds or replaces a version.
    pub fn insert(&mut self, id: TableRef, table: T) {
        self.all.insert(id, table);
    }

    /// Forgets a version.
    pub fn remove(&mut self, id: TableRef) {
        self.all.remove(&id);
    }

    /// A version that was added.
    ///
    /// # Errors
    /// When it was not.
    pub fn get(&self, id: TableRef) -> Result<&T, EncodeError> {
        self.all.get(&id).ok_or(EncodeError::UnknownTable { table: id.table, version: id.version })
    }
}
