//! A server that plugins may write to.

use crate::connect::connect;
use crate::progress::ProgressTable;
use crate::{MysqlConnection, MysqlTarget, ServerFacts};
use std::sync::Arc;
use tg_sql::{Fault, LaneClaim};

/// A server that answered once. Makes connections; keeps none.
#[derive(Clone, Debug)]
pub struct MysqlEndpoint {
    target: Arc<MysqlTarget>,
    facts: Arc<ServerFacts>,
}

impl MysqlEndpoint {
    /// Connects once to see that the server is there and what it is, and makes the progress table if it is to be used.
    ///
    /// # Errors
    /// When the server cannot be reached or denies access.
    pub async fn connect(target: MysqlTarget) -> Result<Self, Fault> {
        let (mut conn, facts) = connect(&target).await?;
        if target.progress {
            ProgressTable::new(&target.progress_database).create(&mut conn).await?;
        }
        // Best effort: the server notices a closed socket anyway.
        let _ = conn.disconnect().await;
        Ok(Self { target: Arc::new(target), facts: Arc::new(facts) })
    }

    /// What the server is.
    #[must_use]
    pub fn facts(&self) -> &ServerFacts {
        &self.facts
    }

    /// Where it is.
    #[must_use]
    pub fn target(&self) -> &MysqlTarget {
        &self.target
    }

    /// Opens a connection. With a claim it is fenced: the slot is taken if its epoch is newer than the one in the downstream, and
    /// the lane's durable position is read back (see [`MysqlConnection::durable_at_open`]). Without one, or with
    /// [`MysqlTarget::progress`] off, transactions carry rows only.
    ///
    /// # Errors
    /// As [`MysqlEndpoint::connect`]; [`crate::FaultKind::Fenced`] when the slot has a newer owner.
    pub async fn open(&self, claim: Option<LaneClaim>) -> Result<MysqlConnection, Fault> {
        let claim = claim.filter(|_| self.target.progress);
        claim.as_ref().map_or(Ok(()), LaneClaim::check)?;
        MysqlConnection::open(Arc::clone(&self.target), Arc::clone(&self.facts), claim).await
    }
}
