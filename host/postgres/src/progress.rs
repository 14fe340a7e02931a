//! The progress table: who may write a lane, and how far it is.

use crate::classify::fault;
use crate::marker::Marker;
use crate::rows::{Session, TextRow};
use std::str::FromStr;
use std::time::Duration;
use tg_model::Position;
use tg_sql::{Fault, FaultKind, LaneClaim, Phase, ProgressRow, ProgressSql, Standing, lane_position, newest};
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

/// The table, ready for statements.
#[derive(Clone, Debug)]
pub(crate) struct ProgressTable {
    schema: String,
    sql: ProgressSql,
}

impl ProgressTable {
    /// The table `tg_progress` in this schema.
    pub(crate) fn new(schema: &str) -> Self {
        let schema = format!("\"{}\"", schema.replace('"', "\"\""));
        let sql = ProgressSql::new(format!("{schema}.tg_progress"), "clock_timestamp()", quoted);
        Self { schema, sql }
    }

    /// The lock of a claim's sessions.
    pub(crate) fn marker(&self, claim: &LaneClaim) -> Marker {
        Marker::new(self.sql.table(), claim)
    }

    /// Makes schema and table unless they are there.
    pub(crate) async fn create(&self, session: &Session) -> Result<(), Fault> {
        let table = self.sql.table();
        let doing = format!("making the progress table {table}");
        if session.run_all(&format!("SELECT 1 FROM {table} LIMIT 0")).await.is_ok() {
            return Ok(());
        }
        // Rows change all the time: with room in their pages no index is touched.
        let statement = format!(
            "CREATE SCHEMA IF NOT EXISTS {};CREATE TABLE IF NOT EXISTS {table} (\
             changefeed text NOT NULL,slot bigint NOT NULL,lane bigint NOT NULL,lanes bigint NOT NULL,\
             epoch_rev numeric(20) NOT NULL,epoch_n numeric(20) NOT NULL,\
             pos_ts numeric(20) NOT NULL,pos_stage smallint NOT NULL,pos_seq numeric(20) NOT NULL,\
             updated timestamptz NOT NULL,PRIMARY KEY(changefeed,slot,lane)) WITH (fillfactor=40)",
            self.schema
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
        let doing = format!("claiming {claim}");
        let deadline = Instant::now() + CLAIM_TIMEOUT;
        loop {
            let rows = self.read_slot(session, claim, "", &doing).await?;
            let standing = Standing::of(&rows, claim, &doing)?;
            if newest(&rows).is_some_and(|e| e < claim.epoch) {
                self.marker(claim).end_others(session, &doing).await?;
            }
            let outcome = match standing {
                Standing::Ours(_) => self.rejoin(session, claim, &doing).await,
                Standing::Older(_) | Standing::Anew(_) => self.claim_once(session, claim, &doing).await,
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
        let standing = Standing::of(&rows, claim, doing)?;
        match standing {
            Standing::Ours(_) => {}
            Standing::Older(_) => run(session, &self.sql.raise(claim), doing).await?,
            Standing::Anew(at) => run(session, &self.sql.renew(claim, at), doing).await?,
        }
        // Whoever sees the new epoch sees its session too.
        run(session, &format!("{};COMMIT", self.marker(claim).take_sql()), doing).await?;
        Ok(standing.position())
    }

    /// The slot is the claim's already: only what was written of its own lane is waited for, not the work of others.
    async fn rejoin(&self, session: &Session, claim: &LaneClaim, doing: &str) -> Result<Option<Position>, Fault> {
        run(session, &format!("BEGIN;SET LOCAL lock_timeout={CLAIM_LOCK_MS}"), doing).await?;
        let rows = self.read_slot(session, claim, &format!(" AND lane={} FOR UPDATE", claim.lane), doing).await?;
        let position = lane_position(&rows, claim, doing)?;
        run(session, &format!("{};COMMIT", self.marker(claim).take_sql()), doing).await?;
        Ok(position)
    }

    async fn read_slot(
        &self,
        session: &Session,
        claim: &LaneClaim,
        tail: &str,
        doing: &str,
    ) -> Result<Vec<ProgressRow>, Fault> {
        let query = self.sql.read(claim, tail);
        let (rows, _) = session.rows(&query, LANES_MAX).await.map_err(|e| fault(&e, Phase::Undone, doing))?;
        let odd = || format!("a row of {} holds an unknown stage or number", self.sql.table());
        let rows = rows.iter().map(progress_row).collect::<Option<_>>();
        rows.ok_or_else(|| Fault::own(FaultKind::Refused, doing, odd()))
    }

    /// The lane's row as it is now: its position, or fenced if it belongs to another epoch or is gone.
    pub(crate) async fn read(&self, session: &Session, claim: &LaneClaim) -> Result<Option<Position>, Fault> {
        let doing = format!("reading the progress of {claim}");
        lane_position(&self.read_slot(session, claim, "", &doing).await?, claim, &doing)
    }

    /// The statement that guards a transaction: matches one row if the lane is still the claim's, and moves its position.
    pub(crate) fn guard_sql(&self, claim: &LaneClaim, to: Option<Position>) -> String {
        self.sql.guard(claim, to)
    }

    /// The statement that fails unless the lane is the claim's: in front of others of one text it keeps them from being run.
    pub(crate) fn check_sql(&self, claim: &LaneClaim) -> String {
        format!("WITH held AS ({} RETURNING 1) SELECT 1/count(*) FROM held", self.guard_sql(claim, None))
    }
}

async fn run(session: &Session, statements: &str, doing: &str) -> Result<(), Fault> {
    session.run_all(statements).await.map_err(|e| fault(&e, Phase::Undone, doing))
}

/// Whether another try of a claim may go better: locks held by others, and two first claims that met.
fn is_passing(fault: &Fault) -> bool {
    matches!(fault.kind, FaultKind::Duplicate | FaultKind::Retryable) && !fault.sqlstate.is_empty()
}

fn progress_row(row: &TextRow) -> Option<ProgressRow> {
    let [lane, lanes, rev, n, ts, stage, seq] = row.as_slice() else { return None };
    let numbers = (number(lane)?, number(lanes)?, number(rev)?, number(n)?, number(ts)?, number(stage)?, number(seq)?);
    ProgressRow::read(numbers)
}

fn number<T: FromStr>(text: &Option<String>) -> Option<T> {
    text.as_deref()?.parse().ok()
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::{LaneClaim, ProgressTable};

    #[test]
    fn names_and_texts_are_quoted() {
        let claim = LaneClaim { changefeed: "default/it's".into(), slot: 3, lane: 1, lanes: 2, epoch: (7, 9) };
        assert_eq!(
            ProgressTable::new("tide\"gate").guard_sql(&claim, None),
            "UPDATE \"tide\"\"gate\".tg_progress SET updated=clock_timestamp() \
             WHERE changefeed='default/it''s' AND slot=3 AND lane=1 AND epoch_rev=7 AND epoch_n=9"
        );
    }
}
