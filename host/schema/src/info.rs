//! The JSON that TiDB keeps about schemas, tables and jobs, as far as it is needed.
//!
//! Unknown members are skipped and missing or null ones take their zero value, since writers of several
//! versions share one format.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// State of a thing that everybody sees.
pub(crate) const STATE_PUBLIC: u8 = 5;

fn null_as_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(d: D) -> Result<T, D::Error> {
    Option::<T>::deserialize(d).map(Option::unwrap_or_default)
}

/// A name, of which TiDB keeps two spellings; this is the one as written.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Name {
    #[serde(rename = "O")]
    pub(crate) original: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct DbInfo {
    pub(crate) id: i64,
    pub(crate) db_name: Name,
    pub(crate) charset: String,
    pub(crate) collate: String,
    pub(crate) state: u8,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct TableInfo {
    pub(crate) id: i64,
    pub(crate) name: Name,
    pub(crate) charset: String,
    pub(crate) collate: String,
    #[serde(deserialize_with = "null_as_default")]
    pub(crate) cols: Vec<ColumnInfo>,
    #[serde(deserialize_with = "null_as_default")]
    pub(crate) index_info: Vec<IndexInfo>,
    pub(crate) state: u8,
    pub(crate) pk_is_handle: bool,
    pub(crate) is_common_handle: bool,
    pub(crate) update_timestamp: u64,
    pub(crate) partition: Option<PartitionInfo>,
    pub(crate) view: Option<ViewInfo>,
    pub(crate) sequence: Option<serde::de::IgnoredAny>,
    pub(crate) temp_table_type: u8,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ColumnInfo {
    pub(crate) id: i64,
    pub(crate) name: Name,
    pub(crate) offset: i64,
    pub(crate) origin_default: Value,
    #[serde(deserialize_with = "null_as_default")]
    pub(crate) origin_default_bit: String,
    pub(crate) default: Value,
    #[serde(deserialize_with = "null_as_default")]
    pub(crate) default_bit: String,
    pub(crate) default_is_expr: bool,
    pub(crate) generated_expr_string: String,
    pub(crate) generated_stored: bool,
    #[serde(rename = "type")]
    pub(crate) ty: FieldType,
    pub(crate) state: u8,
    pub(crate) comment: String,
    pub(crate) version: u8,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct FieldType {
    pub(crate) tp: u8,
    pub(crate) flag: u32,
    pub(crate) flen: i64,
    pub(crate) decimal: i64,
    pub(crate) charset: String,
    pub(crate) collate: String,
    #[serde(deserialize_with = "null_as_default")]
    pub(crate) elems: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct IndexInfo {
    pub(crate) id: i64,
    pub(crate) idx_name: Name,
    #[serde(deserialize_with = "null_as_default")]
    pub(crate) idx_cols: Vec<IndexColumn>,
    pub(crate) state: u8,
    pub(crate) is_unique: bool,
    pub(crate) is_primary: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct IndexColumn {
    pub(crate) name: Name,
    pub(crate) length: i64,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PartitionInfo {
    pub(crate) enable: bool,
    #[serde(deserialize_with = "null_as_default")]
    pub(crate) definitions: Vec<PartitionDefinition>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PartitionDefinition {
    pub(crate) id: i64,
    pub(crate) name: Name,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ViewInfo {
    pub(crate) view_algorithm: u8,
    pub(crate) view_security: u8,
    pub(crate) view_select: String,
    #[serde(deserialize_with = "null_as_default")]
    pub(crate) view_cols: Vec<Name>,
}

/// A job as its row in the job table describes it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct JobInfo {
    pub(crate) id: i64,
    #[serde(rename = "type")]
    pub(crate) action: u8,
    pub(crate) schema_id: i64,
    pub(crate) table_id: i64,
    pub(crate) schema_name: String,
    pub(crate) table_name: String,
    pub(crate) state: u8,
    pub(crate) raw_args: Value,
    pub(crate) query: String,
    #[serde(deserialize_with = "null_as_default")]
    pub(crate) binlog: JobResult,
    #[serde(deserialize_with = "null_as_default")]
    pub(crate) multi_schema_info: MultiSchemaInfo,
    pub(crate) charset: String,
    pub(crate) collate: String,
    pub(crate) sql_mode: u64,
}

/// What a finished job leaves behind.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct JobResult {
    #[serde(rename = "SchemaVersion")]
    pub(crate) schema_version: i64,
    #[serde(rename = "DBInfo")]
    pub(crate) db: Option<DbInfo>,
    #[serde(rename = "TableInfo")]
    pub(crate) table: Option<TableInfo>,
    #[serde(rename = "MultipleTableInfos", deserialize_with = "null_as_default")]
    pub(crate) tables: Vec<TableInfo>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct MultiSchemaInfo {
    #[serde(deserialize_with = "null_as_default")]
    pub(crate) sub_jobs: Vec<SubJob>,
    pub(crate) revertible: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct SubJob {
    #[serde(rename = "type")]
    pub(crate) action: u8,
    pub(crate) schema_state: u8,
}
