//! The progress table: who may write a lane, and how far it is.

use crate::classify::{Phase, fault};
use crate::errno::LOCK_WAIT_TIMEOUT;
use crate::hold::Holds;
use crate::{Fault, FaultKind};
use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use std::fmt::Write;
use tg_model::{Position, Stage, Ts};

/// Two first claims of one slot may meet; the second then finds the rows of the first. Rows that are locked are waited for.
const CLAIM_TRIES_MAX: usize = 5;
/// How long a try waits for rows that another transaction has locked, in seconds.
const CLAIM_LOCK_WAIT_S: u32 = 1;

/// What an instance claims: to be the writer of a lane.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LaneClaim {
    /// `namespace/name`, with the incarnation behind `#` if there is one.
    pub changefeed: String,
    /// Writer slot.
    pub slot: u32,
    /// Lane; `lane == lanes` is the one that runs DDL.
    pub lane: u32,
    /// Lanes of the slot.
    pub lanes: u32,
    /// Fencing token: (owner revision, number). Greater is newer.
    pub epoch: (u64, u64),
}

/// One row of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct ProgressRow {
    lane: u32,
    lanes: u32,
    epoch: (u64, u64),
    at: Position,
}

/// What a claim found and left.
pub(crate) struct Claimed {
    /// The lane's durable position.
    pub(crate) position: Option<Position>,
    /// The lock by which the connection is known.
    pub(crate) name: Option<String>,
}

/// Names of the table, ready for statements.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProgressTable {
    database: String,
    table: String,
}

impl ProgressTable {
    /// The table `tg_progress` in this database.
    #[must_use]
    pub fn new(database: &str) -> Self {
        let database = format!("`{}`", database.replace('`', "``"));
        let table = format!("{database}.`tg_progress`");
        Self { database, table }
    }

    /// The locks by which writers of the claim's slot are told apart.
    pub(crate) fn holds(&self, claim: &LaneClaim) -> Holds {
        Holds::of(&self.table, claim)
    }

