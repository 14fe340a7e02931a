//! The progress table: who may write a lane, and how far it is.

use crate::classify::fault;
use crate::errno::LOCK_WAIT_TIMEOUT;
use crate::hold::Holds;
use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use tg_model::Position;
use tg_sql::{Fault, FaultKind, LaneClaim, Phase, ProgressRow, ProgressSql, Standing, lane_position};

/// Two first claims of one slot may meet; the second then finds the rows of the first. Rows that are locked are waited for.
const CLAIM_TRIES_MAX: usize = 5;
/// How long a try waits for rows that another transaction has locked, in seconds.
const CLAIM_LOCK_WAIT_S: u32 = 1;

/// What a claim found and left.
pub(crate) struct Claimed {
    /// The lane's durable position.
    pub(crate) position: Option<Position>,
    /// The lock by which the connection is known.
    pub(crate) name: Option<String>,
}

/// The table, ready for statements.
#[derive(Clone, Debug)]
pub(crate) struct ProgressTable {
    database: String,
    sql: ProgressSql,
}

impl ProgressTable {
    /// The table `tg_progress` in this database.
    pub(crate) fn new(database: &str) -> Self {
        let database = format!("`{}`", database.replace('`', "``"));
        let sql = ProgressSql::new(format!("{database}.`tg_progress`"), "UTC_TIMESTAMP(3)", quoted);
        Self { database, sql }
    }

    /// The locks by which writers of the claim's slot are told apart.
    pub(crate) fn holds(&self, claim: &LaneClaim) -> Holds {
        Holds::of(self.sql.table(), claim)
    }

    /// Makes database and table unless they are there.
    pub(crate) async fn create(&self, conn: &mut Conn) -> Result<(), Fault> {
        let table = self.sql.table();
        let doing = format!("making the progress table {table}");
        let there = conn.query_drop(format!("SELECT 1 FROM {table} LIMIT 0")).await;
        if there.is_ok() {
            return Ok(());
        }
        let statements = [
            format!("CREATE DATABASE IF NOT EXISTS {}", self.database),
            format!(
                "CREATE TABLE IF NOT EXISTS {table} (\
                 changefeed VARCHAR(320) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,\
                 slot INT UNSIGNED NOT NULL,lane INT UNSIGNED NOT NULL,lanes INT UNSIGNED NOT NULL,\
                 epoch_rev BIGINT UNSIGNED NOT NULL,epoch_n BIGINT UNSIGNED NOT NULL,\
                 pos_ts BIGINT UNSIGNED NOT NULL,pos_stage TINYINT UNSIGNED NOT NULL,pos_seq BIGINT UNSIGNED NOT NULL,\
                 updated DATETIME(3) NOT NULL,PRIMARY KEY(changefeed,slot,lane))"
            ),
        ];
        for statement in statements {
            conn.query_drop(statement).await.map_err(|e| fault(e, Phase::Undone, &doing))?;
        }
        Ok(())
    }

    /// Takes the slot for the claim's epoch.
    ///
    /// All lanes of the slot are raised together. When their number changes, rows are distributed anew, so each
    /// lane starts from the least position of all. A writer of an older epoch that keeps the rows locked is ended by `holds`.
    pub(crate) async fn claim(
        &self,
        conn: &mut Conn,
        claim: &LaneClaim,
        holds: Option<&Holds>,
    ) -> Result<Claimed, Fault> {
        let doing = format!("claiming {claim}");
        if let Some(holds) = holds {
            holds.begin_claim(conn, &doing).await?;
        }
        let wait = format!("SET SESSION innodb_lock_wait_timeout={CLAIM_LOCK_WAIT_S}");
        conn.query_drop(wait).await.map_err(|e| fault(e, Phase::Undone, &doing))?;
        let position = self.claim_in_tries(conn, claim, holds, &doing).await?;
        let usual = "SET SESSION innodb_lock_wait_timeout=DEFAULT";
        conn.query_drop(usual).await.map_err(|e| fault(e, Phase::Undone, &doing))?;
        let mut name = None;
        if let Some(holds) = holds {
            name = holds.write(conn, claim, &doing).await?;
            holds.end_claim(conn, &doing).await?;
        }
        Ok(Claimed { position, name })
    }

