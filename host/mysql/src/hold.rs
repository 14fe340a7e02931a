//! Locks of a session that tell who is at work, so that a connection which nobody drives any more can be ended.
//!
//! A writer that stands still, or cannot be reached any more, between BEGIN and COMMIT keeps its row locks for as long as the server
//! believes in the connection, which may be hours. The epoch keeps it from committing, but not from being in the way. `GET_LOCK` names
//! the connection without rights to look at others and without a trace in any table: the server frees it when the session ends.

use crate::classify::fault;
use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use tg_sql::{Fault, FaultKind, LaneClaim, Phase, digest};

/// How long a claim may be under way before another one takes it for dead, in seconds.
const CLAIM_WAIT_S: u32 = 2;
/// How long the locks of a connection that was ended may take to be free, in seconds.
const FREE_WAIT_S: u32 = 5;
/// Connections of a lane under one epoch that have a name: while a sink is swapped there are two.
const WRITERS_MAX: u32 = 4;
/// Bytes of the hash in a name: names have 64 characters at most.
const HASH_BYTES: usize = 16;

/// The locks of one slot of one changefeed, in one progress database.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Holds {
    base: String,
}

impl Holds {
    pub(crate) fn of(table: &str, claim: &LaneClaim) -> Self {
        let hash = digest(&[table.as_bytes(), claim.changefeed.as_bytes(), claim.slot.to_string().as_bytes()]);
        let mut base = "tg".to_owned();
        for byte in hash.iter().take(HASH_BYTES) {
            // Writing to a String cannot fail.
            let _ = write!(base, "{byte:02x}");
        }
        Self { base }
    }

    fn claiming(&self) -> String {
        format!("{}.claim", self.base)
    }

    /// Of one of the connections that write a lane. The epoch is in the name, so that no writer is taken for one of its successors.
    fn writing(&self, lane: u32, epoch: (u64, u64), which: u32) -> String {
        let mut hash = Sha256::new();
        for number in [u64::from(lane), epoch.0, epoch.1] {
            hash.update(number.to_le_bytes());
        }
        let short = hash.finalize().iter().take(8).fold(0, |n: u64, b| n << 8 | u64::from(*b));
        format!("{}.{short:016x}.{which}", self.base)
    }

    /// Makes this connection the only one that claims the slot. One that has been at it for long is ended.
    pub(crate) async fn begin_claim(&self, conn: &mut Conn, doing: &str) -> Result<(), Fault> {
        let name = self.claiming();
        let before = holder(conn, &name, doing).await?;
        if get(conn, &name, CLAIM_WAIT_S, doing).await? {
            return Ok(());
        }
        let still = holder(conn, &name, doing).await?;
        if before.is_some() && before == still {
            end(conn, still, doing).await?;
        }
        if get(conn, &name, FREE_WAIT_S, doing).await? {
            return Ok(());
        }
        Err(Fault::own(FaultKind::Retryable, doing, format!("other claims of the slot hold the lock {name}")))
    }

    pub(crate) async fn end_claim(&self, conn: &mut Conn, doing: &str) -> Result<(), Fault> {
        let release = format!("SELECT RELEASE_LOCK('{}')", self.claiming());
        ask(conn, release, doing).await.map(|_| ())
    }