    /// Makes database and table unless they are there.
    pub(crate) async fn create(&self, conn: &mut Conn) -> Result<(), Fault> {
        let doing = format!("making the progress table {}", self.table);
        let there = conn.query_drop(format!("SELECT 1 FROM {} LIMIT 0", self.table)).await;
        if there.is_ok() {
            return Ok(());
        }
        let statements = [
            format!("CREATE DATABASE IF NOT EXISTS {}", self.database),
            format!(
                "CREATE TABLE IF NOT EXISTS {} (\
                 changefeed VARCHAR(320) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,\
                 slot INT UNSIGNED NOT NULL,lane INT UNSIGNED NOT NULL,lanes INT UNSIGNED NOT NULL,\
                 epoch_rev BIGINT UNSIGNED NOT NULL,epoch_n BIGINT UNSIGNED NOT NULL,\
                 pos_ts BIGINT UNSIGNED NOT NULL,pos_stage TINYINT UNSIGNED NOT NULL,pos_seq BIGINT UNSIGNED NOT NULL,\
                 updated DATETIME(3) NOT NULL,PRIMARY KEY(changefeed,slot,lane))",
                self.table
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
        let doing = format!("claiming lane {} of slot {} of {}", claim.lane, claim.slot, claim.changefeed);
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
            if taken(&rows, claim, doing)? {
                return Ok(own(&rows, claim).filter(|p| *p != Position::ZERO));
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
        let position = if taken(&rows, claim, doing)? {
            own(&rows, claim)
        } else if complete(&rows, claim) {
            conn.query_drop(self.raise_sql(claim)).await.map_err(failed)?;
            own(&rows, claim)
        } else {
            let least = rows.iter().filter(|r| r.lane < r.lanes).map(|r| r.at).min().unwrap_or(Position::ZERO);
            conn.query_drop(self.renew_sql(claim, least)).await.map_err(failed)?;
            Some(least)
        };
        conn.query_drop("COMMIT").await.map_err(failed)?;
        Ok(position.filter(|p| *p != Position::ZERO))
    }

    async fn read_slot(
        &self,
        conn: &mut Conn,
        claim: &LaneClaim,
        lock: &str,
        doing: &str,
    ) -> Result<Vec<ProgressRow>, Fault> {
        let query = format!(
            "SELECT lane,lanes,epoch_rev,epoch_n,pos_ts,pos_stage,pos_seq FROM {} WHERE {}{lock}",
            self.table,
            slot_sql(claim)
        );
        let rows: Vec<(u32, u32, u64, u64, u64, u8, u64)> =
            conn.query(query).await.map_err(|e| fault(e, Phase::Undone, doing))?;
        let row = |(lane, lanes, rev, n, ts, stage, seq)| {
            let stage = Stage::from_u8(stage)?;
            Some(ProgressRow { lane, lanes, epoch: (rev, n), at: Position { ts: Ts::new(ts), stage, seq } })
        };
        rows.into_iter().map(row).collect::<Option<_>>().ok_or_else(|| {
            Fault::own(FaultKind::Refused, doing, format!("a row of {} holds an unknown stage", self.table))
        })
    }

    /// The lane's row as it is now: its position, or fenced if it belongs to another epoch or is gone.
    pub(crate) async fn read(&self, conn: &mut Conn, claim: &LaneClaim) -> Result<Option<Position>, Fault> {
        let doing =
            format!("reading the progress of lane {} of slot {} of {}", claim.lane, claim.slot, claim.changefeed);
        let rows = self.read_slot(conn, claim, "", &doing).await?;
        match rows.iter().find(|r| r.lane == claim.lane) {
            Some(row) if row.epoch == claim.epoch => Ok(Some(row.at).filter(|p| *p != Position::ZERO)),
            other => Err(fenced(&doing, claim.epoch, other.map(|r| r.epoch))),
        }
    }

    /// The statement that guards a transaction: matches one row if the lane is still the claim's, and moves its position.
    pub(crate) fn guard_sql(&self, claim: &LaneClaim, to: Option<Position>) -> String {
        // The time changes in any case, so that the row is locked and counted.
        let mut sql = format!("UPDATE {} SET updated=UTC_TIMESTAMP(3)", self.table);
        if let Some(p) = to {
            // Writing to a String cannot fail.
            let _ = write!(sql, ",pos_ts={},pos_stage={},pos_seq={}", p.ts, p.stage as u8, p.seq);
        }
        let (rev, n) = claim.epoch;
        let _ = write!(sql, " WHERE {} AND lane={} AND epoch_rev={rev} AND epoch_n={n}", slot_sql(claim), claim.lane);
        sql
    }

    fn raise_sql(&self, claim: &LaneClaim) -> String {
        let (rev, n) = claim.epoch;
        let slot = slot_sql(claim);
        format!("UPDATE {} SET epoch_rev={rev},epoch_n={n},updated=UTC_TIMESTAMP(3) WHERE {slot}", self.table)
    }

    fn renew_sql(&self, claim: &LaneClaim, at: Position) -> String {
        let (rev, n) = claim.epoch;
        let name = quoted(&claim.changefeed);
        let row = |lane: u32| {
            format!(
                "({name},{},{lane},{},{rev},{n},{},{},{},UTC_TIMESTAMP(3))",
                claim.slot, claim.lanes, at.ts, at.stage as u8, at.seq
            )
        };
        let rows: Vec<String> = (0..=claim.lanes).map(row).collect();
        format!(
            "DELETE FROM {0} WHERE {1};INSERT INTO {0}(changefeed,slot,lane,lanes,epoch_rev,epoch_n,pos_ts,pos_stage,pos_seq,updated) \
             VALUES {2}",
            self.table,
            slot_sql(claim),
            rows.join(",")
        )
    }
}

/// Whether the slot is the claim's already, all of it.
fn taken(rows: &[ProgressRow], claim: &LaneClaim, doing: &str) -> Result<bool, Fault> {
    match rows.iter().map(|r| r.epoch).max() {
        Some(newer) if newer > claim.epoch => Err(fenced(doing, claim.epoch, Some(newer))),
        _ => Ok(complete(rows, claim) && rows.iter().all(|r| r.epoch == claim.epoch)),
    }
}

/// Whether there is a row for each lane, and no other.
fn complete(rows: &[ProgressRow], claim: &LaneClaim) -> bool {
    rows.len() as u64 == u64::from(claim.lanes) + 1 && rows.iter().all(|r| r.lanes == claim.lanes)
}

fn own(rows: &[ProgressRow], claim: &LaneClaim) -> Option<Position> {
    rows.iter().find(|r| r.lane == claim.lane).map(|r| r.at)
}

/// The writer's epoch is not the row's.
pub(crate) fn fenced(doing: &str, own: (u64, u64), stored: Option<(u64, u64)>) -> Fault {
    let stored =
        stored.map_or("its progress row is gone".to_owned(), |(rev, n)| format!("the slot is held by epoch {rev}.{n}"));
    Fault::own(FaultKind::Fenced, doing, format!("{stored}, this writer has {}.{}", own.0, own.1))
}

fn slot_sql(claim: &LaneClaim) -> String {
    format!("changefeed={} AND slot={}", quoted(&claim.changefeed), claim.slot)
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::{LaneClaim, ProgressTable};
    use tg_model::{Position, Ts};

    fn claim() -> LaneClaim {
        LaneClaim { changefeed: "default/it's".into(), slot: 3, lane: 1, lanes: 2, epoch: (7, 9) }
    }

    #[test]
    fn the_guard_names_lane_and_epoch() {
        let table = ProgressTable::new("tide`gate");
        let tail = " WHERE changefeed='default/it''s' AND slot=3 AND lane=1 AND epoch_rev=7 AND epoch_n=9";
        assert_eq!(
            table.guard_sql(&claim(), None),
            format!("UPDATE `tide``gate`.`tg_progress` SET updated=UTC_TIMESTAMP(3){tail}")
        );
        assert_eq!(
            table.guard_sql(&claim(), Some(Position::within(Ts::new(5), 2))),
            format!(
                "UPDATE `tide``gate`.`tg_progress` SET updated=UTC_TIMESTAMP(3),pos_ts=5,pos_stage=0,pos_seq=2{tail}"
            )
        );
    }

    #[test]
    fn a_slot_has_a_row_for_each_lane_and_one_for_ddl() {
        let sql = ProgressTable::new("d").renew_sql(&claim(), Position::ZERO);
        assert_eq!(sql.matches("'default/it''s',3,").count(), 3);
    }
}
