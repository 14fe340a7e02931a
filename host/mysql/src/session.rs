//! How a session is set up before rows or DDL pass through it.

use crate::Flavor;
use crate::classify::fault;
use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use tg_sql::{Fault, Phase};

/// TiDB's default without what refuses or changes values that the source holds, and with what keeps them as they are.
const SQL_MODE: &str =
    "ONLY_FULL_GROUP_BY,NO_ENGINE_SUBSTITUTION,IGNORE_SPACE,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES";

/// `ER_UNKNOWN_SYSTEM_VARIABLE` and its relatives: the server has no such setting, or not in this scope.
const NO_SUCH_SETTING: &[u16] = &[1193, 1238, 1229, 1231];

/// Settings every server has. TIMESTAMP values travel in UTC; foreign keys were checked upstream, and their rows may come
/// in another order here.
const EVERYWHERE: &[&str] = &[
    "SET NAMES utf8mb4",
    "SET SESSION foreign_key_checks=0,time_zone='+00:00',autocommit=1",
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
];

/// Settings of TiDB, each of which some version lacks.
const TIDB: &[&str] = &[
    "SET SESSION allow_auto_random_explicit_insert=1",
    "SET SESSION tidb_placement_mode='ignore'",
    "SET SESSION tidb_enable_external_ts_read='OFF'",
    "SET SESSION tidb_cdc_write_source=1",
    // Seconds. A writer that stands still within a transaction is not to keep its successor waiting.
    "SET SESSION tidb_idle_transaction_timeout=10",
];

/// Sets the session up.
pub(crate) async fn set_up(conn: &mut Conn, flavor: Flavor, tidb_txn_mode: &str, doing: &str) -> Result<(), Fault> {
    let failed = |e| fault(e, Phase::Undone, doing);
    let mode = format!("SET SESSION sql_mode='{SQL_MODE}'");
    let all = [EVERYWHERE.join(";"), mode].join(";");
    conn.query_drop(all).await.map_err(failed)?;
    if flavor == Flavor::Tidb {
        let mode = if tidb_txn_mode == "pessimistic" { "pessimistic" } else { "optimistic" };
        let mode = format!("SET SESSION tidb_txn_mode='{mode}'");
        for setting in TIDB.iter().copied().chain([mode.as_str()]) {
            if let Err(e) = conn.query_drop(setting).await {
                let missing = matches!(&e, mysql_async::Error::Server(s) if NO_SUCH_SETTING.contains(&s.code));
                if !missing {
                    return Err(failed(e));
                }
            }
        }
    }
    Ok(())
}
