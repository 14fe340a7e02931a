//! A server that plugins may write to.

use crate::connect::connect;
use crate::progress::ProgressTable;
use crate::{PostgresConnection, PostgresTarget, ServerFacts};
use std::sync::Arc;
use tg_sql::{Fault, LaneClaim};

/// A server that answered once. Makes connections; keeps none.
#[derive(Clone, Debug)]
pub struct PostgresEndpoint {
    target: Arc<PostgresTarget>,
    facts: Arc<ServerFacts>,
}

impl PostgresEndpoint {
    /// Connects once to see that the server is there and what it is, and makes the progress table if it is to be used.
    ///
    /// # Errors
    /// When the server cannot be reached or denies access.
    pub async fn connect(target: PostgresTarget) -> Result<Self, Fault> {
        let (session, facts) = connect(&target).await?;
        if target.progress {
            ProgressTable::new(&target.progress_schema).create(&session).await?;
        }
        Ok(Self { target: Arc::new(target), facts: Arc::new(facts) })
    }

    /// What the server is.
    #[must_use]
    pub fn facts(&self) -> &ServerFacts {
        &self.facts
    }

    /// Where it is.
    #[must_use]
    pub fn target(&self) -> &PostgresTarget {
        &self.target
    }

    /// Opens a connection. With a claim it is fenced: the slot is taken if its epoch is newer than the one in the downstream, and
    /// the lane's durable position is read back (see [`PostgresConnection::durable_at_open`]). Without one, or with
    /// [`PostgresTarget::progress`] off, transactions carry rows only.
    ///
    /// # Errors
    /// As [`PostgresEndpoint::connect`]; [`tg_sql::FaultKind::Fenced`] when the slot has a newer owner.
    pub async fn open(&self, claim: Option<LaneClaim>) -> Result<PostgresConnection, Fault> {
        let claim = claim.filter(|_| self.target.progress);
        claim.as_ref().map_or(Ok(()), LaneClaim::check)?;
        PostgresConnection::open(Arc::clone(&self.target), Arc::clone(&self.facts), claim).await
    }
}