    /// Names this connection as one that writes the lane, and answers the name; `None`: there are so many of them that it stays unnamed.
    pub(crate) async fn write(&self, conn: &mut Conn, claim: &LaneClaim, doing: &str) -> Result<Option<String>, Fault> {
        for which in 0..WRITERS_MAX {
            let name = self.writing(claim.lane, claim.epoch, which);
            if get(conn, &name, 0, doing).await? {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }

    /// Ends the connections that write these lanes.
    pub(crate) async fn oust(
        &self,
        conn: &mut Conn,
        lanes: impl Iterator<Item = (u32, (u64, u64))>,
        doing: &str,
    ) -> Result<(), Fault> {
        for (lane, epoch) in lanes {
            for which in 0..WRITERS_MAX {
                let writer = holder(conn, &self.writing(lane, epoch, which), doing).await?;
                if let Some(id) = writer {
                    tracing::warn!(lane, epoch = ?epoch, connection = id, "{doing}: a writer of before is ended: rows are locked");
                }
                end(conn, writer, doing).await?;
            }
        }
        Ok(())
    }
}

/// Ends a connection that was lost, if the server still believes in it: it is the one that has the name.
pub(crate) async fn end_lost(conn: &mut Conn, name: &str, lost: u32, doing: &str) -> Result<(), Fault> {
    let still = holder(conn, name, doing).await?.filter(|id| *id == u64::from(lost));
    end(conn, still, doing).await
}

/// True also where the server knows no such locks: then nobody can be told apart, and nobody is ended.
async fn get(conn: &mut Conn, name: &str, wait_s: u32, doing: &str) -> Result<bool, Fault> {
    // 0 is another's; NULL is the server's own trouble with it.
    Ok(ask(conn, format!("SELECT GET_LOCK('{name}',{wait_s})"), doing).await? != Some(0))
}

/// The connection that holds a lock, unless it is this one.
async fn holder(conn: &mut Conn, name: &str, doing: &str) -> Result<Option<u64>, Fault> {
    let own = u64::from(conn.id());
    Ok(ask(conn, format!("SELECT IS_USED_LOCK('{name}')"), doing).await?.filter(|id| *id != own))
}

/// Ends a connection. That it is gone by itself, or belongs to another user, is for the caller's next step to find out.
async fn end(conn: &mut Conn, id: Option<u64>, doing: &str) -> Result<(), Fault> {
    let Some(id) = id else { return Ok(()) };
    match conn.query_drop(format!("KILL {id}")).await {
        Err(mysql_async::Error::Server(e)) => {
            tracing::debug!(connection = id, error = %e, "{doing}: a connection could not be ended");
            Ok(())
        }
        other => other.map_err(|e| fault(e, Phase::Undone, doing)),
    }
}

/// A number, or nothing; nothing too where the server refuses the question.
async fn ask(conn: &mut Conn, query: String, doing: &str) -> Result<Option<u64>, Fault> {
    match conn.query_first::<Option<u64>, _>(query).await {
        Ok(answer) => Ok(answer.flatten()),
        Err(mysql_async::Error::Server(e)) => {
            tracing::debug!(error = %e, "{doing}: the server has no such lock");
            Ok(None)
        }
        Err(e) => Err(fault(e, Phase::Undone, doing)),
    }
}

#[cfg(test)]
mod tests {
    use super::Holds;
    use crate::LaneClaim;

    #[test]
    fn names_are_short_and_tell_everything_apart() {
        let claim = |name: &str, slot| LaneClaim { changefeed: name.into(), slot, lane: 0, lanes: 1, epoch: (1, 1) };
        let holds = Holds::of("`tidegate`.`tg_progress`", &claim("default/a", 1));
        let others = [
            Holds::of("`other`.`tg_progress`", &claim("default/a", 1)),
            Holds::of("`tidegate`.`tg_progress`", &claim("default/b", 1)),
            Holds::of("`tidegate`.`tg_progress`", &claim("default/a", 2)),
        ];
        assert!(others.iter().all(|o| *o != holds));
        let names = [
            holds.claiming(),
            holds.writing(0, (1, 1), 0),
            holds.writing(0, (1, 1), 1),
            holds.writing(1, (1, 1), 0),
            holds.writing(0, (2, 1), 0),
            holds.writing(0, (1, 2), 0),
        ];
        for (i, name) in names.iter().enumerate() {
            assert!(name.len() <= 64, "{name}");
            assert!(names.iter().skip(i + 1).all(|n| n != name), "{name}");
        }
        assert_eq!(names[1], "tgfb789ee8b0727220672de2bab5d8a5b2.ccb1ac866b7d8de3.0", "as other versions know it");
    }
}
