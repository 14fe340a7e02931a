//! The job's JSON and its rows.

use super::put;
use crate::encode::row::encode_v1;
use crate::encode::{FieldType, Value, key, time};
use crate::store::{Mutation, physical_ms};
use bytes::Bytes;
use serde_json::{Value as Json, json};

/// Ids of system tables count down from here.
const SYSTEM_TABLE_BASE: i64 = 0x0000_ffff_ffff_ffff;
/// `mysql.tidb_ddl_job`.
pub(crate) const JOB_TABLE: i64 = SYSTEM_TABLE_BASE - 1;
/// `mysql.tidb_ddl_history`.
pub(crate) const HISTORY_TABLE: i64 = SYSTEM_TABLE_BASE - 3;
/// The `sql_mode` bits of a default session.
const SQL_MODE: u64 = 1_436_549_152;

/// States of a job that occur here.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum JobState {
    Running = 1,
    Done = 4,
    Synced = 6,
    Queueing = 8,
}

/// A job.
#[derive(Default)]
pub(crate) struct Job {
    pub(crate) id: i64,
    pub(crate) action: u8,
    pub(crate) schema_id: i64,
    pub(crate) table_id: i64,
    pub(crate) schema_name: String,
    pub(crate) table_name: String,
    pub(crate) query: String,
    pub(crate) raw_args: Json,
    /// Ids in the row's `table_ids`.
    pub(crate) table_ids: Vec<i64>,
    /// The schema in HistoryInfo.
    pub(crate) db_info: Json,
    /// Whether the object is public afterwards (else it is gone).
    pub(crate) public: bool,
    pub(crate) schema_version: i64,
    pub(crate) start_ts: u64,
    pub(crate) real_start_ts: u64,
    pub(crate) history_start_ts: u64,
    pub(crate) table_info: Json,
    /// The job concerns a schema: HistoryInfo tells no table.
    pub(crate) no_table_info: bool,
}

impl Job {
    pub(crate) fn key(&self) -> Bytes {
        key::record_key(JOB_TABLE, self.id)
    }

    /// The job's row in `tidb_ddl_job`.
    pub(crate) fn row(&self, state: JobState, table_info: &Json) -> Mutation {
        let (int, text, blob) = (column("int"), column("mediumtext"), column("longblob"));
        let row = encode_v1(&[
            (2, &int, Value::Int(0)),
            (3, &text, self.schema_id.to_string().into()),
            (4, &text, self.id_list().into()),
            (5, &blob, self.json(state, table_info).to_string().into()),
            (6, &int, Value::Int(i64::from(self.action))),
            (7, &int, Value::Int(0)),
        ]);
        Mutation { key: self.key(), value: row }
    }

    /// The job's entries in `tidb_ddl_history` and in the meta data.
    pub(crate) fn history(&self, table_info: &Json) -> Vec<Mutation> {
        let json = self.json(JobState::Synced, table_info).to_string();
        let (text, blob, datetime) = (column("mediumtext"), column("longblob"), column("datetime"));
        let row = encode_v1(&[
            (2, &blob, json.clone().into()),
            (3, &text, self.schema_name.clone().into()),
            (4, &text, self.table_name.clone().into()),
            (5, &text, self.schema_id.to_string().into()),
            (6, &text, self.id_list().into()),
            (7, &datetime, Value::Time(packed_now(physical_ms(self.start_ts)))),
        ]);
        let [table, meta] = history_keys(self.id);
        vec![Mutation { key: table, value: row }, put(meta, json)]
    }

    fn id_list(&self) -> String {
        self.table_ids.iter().map(i64::to_string).collect::<Vec<_>>().join(",")
    }

    fn json(&self, state: JobState, table_info: &Json) -> Json {
        let finished = matches!(state, JobState::Done | JobState::Synced);
        let binlog = json!({
            "SchemaVersion": if finished { self.schema_version } else { 0 },
            "DBInfo": if finished { self.db_info.clone() } else { Json::Null },
            "TableInfo": if finished { table_info.clone() } else { Json::Null },
            "FinishedTS": if state == JobState::Synced { self.history_start_ts } else { 0 },
            "MultipleTableInfos": null,
        });
        json!({
            "id": self.id, "type": self.action, "schema_id": self.schema_id, "table_id": self.table_id,
            "schema_name": self.schema_name, "table_name": self.table_name, "state": state as u8,
            "warning": null, "err": null, "err_count": 0, "row_count": 0, "raw_args": self.raw_args,
            "schema_state": if finished && self.public { 5 } else { 0 }, "snapshot_ver": 0,
            "real_start_ts": self.real_start_ts, "start_ts": self.start_ts, "dependency_id": 0,
            "query": self.query, "binlog": binlog, "version": 2, "reorg_meta": null,
            "multi_schema_info": null, "priority": 0, "seq_num": 0, "charset": "utf8mb4",
            "collate": "utf8mb4_bin", "admin_operator": 0,
            "trace_info": {"session_alias": "", "connection_id": 1}, "bdr_role": "",
            "cdc_write_source": 0, "local_mode": false, "sql_mode": SQL_MODE,
            "last_schema_version": self.schema_version,
        })
    }
}

/// The keys of a job in the history: the table's and the meta data's.
pub(crate) fn history_keys(job: i64) -> [Bytes; 2] {
    [key::record_key(HISTORY_TABLE, job), key::meta_hash("DDLJobHistory", &job.to_be_bytes())]
}

/// A type that the parser is known to read.
fn column(sql: &str) -> FieldType {
    let parsed = FieldType::parse(sql);
    assert!(parsed.is_some(), "a type of the system tables is readable");
    parsed.unwrap_or_else(|| unreachable!("asserted above"))
}

/// The packed time of Unix milliseconds (UTC).
fn packed_now(unix_ms: u64) -> u64 {
    let seconds = unix_ms / 1000;
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days as i64);
    let text = format!("{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
    time::pack(&text).unwrap_or_default()
}

/// Year, month and day of a number of days since 1970, by counting eras of 400 years from March.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::{civil, packed_now};
    use crate::encode::time::packed_text;

    #[test]
    fn days_become_dates() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(19_782), (2024, 2, 29));
        assert_eq!(packed_text(packed_now(1_709_251_199_000), false, 0), "2024-02-29 23:59:59");
    }
}
