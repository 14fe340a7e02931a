//! One connection of one plugin instance.

use crate::classify::fault;
use crate::connect::connect;
use crate::hold::{self, Holds};
use crate::progress::{Claimed, ProgressTable};
use crate::result::result_rows;
use crate::{Flavor, MysqlTarget, ServerFacts};
use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tg_model::Position;
use tg_sql::{
    Answers, Executed, Fault, FaultKind, LaneClaim, PACKET_SOFT_BYTES, Packets, Phase, ResultRows, fenced, shown,
    within,
};

/// Room in a packet for what the protocol and the guard add.
const PACKET_SLACK_BYTES: usize = 1024;

/// A connection; fenced when it was opened with a claim. Connects again by itself when it was lost between calls.
///
/// A call that is dropped before its end loses the connection; what that means for its outcome is the caller's to ask
/// with [`MysqlConnection::durable`].
#[derive(Debug)]
pub struct MysqlConnection {
    target: Arc<MysqlTarget>,
    facts: Arc<ServerFacts>,
    /// Taken out while a call is in progress, so that one cut short leaves none behind.
    conn: Option<Conn>,
    fence: Option<Fence>,
    round_trips: u64,
}

#[derive(Debug)]
struct Fence {
    claim: LaneClaim,
    table: ProgressTable,
    /// `None`: the server tells connections apart in no way that could be used.
    holds: Option<Holds>,
    /// Number of the newest connection, and the lock by which the server's other sessions know it.
    known: Option<(u32, String)>,
    durable_at_open: Option<Position>,
}

impl MysqlConnection {
    pub(crate) async fn open(
        target: Arc<MysqlTarget>,
        facts: Arc<ServerFacts>,
        claim: Option<LaneClaim>,
    ) -> Result<Self, Fault> {
        let (mut conn, _) = connect(&target).await?;
        let fence = match claim {
            None => None,
            Some(claim) => {
                let table = ProgressTable::new(&target.progress_database);
                // TiDB does not say which connection holds a lock.
                let holds = (facts.flavor != Flavor::Tidb).then(|| table.holds(&claim));
                let Claimed { position, name } = table.claim(&mut conn, &claim, holds.as_ref()).await?;
                let known = name.map(|name| (conn.id(), name));
                Some(Fence { claim, table, holds, known, durable_at_open: position })
            }
        };
        Ok(Self { target, facts, conn: Some(conn), fence, round_trips: 0 })
    }

    /// What the server is.
    #[must_use]
    pub fn facts(&self) -> &ServerFacts {
        &self.facts
    }

    /// Product.
    #[must_use]
    pub fn flavor(&self) -> Flavor {
        self.facts.flavor
    }

    /// Largest statement the server takes, in bytes.
    #[must_use]
    pub fn max_statement_bytes(&self) -> u32 {
        self.facts.max_packet_bytes.saturating_sub(PACKET_SLACK_BYTES as u32)
    }

    /// Round trips that carried transactions.
    #[must_use]
    pub const fn round_trips(&self) -> u64 {
        self.round_trips
    }

    /// The lane's position in the downstream when the connection was opened; `None`: no claim, or nothing written yet.
    #[must_use]
    pub fn durable_at_open(&self) -> Option<Position> {
        self.fence.as_ref().and_then(|f| f.durable_at_open)
    }

    /// The lane's position in the downstream now. `None` without a claim, or when nothing was written yet.
    ///
    /// # Errors
    /// [`FaultKind::Fenced`] when the slot has another owner.
    pub async fn durable(&mut self) -> Result<Option<Position>, Fault> {
        let Some(Fence { claim, table, .. }) = &self.fence else {
            return Ok(None);
        };
        let (claim, table) = (claim.clone(), table.clone());
        let mut conn = self.take().await?;
        let doing = self.doing("reading progress from");
        let read = table.read(&mut conn, &claim);
        let answer = Box::pin(within(self.target.statement_timeout, FaultKind::Retryable, &doing, read)).await;
        let alive = answer.as_ref().map_or_else(|e| e.errno != 0 || e.kind == FaultKind::Fenced, |_| true);
        self.conn = alive.then_some(conn);
        answer
    }

    /// One transaction: statement i is `data[ends[i-1]..ends[i]]`. On a fenced connection the lane's progress row is locked and
    /// checked first, and moved to `to` if given.
    ///
    /// Takes two round trips and one more for each packet beyond the first.
    ///
    /// # Errors
    /// Nothing took effect, but for [`FaultKind::Unknown`].
    pub async fn transact(&mut self, data: &[u8], ends: &[u32], to: Option<Position>) -> Result<Executed, Fault> {
        let guard = self.fence.as_ref().map(|f| f.table.guard_sql(&f.claim, to));
        let first = guard.map_or_else(|| "BEGIN".to_owned(), |g| format!("BEGIN;{g}"));
        let soft = if self.target.multi_statements { PACKET_SOFT_BYTES } else { 1 };
        let max = (self.facts.max_packet_bytes as usize).saturating_sub(PACKET_SLACK_BYTES);
        let packets = Packets::new(first, data, ends, soft.min(max));
        let mut conn = self.take().await?;
        let body = Box::pin(self.body(&mut conn, packets)).await;
        let executed = match body {
            Ok(executed) => executed,
            Err(fault) => {
                self.undo(conn, &fault).await;
                return Err(fault);
            }
        };
        self.round_trips += 1;
        let doing = self.doing("committing to");
        let outcome = self.guarded(Phase::Open, &doing, self.target.statement_timeout, conn.query_drop("COMMIT")).await;
        match outcome {
            Ok(()) => {
                self.conn = Some(conn);
                Ok(executed)
            }
            Err(fault) => {
                if fault.kind != FaultKind::Unknown {
                    self.undo(conn, &fault).await;
                }
                Err(fault)
            }
        }
    }