    async fn claim_in_tries(
        &self,
        conn: &mut Conn,
        claim: &LaneClaim,
        holds: Option<&Holds>,
        doing: &str,
    ) -> Result<Option<Position>, Fault> {
        let mut tries = 1;
        loop {
            let rows = self.read_slot(conn, claim, "", doing).await?;
            let standing = Standing::of(&rows, claim, doing)?;
            if matches!(standing, Standing::Ours(_)) {
                return Ok(standing.position());
            }
            let outcome = self.claim_once(conn, claim, doing).await;
            let Err(error) = outcome else { return outcome };
            // The fault matters more than one of undoing; a broken connection undoes by itself.
            let _ = conn.query_drop("ROLLBACK").await;
            let again = matches!(error.kind, FaultKind::Duplicate | FaultKind::Retryable) && error.errno != 0;
            if !again || tries == CLAIM_TRIES_MAX {
                return Err(error);
            }
            if let Some(holds) = holds.filter(|_| error.errno == LOCK_WAIT_TIMEOUT) {
                let older = rows.iter().filter(|r| r.epoch < claim.epoch).map(|r| (r.lane, r.epoch));
                holds.oust(conn, older, doing).await?;
            }
            tries += 1;
        }
    }

    async fn claim_once(&self, conn: &mut Conn, claim: &LaneClaim, doing: &str) -> Result<Option<Position>, Fault> {
        let failed = |e| fault(e, Phase::Undone, doing);
        conn.query_drop("BEGIN").await.map_err(failed)?;
        let rows = self.read_slot(conn, claim, " FOR UPDATE", doing).await?;
        let standing = Standing::of(&rows, claim, doing)?;
        match standing {
            Standing::Ours(_) => {}
            Standing::Older(_) => conn.query_drop(self.sql.raise(claim)).await.map_err(failed)?,
            Standing::Anew(at) => conn.query_drop(self.sql.renew(claim, at)).await.map_err(failed)?,
        }
        conn.query_drop("COMMIT").await.map_err(failed)?;
        Ok(standing.position())
    }

    async fn read_slot(
        &self,
        conn: &mut Conn,
        claim: &LaneClaim,
        lock: &str,
        doing: &str,
    ) -> Result<Vec<ProgressRow>, Fault> {
        let rows: Vec<_> = conn.query(self.sql.read(claim, lock)).await.map_err(|e| fault(e, Phase::Undone, doing))?;
        let odd = || format!("a row of {} holds an unknown stage", self.sql.table());
        let rows = rows.into_iter().map(ProgressRow::read).collect::<Option<_>>();
        rows.ok_or_else(|| Fault::own(FaultKind::Refused, doing, odd()))
    }

    /// The lane's row as it is now: its position, or fenced if it belongs to another epoch or is gone.
    pub(crate) async fn read(&self, conn: &mut Conn, claim: &LaneClaim) -> Result<Option<Position>, Fault> {
        let doing = format!("reading the progress of {claim}");
        lane_position(&self.read_slot(conn, claim, "", &doing).await?, claim, &doing)
    }

    /// The statement that guards a transaction: matches one row if the lane is still the claim's, and moves its position.
    pub(crate) fn guard_sql(&self, claim: &LaneClaim, to: Option<Position>) -> String {
        self.sql.guard(claim, to)
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::{LaneClaim, ProgressTable};

    #[test]
    fn names_and_texts_are_quoted() {
        let claim = LaneClaim { changefeed: "default/it's\\".into(), slot: 3, lane: 1, lanes: 2, epoch: (7, 9) };
        assert_eq!(
            ProgressTable::new("tide`gate").guard_sql(&claim, None),
            "UPDATE `tide``gate`.`tg_progress` SET updated=UTC_TIMESTAMP(3) \
             WHERE changefeed='default/it''s\\\\' AND slot=3 AND lane=1 AND epoch_rev=7 AND epoch_n=9"
        );
    }
}
