//! Rows to columns.

use crate::describe::Description;
use crate::file::File;
use crate::item::item;
use crate::kind::Kind;
use crate::meta::{self, Meta};
use crate::values::Item;
use crate::{Options, ZeroDates};
use parquet::basic::Compression;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesPtr};
use parquet::schema::types::{Type, TypePtr};
use std::sync::Arc;
use tg_format_common::{Column, EncodeError, Images, Table, Tables, images, value};
use tgr1::{Image, Row};
use tidegate_sdk::{TableRef, TableSchema};

/// Who wrote a file, as footers name it.
const CREATED_BY: &str = concat!("tidegate version ", env!("CARGO_PKG_VERSION"));

/// A table version, ready for files.
#[derive(Debug)]
struct Prepared {
    table: Table,
    /// What each column becomes, change columns first.
    kinds: Vec<(Kind, bool)>,
    schema: TypePtr,
    properties: WriterPropertiesPtr,
}

/// The encoder.
#[derive(Debug)]
pub struct Parquet {
    options: Options,
    metas: Vec<Meta>,
    tables: Tables<Prepared>,
    scratch: Vec<u8>,
}

impl Parquet {
    /// An encoder with these options.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self { options, metas: meta::of(&options), tables: Tables::default(), scratch: Vec::new() }
    }

    /// Prepares a table version.
    ///
    /// # Errors
    /// When a column has an unknown type, or the name of a change column.
    pub fn table(&mut self, schema: Arc<TableSchema>) -> Result<(), EncodeError> {
        let id = schema.id;
        let table = Table::new(schema, None)?;
        let prepared = self.prepare(table)?;
        self.tables.insert(id, prepared);
        Ok(())
    }

    /// Forgets a table version. Its open files can be finished.
    pub fn drop_table(&mut self, id: TableRef) {
        self.tables.remove(id);
    }

    fn prepare(&self, table: Table) -> Result<Prepared, EncodeError> {
        let fault = |reason: String| EncodeError::Config(format!("{}: {reason}", table.full_name));
        let mut kinds: Vec<(Kind, bool)> = self.metas.iter().map(|m| (m.kind(), false)).collect();
        let mut fields = Vec::with_capacity(kinds.len() + table.columns.len());
        for meta in &self.metas {
            if table.columns.iter().any(|c| c.name.eq_ignore_ascii_case(meta.name())) {
                return Err(fault(format!("the column {} has the name of a change column", meta.name())));
            }
            fields.push(meta.kind().field(meta.name(), false, None));
        }
        for column in &table.columns {
            let kind = Kind::of(column, &table.schema);
            fields.push(kind.field(&column.name, column.nullable, self.field_id(&table, column)));
            kinds.push((kind, column.nullable));
        }
        let fields = fields.into_iter().collect::<Result<Vec<_>, _>>().map_err(|e| fault(e.to_string()))?;
        let schema = Type::group_type_builder("schema").with_fields(fields).build();
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_offset_index_disabled(true)
            .set_created_by(CREATED_BY.to_owned())
            .set_key_value_metadata(Some(vec![Description::new(&table).entry()]))
            .build();
        Ok(Prepared {
            kinds,
            schema: Arc::new(schema.map_err(|e| fault(e.to_string()))?),
            properties: Arc::new(properties),
            table,
        })
    }

    fn field_id(&self, table: &Table, column: &Column) -> Option<i32> {
        let declared = table.schema.columns.get(column.position).filter(|_| self.options.column_ids)?;
        i32::try_from(declared.id).ok()
    }

    /// A file without rows.
    ///
    /// # Errors
    /// When the table was not prepared.
    pub fn open(&self, table: TableRef) -> Result<File, EncodeError> {
        let prepared = self.tables.get(table)?;
        File::new(Arc::clone(&prepared.schema), Arc::clone(&prepared.properties), &prepared.kinds)
    }

    /// Appends a change to a file of its table: one row, or two for an update with old values. Full row groups are written.
    ///
    /// # Errors
    /// As [`EncodeError`] says; the file is as before then, unless its row group could not be written.
    pub fn row(&mut self, table: TableRef, row: &Row<'_>, file: &mut File) -> Result<(), EncodeError> {
        let prepared = self.tables.get(table)?;
        let commit_ts = row.commit_ts();
        let images = images(row, &prepared.table.full_name)?;
        let mut rows =
            Rows { options: &self.options, metas: &self.metas, prepared, commit_ts, scratch: &mut self.scratch };
        let before = file.mark();
        let pushed = match &images {
            Images::Insert(new) => rows.push(file, "I", false, new),
            Images::Update(new, old) if self.options.output_old_value => {
                rows.push(file, "D", true, old).and_then(|()| rows.push(file, "I", true, new))
            }
            Images::Update(new, _) => rows.push(file, "U", true, new),
            Images::Delete(old) => rows.push(file, "D", false, old),
        };
        if pushed.is_err() {
            file.take_back(before);
            return pushed;
        }
        file.write_full_group()
    }
}

/// What the rows of a change have in common.
struct Rows<'a> {
    options: &'a Options,
    metas: &'a [Meta],
    prepared: &'a Prepared,
    commit_ts: u64,
    scratch: &'a mut Vec<u8>,
}

impl Rows<'_> {
    fn push(&mut self, file: &mut File, op: &str, is_update: bool, image: &Image<'_>) -> Result<(), EncodeError> {
        let Prepared { table, kinds, .. } = self.prepared;
        let fault = |column: &str, reason| EncodeError::Value {
            table: table.full_name.clone(),
            column: column.to_owned(),
            commit_ts: self.commit_ts,
            reason,
        };
        let mut row = file.begin_row();
        for meta in self.metas {
            let item = match meta {
                Meta::Operation => Item::Bytes(op.as_bytes()),
                Meta::Table => Item::Bytes(table.schema.name.as_bytes()),
                Meta::Schema => Item::Bytes(table.schema.database.as_bytes()),
                Meta::CommitTs => Item::I64(self.commit_ts.cast_signed()),
                Meta::IsUpdate => Item::Bool(is_update),
            };
            row.push(Some(item)).map_err(|reason| fault(meta.name(), reason))?;
        }
        for (column, (kind, nullable)) in table.columns.iter().zip(kinds.iter().skip(self.metas.len())) {
            let value = value::get(table, column, image, self.commit_ts)?;
            let dates = if *nullable { self.options.zero_dates } else { ZeroDates::Refuse };
            let item = item(column, kind, value, dates, self.scratch);
            let pushed = item.and_then(|item| row.push(item));
            pushed.map_err(|reason| fault(&column.name, reason))?;
        }
        row.end();
        Ok(())
    }
}
