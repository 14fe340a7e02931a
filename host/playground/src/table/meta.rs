//! The JSON of the meta data: schemas, tables, and their parts.

use super::def::{ColumnDef, Handle, IndexDef, TableDef};
use serde_json::{Value as Json, json};

/// State of everything that is in use.
const PUBLIC: u8 = 5;

/// A name in both cases.
pub(crate) fn name(original: &str) -> Json {
    json!({"O": original, "L": original.to_lowercase()})
}

/// DBInfo.
pub(crate) fn schema_json(id: i64, schema: &str) -> Json {
    json!({
        "id": id, "db_name": name(schema), "charset": "utf8mb4", "collate": "utf8mb4_bin",
        "Deprecated": {}, "state": PUBLIC, "policy_ref_info": null,
    })
}

/// ColumnInfo.
pub(crate) fn column_json(column: &ColumnDef, offset: usize) -> Json {
    json!({
        "id": column.id, "name": name(&column.name), "offset": offset,
        "origin_default": column.origin_default, "origin_default_bit": null,
        "default": column.default, "default_bit": null, "default_is_expr": false,
        "generated_expr_string": "", "generated_stored": false, "dependences": null,
        "type": column.ty.to_json(), "state": PUBLIC, "comment": "", "hidden": false,
        "change_state_info": null, "version": 2,
    })
}

fn index_json(index: &IndexDef, table: &TableDef) -> Json {
    let columns: Vec<_> = index
        .columns
        .iter()
        .map(|c| json!({"name": name(c), "offset": table.position(c).unwrap_or_default(), "length": -1}))
        .collect();
    json!({
        "id": index.id, "idx_name": name(&index.name), "tbl_name": name(""), "idx_cols": columns,
        "state": PUBLIC, "backfill_state": 0, "comment": "", "index_type": 1, "is_unique": index.unique,
        "is_primary": index.primary, "is_invisible": false, "is_global": false, "mv_index": false,
        "vector_index": null, "inverted_index": null, "full_text_index": null,
    })
}

fn partition_json(table: &TableDef) -> Json {
    let Handle::Int(at) = table.handle else {
        return Json::Null;
    };
    if table.partitions.is_empty() {
        return Json::Null;
    }
    let definitions: Vec<_> = table
        .partitions
        .iter()
        .map(
            |(id, p)| json!({"id": id, "name": name(p), "less_than": null, "in_values": null, "policy_ref_info": null}),
        )
        .collect();
    json!({
        "type": 2, "expr": format!("`{}`", table.columns[at].name), "columns": null, "enable": true,
        "is_empty_columns": false, "num": definitions.len(), "definitions": definitions,
        "adding_definitions": null, "dropping_definitions": null, "states": null, "ddl_state": 0,
    })
}

impl TableDef {
    /// TableInfo.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let columns: Vec<_> = self.columns.iter().enumerate().map(|(i, c)| column_json(c, i)).collect();
        let indexes: Vec<_> = self.indexes.iter().map(|i| index_json(i, self)).collect();
        let common = matches!(self.handle, Handle::Common(_));
        json!({
            "id": self.id, "name": name(&self.name), "charset": "utf8mb4", "collate": "utf8mb4_bin",
            "cols": columns, "index_info": if indexes.is_empty() { Json::Null } else { json!(indexes) },
            "constraint_info": null, "fk_info": null, "state": PUBLIC,
            "pk_is_handle": matches!(self.handle, Handle::Int(_)), "is_common_handle": common,
            "common_handle_version": u8::from(common), "comment": "", "auto_inc_id": 0, "auto_id_cache": 0,
            "auto_rand_id": 0, "max_col_id": self.max_column_id, "max_idx_id": self.max_index_id,
            "max_fk_id": 0, "max_cst_id": 0, "update_timestamp": self.update_ts, "ShardRowIDBits": 0,
            "max_shard_row_id_bits": 0, "auto_random_bits": 0, "auto_random_range_bits": 0,
            "pre_split_regions": 0, "partition": partition_json(self), "compression": "", "view": null,
            "sequence": null, "Lock": null, "version": 5, "tiflash_replica": null, "is_columnar": false,
            "temp_table_type": 0, "cache_table_status": 0, "policy_ref_info": null, "stats_options": null,
            "exchange_partition_info": null, "ttl_info": null, "revision": self.revision,
        })
    }
}
