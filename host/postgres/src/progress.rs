//! The progress table: who may write a lane, and how far it is.

use crate::classify::{Phase, fault, own};
use crate::marker::Marker;
use crate::rows::{Session, TextRow};
use std::fmt::Write;
use std::str::FromStr;
use std::time::Duration;
use tg_downstream::{Fault, FaultKind, LaneClaim};
use tg_model::{Position, Stage, Ts};
use tokio::time::Instant;

/// Longest wait for a row of the table within one try of a claim.
const CLAIM_LOCK_MS: u32 = 1_000;
/// Longest time that a claim is tried. A writer that cannot be ended has its transaction ended by the server within it.
const CLAIM_TIMEOUT: Duration = Duration::from_secs(75);
/// Between two tries.
const CLAIM_PAUSE: Duration = Duration::from_millis(50);
/// Two first uses of a database may meet when the table is made.
const CREATE_TRIES_MAX: u32 = 5;
/// Rows of one slot: one a lane, and there are far fewer.
const LANES_MAX: usize = 1 << 16;

/// One row of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct ProgressRow {
    lane: u32,
    lanes: u32,
    epoch: (u64, u64),
    at: Position,
}

/// Names of the table, ready for statements.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ProgressTable {
    schema: String,
    table: String,
}

impl ProgressTable {
    /// The table `tg_progress` in this schema.
    pub(crate) fn new(schema: &str) -> Self {
        let schema = format!("\"{}\"", schema.replace('"', "\"\""));
        let table = format!("{schema}.tg_progress");
        Self { schema, table }
    }

    /// The lock of a claim's sessions.
    pub(crate) fn marker(&self, claim: &LaneClaim) -> Marker {
        Marker::new(&self.table, claim)
    }

    /// Makes schema and table unless they are there.
    pub(crate) async fn create(&self, session: &Session) -> Result<(), Fault> {
        let doing = format!("making the progress table {}", self.table);
        if session.run_all(&format!("SELECT 1 FROM {} LIMIT 0", self.table)).await.is_ok() {
            return Ok(());
        }
        // Rows change all the time: with room in their pages no index is touched.
        let statement = format!(
            "CREATE SCHEMA IF NOT EXISTS {};CREATE TABLE IF NOT EXISTS {} (\
             changefeed text NOT NULL,slot bigint NOT NULL,lane bigint NOT NULL,lanes bigint NOT NULL,\
             epoch_rev numeric(20) NOT NULL,epoch_n numeric(20) NOT NULL,\
             pos_ts numeric(20) NOT NULL,pos_stage smallint NOT NULL,pos_seq numeric(20) NOT NULL,\
             updated timestamptz NOT NULL,PRIMARY KEY(changefeed,slot,lane)) WITH (fillfactor=40)",
            self.schema, self.table
        );
        let mut tries = 1;
        loop {
            match session.run_all(&statement).await.map_err(|e| fault(&e, Phase::Undone, &doing)) {
                // IF NOT EXISTS does not help two that make it at once.
                Err(e) if e.kind == FaultKind::Duplicate && tries < CREATE_TRIES_MAX => tries += 1,
                other => return other,
            }
        }
    }

    /// Takes the slot for the claim's epoch and answers the lane's durable position; `None`: there is none yet.
    ///
    /// All lanes of the slot are raised together. When their number changes, rows are distributed anew, so each
    /// lane starts from the least position of all. Sessions of older epochs are ended first: one that has stopped within
    /// its transaction would be waited for in vain.
    pub(crate) async fn claim(&self, session: &Session, claim: &LaneClaim) -> Result<Option<Position>, Fault> {
        let doing = format!("claiming lane {} of slot {} of {}", claim.lane, claim.slot, claim.changefeed);
        let deadline = Instant::now() + CLAIM_TIMEOUT;
        loop {
            let rows = self.read_slot(session, claim, "", &doing).await?;
            let newest = rows.iter().map(|r| r.epoch).max();
            if let Some(newer) = newest.filter(|e| *e > claim.epoch) {
                return Err(fenced(&doing, claim.epoch, Some(newer)));
            }
            if newest.is_some_and(|e| e < claim.epoch) {
                self.marker(claim).end_others(session, &doing).await?;
            }
            let ours = is_complete(&rows, claim) && rows.iter().all(|r| r.epoch == claim.epoch);
            let outcome = if ours {
                self.rejoin(session, claim, &doing).await
            } else {
                self.claim_once(session, claim, &doing).await
            };
            if outcome.is_err() && session.run_all("ROLLBACK").await.is_err() {
                // The fault matters more than one of undoing; a broken session undoes by itself.
                return outcome;
            }
            match outcome {
                Err(e) if is_passing(&e) && Instant::now() < deadline => tokio::time::sleep(CLAIM_PAUSE).await,
                other => return other,
            }
        }
    }

