//! What writes to a changefeed's records depend on.

use crate::{ChangefeedStore, Compare, MetaError, OwnerRevision, Revision};
use tg_model::ChangefeedId;

/// Proof of having been given the run of a changefeed: the revision that wrote its run key. Writes that carry it are refused once
/// the run was given to somebody else, or has ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct RunRevision(pub Revision);

/// What a write depends on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Guard {
    /// Being the owner: of a node alone.
    Owner(OwnerRevision),
    /// Having the run of the changefeed: in a cluster.
    Run(RunRevision),
}

impl From<OwnerRevision> for Guard {
    fn from(owner: OwnerRevision) -> Self {
        Self::Owner(owner)
    }
}

impl From<RunRevision> for Guard {
    fn from(run: RunRevision) -> Self {
        Self::Run(run)
    }
}

impl Guard {
    /// Rises with every guard that is given after this one: the first part of a run's epoch.
    #[must_use]
    pub const fn revision(self) -> Revision {
        match self {
            Self::Owner(OwnerRevision(rev)) | Self::Run(RunRevision(rev)) => rev,
        }
    }
}

impl ChangefeedStore {
    pub(crate) fn guard_holds(&self, id: &ChangefeedId, guard: Guard) -> Compare {
        match guard {
            Guard::Owner(owner) => self.owner_holds(owner),
            Guard::Run(run) => Compare::ModRev(self.run_key(id), run.0),
        }
    }

    /// An error if the guard holds no more.
    pub(crate) async fn check_guard(
        &self,
        id: &ChangefeedId,
        guard: Guard,
        what: &'static str,
    ) -> Result<(), MetaError> {
        match guard {
            Guard::Owner(owner) => {
                let current = self.owner().await?.map(|(_, rev)| rev);
                if current == Some(owner) { Ok(()) } else { Err(MetaError::NotOwner { rev: owner.0, what }) }
            }
            Guard::Run(run) => {
                let current = self.get(&self.run_key(id)).await?.map(|kv| kv.mod_rev);
                if current == Some(run.0) { Ok(()) } else { Err(Self::run_lost(id, run, what)) }
            }
        }
    }

    pub(crate) fn refused(id: &ChangefeedId, guard: Guard, what: &'static str) -> MetaError {
        match guard {
            Guard::Owner(owner) => MetaError::NotOwner { rev: owner.0, what },
            Guard::Run(run) => Self::run_lost(id, run, what),
        }
    }

    fn run_lost(id: &ChangefeedId, run: RunRevision, what: &'static str) -> MetaError {
        MetaError::NotRunner { changefeed: id.to_string(), rev: run.0, what }
    }
}
