//! Sync points: pairs of an upstream's and the downstream's ts at which both hold the same rows. The downstream has to be TiDB.

use crate::ident::quoted;
use tidegate_sdk::sql::{Blocks, Connection, Dialect, ErrorKind, SqlError, Value};
use tidegate_sdk::{Failure, log};

/// Database and table as TiCDC names and lays them out, so that what reads its sync points reads these.
const DATABASE: &str = "CREATE DATABASE IF NOT EXISTS tidb_cdc";
const TABLE: &str = "CREATE TABLE IF NOT EXISTS tidb_cdc.syncpoint_v1 (\
    ticdc_cluster_id VARCHAR(255),changefeed VARCHAR(255),primary_ts VARCHAR(18),secondary_ts VARCHAR(18),\
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,INDEX(created_at),PRIMARY KEY(changefeed,primary_ts))";
/// What TiCDC calls a cluster of its own that nobody named.
const CLUSTER: &str = "default";
/// `ER_UNKNOWN_SYSTEM_VARIABLE`.
const UNKNOWN_VARIABLE: u16 = 1193;

/// The stage of a position that says so.
pub(crate) const STAGE: u8 = 3;

/// Marks that the downstream is now the upstream at `ts`. Marking again changes nothing.
pub(crate) fn mark(connection: &Connection, changefeed: &str, ts: u64, retention_s: u64) -> Result<(), Failure> {
    let named = |e: SqlError| Failure::from(e).context(&format!("marking the sync point at {ts}"));
    if connection.dialect() != Dialect::Tidb {
        let reason = "sync points need a TiDB downstream: no other can be read as of a moment in the past";
        return Err(Failure::unsupported("sync-point", reason));
    }
    connection.execute(DATABASE).map_err(named)?;
    connection.execute(TABLE).map_err(named)?;
    // Within a transaction this is its start-ts: everything that was committed before is seen at it.
    let insert = format!(
        "INSERT IGNORE INTO tidb_cdc.syncpoint_v1(ticdc_cluster_id,changefeed,primary_ts,secondary_ts) \
         VALUES('{CLUSTER}',{},'{ts}',@@tidb_current_ts)",
        quoted(changefeed)
    );
    let mut blocks = Blocks::default();
    blocks.push(insert.as_bytes());
    connection.transact(&blocks).map_err(named)?;
    read_as_of(connection, changefeed, ts).map_err(named)?;
    let forget = format!(
        "DELETE FROM tidb_cdc.syncpoint_v1 WHERE ticdc_cluster_id='{CLUSTER}' AND changefeed={} \
         AND created_at<NOW()-INTERVAL {retention_s} SECOND",
        quoted(changefeed)
    );
    connection.execute(&forget).map(|_| ()).map_err(named)
}

/// Lets sessions that ask for it (`tidb_enable_external_ts_read`) read the downstream as of the sync point.
fn read_as_of(connection: &Connection, changefeed: &str, ts: u64) -> Result<(), SqlError> {
    let query = format!(
        "SELECT secondary_ts FROM tidb_cdc.syncpoint_v1 WHERE changefeed={} AND primary_ts='{ts}'",
        quoted(changefeed)
    );
    let found = connection.query(&query, 1)?;
    let Some(secondary) = found.rows.first().and_then(|r| r.first()).and_then(number) else { return Ok(()) };
    match connection.execute(&format!("SET GLOBAL tidb_external_ts={secondary}")) {
        Err(e) if e.errno == UNKNOWN_VARIABLE => Ok(()),
        Err(e) if matches!(e.kind, ErrorKind::Refused | ErrorKind::Denied) => {
            log::warn("the sync point is marked, but cannot be set for all sessions", &[("error", &e.to_string())]);
            Ok(())
        }
        other => other.map(|_| ()),
    }
}

fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Text(text) => text.parse().ok(),
        Value::Bytes(bytes) => std::str::from_utf8(bytes).ok()?.parse().ok(),
        _ => None,
    }
}