    async fn claim_once(&self, session: &Session, claim: &LaneClaim, doing: &str) -> Result<Option<Position>, Fault> {
        let alone = self.marker(claim).claim_sql();
        run(session, &format!("BEGIN;SET LOCAL lock_timeout={CLAIM_LOCK_MS};{alone}"), doing).await?;
        let rows = self.read_slot(session, claim, " ORDER BY lane FOR UPDATE", doing).await?;
        if let Some(newer) = rows.iter().map(|r| r.epoch).max().filter(|e| *e > claim.epoch) {
            return Err(fenced(doing, claim.epoch, Some(newer)));
        }
        let own = |rows: &[ProgressRow]| rows.iter().find(|r| r.lane == claim.lane).map(|r| r.at);
        let complete = is_complete(&rows, claim);
        let position = if complete && rows.iter().all(|r| r.epoch == claim.epoch) {
            own(&rows)
        } else if complete {
            run(session, &self.raise_sql(claim), doing).await?;
            own(&rows)
        } else {
            let least = rows.iter().filter(|r| r.lane < r.lanes).map(|r| r.at).min().unwrap_or(Position::ZERO);
            run(session, &self.renew_sql(claim, least), doing).await?;
            Some(least)
        };
        // Whoever sees the new epoch sees its session too.
        run(session, &format!("{};COMMIT", self.marker(claim).take_sql()), doing).await?;
        Ok(position.filter(|p| *p != Position::ZERO))
    }

    /// The slot is the claim's already: only what was written of its own lane is waited for, not the work of others.
    async fn rejoin(&self, session: &Session, claim: &LaneClaim, doing: &str) -> Result<Option<Position>, Fault> {
        run(session, &format!("BEGIN;SET LOCAL lock_timeout={CLAIM_LOCK_MS}"), doing).await?;
        let rows = self.read_slot(session, claim, &format!(" AND lane={} FOR UPDATE", claim.lane), doing).await?;
        let position = match rows.first() {
            Some(row) if row.epoch == claim.epoch => row.at,
            other => return Err(fenced(doing, claim.epoch, other.map(|r| r.epoch))),
        };
        run(session, &format!("{};COMMIT", self.marker(claim).take_sql()), doing).await?;
        Ok(Some(position).filter(|p| *p != Position::ZERO))
    }

    async fn read_slot(
        &self,
        session: &Session,
        claim: &LaneClaim,
        tail: &str,
        doing: &str,
    ) -> Result<Vec<ProgressRow>, Fault> {
        let query = format!(
            "SELECT lane,lanes,epoch_rev,epoch_n,pos_ts,pos_stage,pos_seq FROM {} WHERE {}{tail}",
            self.table,
            slot_sql(claim)
        );
        let (rows, _) = session.rows(&query, LANES_MAX).await.map_err(|e| fault(&e, Phase::Undone, doing))?;
        let odd =
            || own(FaultKind::Refused, doing, format!("a row of {} holds an unknown stage or number", self.table));
        rows.iter().map(progress_row).collect::<Option<_>>().ok_or_else(odd)
    }

    /// The lane's row as it is now: its position, or fenced if it belongs to another epoch or is gone.
    pub(crate) async fn read(&self, session: &Session, claim: &LaneClaim) -> Result<Option<Position>, Fault> {
        let doing =
            format!("reading the progress of lane {} of slot {} of {}", claim.lane, claim.slot, claim.changefeed);
        let rows = self.read_slot(session, claim, "", &doing).await?;
        match rows.iter().find(|r| r.lane == claim.lane) {
            Some(row) if row.epoch == claim.epoch => Ok(Some(row.at).filter(|p| *p != Position::ZERO)),
            other => Err(fenced(&doing, claim.epoch, other.map(|r| r.epoch))),
        }
    }

    /// The statement that guards a transaction: matches one row if the lane is still the claim's, and moves its position.
    pub(crate) fn guard_sql(&self, claim: &LaneClaim, to: Option<Position>) -> String {
        let mut sql = format!("UPDATE {} SET updated=clock_timestamp()", self.table);
        if let Some(p) = to {
            // Writing to a String cannot fail.
            let _ = write!(sql, ",pos_ts={},pos_stage={},pos_seq={}", p.ts, p.stage as u8, p.seq);
        }
        let (rev, n) = claim.epoch;
        let _ = write!(sql, " WHERE {} AND lane={} AND epoch_rev={rev} AND epoch_n={n}", slot_sql(claim), claim.lane);
        sql
    }