    /// Everything before COMMIT.
    async fn body(&mut self, conn: &mut Conn, packets: Packets<'_>) -> Result<Executed, Fault> {
        let doing = self.doing("writing to");
        let mut answers = Answers::new(self.fence.is_some());
        for packet in packets {
            self.round_trips += 1;
            let run = run_all(conn, packet, |affected, warnings| answers.note(affected, warnings));
            let limit = self.target.statement_timeout;
            let outcome = self.guarded(Phase::Undone, &doing, limit, run).await;
            // A lost guard explains any error behind it.
            if let Some(fence) = self.fence.as_ref().filter(|_| answers.is_fenced()) {
                let stored = fence.table.read(conn, &fence.claim).await;
                return Err(stored.err().unwrap_or_else(|| fenced(&doing, fence.claim.epoch, None)));
            }
            outcome?;
        }
        Ok(answers.executed)
    }

    /// One statement outside a transaction.
    ///
    /// # Errors
    /// [`FaultKind::Unknown`] when the connection broke before the answer.
    pub async fn execute(&mut self, statement: &str) -> Result<Executed, Fault> {
        let mut conn = self.take().await?;
        let doing = self.doing(&format!("running {} on", shown(statement)));
        let mut executed = Executed::default();
        let run = run_all(&mut conn, statement.as_bytes().to_vec(), |affected, warnings| {
            executed.affected += affected;
            executed.warnings += warnings;
        });
        let outcome = self.guarded(Phase::Open, &doing, self.target.ddl_timeout, run).await;
        self.keep(conn, outcome).map(|()| executed)
    }

    /// Rows of a query, at most `max_rows`.
    ///
    /// # Errors
    /// [`FaultKind::Refused`] when there are more rows.
    pub async fn query(&mut self, statement: &str, max_rows: u32) -> Result<ResultRows, Fault> {
        let mut conn = self.take().await?;
        let doing = self.doing(&format!("querying {} on", shown(statement)));
        let read = async {
            let mut result = conn.query_iter(statement).await?;
            let columns = result.columns().unwrap_or_default();
            let mut rows = Vec::new();
            while let Some(row) = result.next().await? {
                if rows.len() <= max_rows as usize {
                    rows.push(row);
                }
            }
            result.drop_result().await?;
            Ok((columns, rows))
        };
        let outcome = self.guarded(Phase::Undone, &doing, self.target.statement_timeout, read).await;
        let (columns, rows) = self.keep(conn, outcome)?;
        if rows.len() > max_rows as usize {
            return Err(Fault::own(FaultKind::Refused, &doing, format!("more than {max_rows} rows")));
        }
        Ok(result_rows(&columns, rows))
    }

    /// The connection, made anew if it was lost.
    async fn take(&mut self) -> Result<Conn, Fault> {
        if let Some(conn) = self.conn.take() {
            return Ok(conn);
        }
        let doing = self.doing("connecting again to");
        let (mut conn, _) = connect(&self.target).await?;
        if let Some(Fence { claim, holds: Some(holds), known, .. }) = &mut self.fence {
            // The server may still believe in the connection that was lost, and keep its transaction.
            if let Some((lost, name)) = known.take() {
                hold::end_lost(&mut conn, &name, lost, &doing).await?;
            }
            *known = holds.write(&mut conn, claim, &doing).await?.map(|name| (conn.id(), name));
        }
        Ok(conn)
    }

    async fn guarded<T>(
        &self,
        phase: Phase,
        doing: &str,
        limit: Duration,
        run: impl Future<Output = mysql_async::Result<T>>,
    ) -> Result<T, Fault> {
        let run = async { run.await.map_err(|e| fault(e, phase, doing)) };
        Box::pin(within(limit, phase.lost(), doing, run)).await
    }

    /// Keeps the connection unless it broke.
    fn keep<T>(&mut self, conn: Conn, outcome: Result<T, Fault>) -> Result<T, Fault> {
        let alive = outcome.as_ref().map_or_else(|e| e.errno != 0, |_| true);
        self.conn = alive.then_some(conn);
        outcome
    }

    /// Ends the open transaction; a connection on which that fails is closed, which ends it as well.
    async fn undo(&mut self, mut conn: Conn, because: &Fault) {
        let spoke = because.errno != 0 || because.kind == FaultKind::Fenced;
        if spoke {
            let rolled_back =
                Box::pin(tokio::time::timeout(self.target.connect_timeout, conn.query_drop("ROLLBACK"))).await;
            if matches!(rolled_back, Ok(Ok(()))) {
                self.conn = Some(conn);
            }
        }
    }

    fn doing(&self, what: &str) -> String {
        format!("{what} {}", self.target.display_name())
    }
}

/// Runs one packet and tells the affected rows and warnings of each statement in it.
async fn run_all(conn: &mut Conn, packet: Vec<u8>, mut each: impl FnMut(u64, u32)) -> mysql_async::Result<()> {
    let mut result = conn.query_iter(packet).await?;
    loop {
        each(result.affected_rows(), u32::from(result.warnings()));
        if result.is_empty() {
            return Ok(());
        }
        while result.next().await?.is_some() {}
    }
}
