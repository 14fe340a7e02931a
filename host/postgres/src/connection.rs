//! One connection of one plugin instance.

use crate::classify::{fault, session_lives};
use crate::connect::connect;
use crate::progress::ProgressTable;
use crate::result::result_rows;
use crate::rows::Session;
use crate::{PostgresTarget, ServerFacts};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tg_model::Position;
use tg_sql::{
    Answers, Executed, Fault, FaultKind, LaneClaim, PACKET_SOFT_BYTES, Packets, Phase, ResultRows, fenced, shown,
    within,
};
use tokio_postgres::Error;

/// Largest statement that is taken. The protocol allows a GiB, and the server holds a statement several times over.
const STATEMENT_BYTES_MAX: u32 = 64 << 20;
/// Division by zero: how the check in front of a DDL fails.
const CHECK_FAILED: &str = "22012";

/// A connection; fenced when it was opened with a claim. Connects again by itself when it was lost between calls.
///
/// A call that is dropped before its end loses the connection; what that means for its outcome is the caller's to ask
/// with [`PostgresConnection::durable`].
#[derive(Debug)]
pub struct PostgresConnection {
    target: Arc<PostgresTarget>,
    facts: Arc<ServerFacts>,
    /// Taken out while a call is in progress, so that one cut short leaves none behind.
    session: Option<Session>,
    fence: Option<Fence>,
    round_trips: u64,
}

#[derive(Debug)]
struct Fence {
    claim: LaneClaim,
    table: ProgressTable,
    durable_at_open: Option<Position>,
}

/// A failed step of a session.
struct Failed {
    fault: Fault,
    /// The session goes on.
    lives: bool,
}

impl PostgresConnection {
    pub(crate) async fn open(
        target: Arc<PostgresTarget>,
        facts: Arc<ServerFacts>,
        claim: Option<LaneClaim>,
    ) -> Result<Self, Fault> {
        let (session, _) = connect(&target).await?;
        let fence = match claim {
            None => None,
            Some(claim) => {
                let table = ProgressTable::new(&target.progress_schema);
                let durable_at_open = Box::pin(table.claim(&session, &claim)).await?;
                Some(Fence { claim, table, durable_at_open })
            }
        };
        Ok(Self { target, facts, session: Some(session), fence, round_trips: 0 })
    }

    /// What the server is.
    #[must_use]
    pub fn facts(&self) -> &ServerFacts {
        &self.facts
    }

    /// Largest statement that is taken, in bytes.
    #[must_use]
    pub const fn max_statement_bytes(&self) -> u32 {
        STATEMENT_BYTES_MAX
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
        let session = self.take().await?;
        let doing = self.doing("reading progress from");
        let read = table.read(&session, &claim);
        let answer = within(self.target.statement_timeout, FaultKind::Retryable, &doing, read).await;
        let lives = !session.is_closed() && answer.as_ref().err().is_none_or(|e| e.kind == FaultKind::Fenced);
        self.session = lives.then_some(session);
        answer
    }

    /// One transaction: statement i is `data[ends[i-1]..ends[i]]`. On a fenced connection the lane's progress row is locked and
    /// checked first, and moved to `to` if given.
    ///
    /// Takes two round trips and one more for each message beyond the first.
    ///
    /// # Errors
    /// Nothing took effect, but for [`FaultKind::Unknown`].
    pub async fn transact(&mut self, data: &[u8], ends: &[u32], to: Option<Position>) -> Result<Executed, Fault> {
        let guard = self.fence.as_ref().map(|f| f.table.guard_sql(&f.claim, to));
        let first = guard.map_or_else(|| "BEGIN".to_owned(), |g| format!("BEGIN;{g}"));
        let session = self.take().await?;
        let body = Box::pin(self.body(&session, Packets::new(first, data, ends, PACKET_SOFT_BYTES))).await;
        let executed = match body {
            Ok(executed) => executed,
            Err(failed) => return self.undo(session, failed).await,
        };
        self.round_trips += 1;
        let doing = self.doing("committing to");
        let commit = session.run_all("COMMIT");
        match self.guarded(Phase::Open, &doing, self.target.statement_timeout, commit).await {
            Ok(()) => {
                self.session = Some(session);
                Ok(executed)
            }
            Err(failed) => self.undo(session, failed).await,
        }
    }

    /// Everything before COMMIT.
    async fn body(&mut self, session: &Session, packets: Packets<'_>) -> Result<Executed, Failed> {
        let doing = self.doing("writing to");
        let mut answers = Answers::new(self.fence.is_some());
        for packet in packets {
            let no_text = |_| {
                let fault = Fault::own(FaultKind::Refused, &doing, "a statement is no UTF-8");
                Failed { fault, lives: true }
            };
            let packet = String::from_utf8(packet).map_err(no_text)?;
            self.round_trips += 1;
            let run = session.run(&packet, |affected| answers.note(affected, 0));
            let outcome = self.guarded(Phase::Undone, &doing, self.target.statement_timeout, run).await;
            // A lost guard explains any error behind it.
            if let Some(fence) = self.fence.as_ref().filter(|_| answers.is_fenced()) {
                return Err(Failed { fault: self.who_has_it(session, fence, &doing).await, lives: true });
            }
            outcome?;
        }
        Ok(answers.executed)
    }