    /// The statement that fails unless the lane is the claim's: in front of others of one text it keeps them from being run.
    pub(crate) fn check_sql(&self, claim: &LaneClaim) -> String {
        format!("WITH held AS ({} RETURNING 1) SELECT 1/count(*) FROM held", self.guard_sql(claim, None))
    }

    fn raise_sql(&self, claim: &LaneClaim) -> String {
        let (rev, n) = claim.epoch;
        let slot = slot_sql(claim);
        format!("UPDATE {} SET epoch_rev={rev},epoch_n={n},updated=clock_timestamp() WHERE {slot}", self.table)
    }

    fn renew_sql(&self, claim: &LaneClaim, at: Position) -> String {
        let (rev, n) = claim.epoch;
        let (name, slot, lanes) = (quoted(&claim.changefeed), claim.slot, claim.lanes);
        let (ts, stage, seq) = (at.ts, at.stage as u8, at.seq);
        let columns = "changefeed,slot,lane,lanes,epoch_rev,epoch_n,pos_ts,pos_stage,pos_seq,updated";
        format!(
            "DELETE FROM {0} WHERE {1};INSERT INTO {0}({columns}) \
             SELECT {name},{slot},lane,{lanes},{rev},{n},{ts},{stage},{seq},clock_timestamp() FROM generate_series(0,{lanes}) AS lane",
            self.table,
            slot_sql(claim)
        )
    }
}

async fn run(session: &Session, statements: &str, doing: &str) -> Result<(), Fault> {
    session.run_all(statements).await.map_err(|e| fault(&e, Phase::Undone, doing))
}

fn is_complete(rows: &[ProgressRow], claim: &LaneClaim) -> bool {
    rows.len() as u64 == u64::from(claim.lanes) + 1 && rows.iter().all(|r| r.lanes == claim.lanes)
}

/// Whether another try of a claim may go better: locks held by others, and two first claims that met.
fn is_passing(fault: &Fault) -> bool {
    matches!(fault.kind, FaultKind::Duplicate | FaultKind::Retryable) && !fault.sqlstate.is_empty()
}

fn progress_row(row: &TextRow) -> Option<ProgressRow> {
    let [lane, lanes, rev, n, ts, stage, seq] = row.as_slice() else { return None };
    Some(ProgressRow {
        lane: number(lane)?,
        lanes: number(lanes)?,
        epoch: (number(rev)?, number(n)?),
        at: Position { ts: Ts::new(number(ts)?), stage: Stage::from_u8(number(stage)?)?, seq: number(seq)? },
    })
}

fn number<T: FromStr>(text: &Option<String>) -> Option<T> {
    text.as_deref()?.parse().ok()
}

/// The writer's epoch is not the row's.
pub(crate) fn fenced(doing: &str, mine: (u64, u64), stored: Option<(u64, u64)>) -> Fault {
    let stored =
        stored.map_or("its progress row is gone".to_owned(), |(rev, n)| format!("the slot is held by epoch {rev}.{n}"));
    own(FaultKind::Fenced, doing, format!("{stored}, this writer has {}.{}", mine.0, mine.1))
}

fn slot_sql(claim: &LaneClaim) -> String {
    format!("changefeed={} AND slot={}", quoted(&claim.changefeed), claim.slot)
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::{LaneClaim, ProgressTable};
    use tg_model::{Position, Ts};

    #[test]
    fn the_guard_names_lane_and_epoch() {
        let claim = LaneClaim { changefeed: "default/it's".into(), slot: 3, lane: 1, lanes: 2, epoch: (7, 9) };
        let table = ProgressTable::new("tide\"gate");
        let tail = " WHERE changefeed='default/it''s' AND slot=3 AND lane=1 AND epoch_rev=7 AND epoch_n=9";
        let head = "UPDATE \"tide\"\"gate\".tg_progress SET updated=clock_timestamp()";
        assert_eq!(table.guard_sql(&claim, None), format!("{head}{tail}"));
        assert_eq!(
            table.guard_sql(&claim, Some(Position::within(Ts::new(5), 2))),
            format!("{head},pos_ts=5,pos_stage=0,pos_seq=2{tail}")
        );
    }
}
