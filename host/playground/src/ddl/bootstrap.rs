//! What a fresh cluster holds: the system schema with the job tables, and the schema `test`.

use super::job::{HISTORY_TABLE, JOB_TABLE};
use super::{put, schema_key, table_key};
use crate::PlaygroundError;
use crate::encode::key;
use crate::store::{Cluster, TxnMeta};
use crate::table::meta::schema_json;
use crate::table::{TableDef, TableSpec};

/// Id of the schema `mysql`.
const MYSQL_SCHEMA: i64 = 1;
/// Id of the schema `test`.
const TEST_SCHEMA: i64 = 2;
/// Schema version of a fresh cluster.
const FIRST_VERSION: i64 = 50;
/// Version of the server's own bootstrap that the meta data tells.
const BOOTSTRAP_VERSION: &str = "252";

fn job_table() -> TableSpec {
    TableSpec::new("mysql", "tidb_ddl_job")
        .column("job_id", "bigint")
        .column("reorg", "int")
        .column("schema_ids", "mediumtext")
        .column("table_ids", "mediumtext")
        .column("job_meta", "longblob")
        .column("type", "int")
        .column("processing", "int")
        .primary_key(&["job_id"])
}

fn history_table() -> TableSpec {
    TableSpec::new("mysql", "tidb_ddl_history")
        .column("job_id", "bigint")
        .column("job_meta", "longblob")
        .column("db_name", "char(64)")
        .column("table_name", "char(64)")
        .column("schema_ids", "mediumtext")
        .column("table_ids", "mediumtext")
        .column("create_time", "datetime")
        .primary_key(&["job_id"])
}

impl Cluster {
    /// Writes the meta data of a fresh cluster.
    pub(crate) fn bootstrap(&self) -> Result<(), PlaygroundError> {
        let mut state = self.lock();
        let mut mutations = vec![
            put(key::meta_string("BootstrapKey"), BOOTSTRAP_VERSION.to_owned()),
            put(key::meta_string("SchemaVersionKey"), FIRST_VERSION.to_string()),
            put(key::meta_string("NextGlobalID"), state.last_schema_id().to_string()),
            put(schema_key(MYSQL_SCHEMA), schema_json(MYSQL_SCHEMA, "mysql").to_string()),
            put(schema_key(TEST_SCHEMA), schema_json(TEST_SCHEMA, "test").to_string()),
        ];
        for (spec, id) in [(job_table(), JOB_TABLE), (history_table(), HISTORY_TABLE)] {
            let mut table = TableDef::new(&spec, MYSQL_SCHEMA, || id)?;
            table.update_ts = self.tso.next();
            mutations.push(put(table_key(MYSQL_SCHEMA, id), table.to_json().to_string()));
        }
        self.write_locked(&mut state, TxnMeta::default(), mutations)?;
        state.catalog.version = FIRST_VERSION;
        state.catalog.schemas.insert("mysql".to_owned(), MYSQL_SCHEMA);
        state.catalog.schemas.insert("test".to_owned(), TEST_SCHEMA);
        for boundary in [key::table_prefix(0), key::table_prefix(JOB_TABLE), key::table_prefix(JOB_TABLE + 1)] {
            state.split(&boundary);
        }
        state.scatter(b"m", b"u");
        Ok(())
    }
}