    /// Why the guard matched nothing.
    async fn who_has_it(&self, session: &Session, fence: &Fence, doing: &str) -> Fault {
        // What follows the guard may have failed, and then nothing can be read within the transaction.
        let undone = session.run_all("ROLLBACK").await;
        let stored = match undone {
            Ok(()) => fence.table.read(session, &fence.claim).await.err(),
            Err(_) => None,
        };
        stored.unwrap_or_else(|| fenced(doing, fence.claim.epoch, None))
    }

    /// One statement outside a transaction, or several with `;` between, which take effect together. On a fenced connection they are
    /// not run when the slot has another owner: the server does DDL in transactions, so the check is part of them.
    ///
    /// # Errors
    /// [`FaultKind::Unknown`] when the connection broke before the answer.
    pub async fn execute(&mut self, statement: &str) -> Result<Executed, Fault> {
        let session = self.take().await?;
        let doing = self.doing(&format!("running {} on", shown(statement)));
        let check = self.fence.as_ref().map(|f| format!("{};{statement}", f.table.check_sql(&f.claim)));
        let mut checks = u64::from(check.is_some());
        let mut executed = Executed::default();
        let run = session.run(check.as_deref().unwrap_or(statement), |affected| {
            // The check comes first, and its one row is nobody's.
            executed.affected += affected.saturating_sub(checks);
            checks = 0;
        });
        let outcome = self.guarded(Phase::Open, &doing, self.target.ddl_timeout, run).await;
        let outcome = match (outcome, &self.fence) {
            (Err(failed), Some(fence)) if failed.fault.sqlstate == CHECK_FAILED => {
                // The statement's own division by zero is its own.
                let stored = fence.table.read(&session, &fence.claim).await;
                let fault = stored.err().filter(|e| e.kind == FaultKind::Fenced).unwrap_or(failed.fault);
                Err(Failed { fault, lives: failed.lives })
            }
            (outcome, _) => outcome,
        };
        self.keep(session, outcome).map(|()| executed)
    }

    /// Rows of a query, at most `max_rows`.
    ///
    /// # Errors
    /// [`FaultKind::Refused`] when there are more rows.
    pub async fn query(&mut self, statement: &str, max_rows: u32) -> Result<ResultRows, Fault> {
        let session = self.take().await?;
        let doing = self.doing(&format!("querying {} on", shown(statement)));
        let read = async {
            // Prepared for the types of its columns; read as text, which every type has.
            let prepared = session.client().prepare(statement).await?;
            let (rows, more) = session.rows(statement, max_rows as usize).await?;
            Ok((result_rows(prepared.columns(), rows), more))
        };
        let outcome = self.guarded(Phase::Undone, &doing, self.target.statement_timeout, read).await;
        let (rows, more) = self.keep(session, outcome)?;
        if more {
            return Err(Fault::own(FaultKind::Refused, &doing, format!("more than {max_rows} rows")));
        }
        Ok(rows)
    }

    /// The session, made anew if it was lost.
    async fn take(&mut self) -> Result<Session, Fault> {
        if let Some(session) = self.session.take().filter(|s| !s.is_closed()) {
            return Ok(session);
        }
        let (session, _) = connect(&self.target).await?;
        if let Some(fence) = &self.fence {
            let doing = self.doing("marking the session of a writer of");
            let mark = fence.table.marker(&fence.claim).take_sql();
            session.run_all(&mark).await.map_err(|e| fault(&e, Phase::Undone, &doing))?;
        }
        Ok(session)
    }

    async fn guarded<T>(
        &self,
        phase: Phase,
        doing: &str,
        limit: Duration,
        run: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Failed> {
        match Box::pin(tokio::time::timeout(limit, run)).await {
            Ok(outcome) => outcome.map_err(|e| Failed { fault: fault(&e, phase, doing), lives: session_lives(&e) }),
            Err(_) => {
                let fault = Fault::own(phase.lost(), doing, format!("no answer within {limit:?}"));
                Err(Failed { fault, lives: false })
            }
        }
    }

    /// Keeps the session unless it broke.
    fn keep<T>(&mut self, session: Session, outcome: Result<T, Failed>) -> Result<T, Fault> {
        let lives = outcome.as_ref().map_or_else(|e| e.lives, |_| true);
        self.session = lives.then_some(session);
        outcome.map_err(|e| e.fault)
    }

    /// Ends the open transaction; a session on which that fails is closed, which ends it as well.
    async fn undo<T>(&mut self, session: Session, because: Failed) -> Result<T, Fault> {
        if because.lives && because.fault.kind != FaultKind::Unknown {
            let rolled_back = tokio::time::timeout(self.target.connect_timeout, session.run_all("ROLLBACK")).await;
            if matches!(rolled_back, Ok(Ok(()))) {
                self.session = Some(session);
            }
        }
        Err(because.fault)
    }

    fn doing(&self, what: &str) -> String {
        format!("{what} {}", self.target.display_name())
    }
}
