//! The lock by which the sessions of a slot's writers are known, so that those of older epochs can be ended.
//!
//! Every session of a writer holds a session lock of the server's advisory ones, shared, so that nobody ever waits for it. Its two
//! numbers are hashes: of the slot, and of the epoch. Nothing is decided by it but whom to end: who may write is decided by the
//! progress row, and a session that is ended without need connects again.

use crate::classify::fault;
use crate::rows::Session;
use tg_sql::{Fault, FaultKind, LaneClaim, Phase, digest};

/// Tells the locks of claims from what others on the server may lock by number.
const CLAIM_KEY: i64 = 0x7467_636c;

/// The numbers of the lock of a claim.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Marker {
    slot: i32,
    epoch: i32,
}

fn hash(parts: &[&[u8]]) -> i32 {
    digest(parts).iter().take(4).fold(0_u32, |n, b| n << 8 | u32::from(*b)).cast_signed()
}

impl Marker {
    /// Of a claim in the progress table of this name.
    pub(crate) fn new(table: &str, claim: &LaneClaim) -> Self {
        let (rev, n) = claim.epoch;
        Self {
            slot: hash(&[b"tidegate", table.as_bytes(), claim.changefeed.as_bytes(), &claim.slot.to_le_bytes()]),
            epoch: hash(&[&rev.to_le_bytes(), &n.to_le_bytes()]),
        }
    }

    /// The statement by which a session takes it.
    pub(crate) fn take_sql(self) -> String {
        format!("SELECT pg_advisory_lock_shared({},{})", self.slot, self.epoch)
    }

    /// The statement by which a claim waits, within its transaction, for others of the slot. Rows that do not exist yet cannot be locked:
    /// of two first claims the second would put the first one's rows aside, with what was written by then.
    pub(crate) fn claim_sql(self) -> String {
        // Locks with one number are others than those with two.
        format!("SELECT pg_advisory_xact_lock({})", i64::from(self.slot) << 32 | CLAIM_KEY)
    }

    /// Ends the sessions that write the slot under other epochs. Without the right to, they are left: a claim then waits for them.
    pub(crate) async fn end_others(self, session: &Session, doing: &str) -> Result<(), Fault> {
        // As the server shows the numbers: without a sign.
        let (slot, epoch) = (self.slot.cast_unsigned(), self.epoch.cast_unsigned());
        let query = format!(
            "SELECT pid,pg_terminate_backend(pid) FROM (SELECT DISTINCT pid FROM pg_catalog.pg_locks WHERE locktype='advisory' \
             AND database=(SELECT oid FROM pg_catalog.pg_database WHERE datname=current_database()) AND objsubid=2 \
             AND granted AND classid={slot} AND objid<>{epoch} AND pid<>pg_backend_pid()) AS held"
        );
        match session.rows(&query, usize::MAX).await.map_err(|e| fault(&e, Phase::Undone, doing)) {
            Ok((rows, _)) => {
                for pid in rows.iter().filter_map(|r| r.first().cloned().flatten()) {
                    tracing::info!(pid, "{doing}: the session of an older writer is ended");
                }
                Ok(())
            }
            Err(e) if e.kind == FaultKind::Denied => {
                tracing::warn!(error = %e, "the session of an older writer cannot be ended; its transactions are waited for");
                Ok(())
            }
            Err(e) => Err(e),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Marker;
    use tg_sql::LaneClaim;

    fn claim(changefeed: &str, slot: u32, lane: u32, n: u64) -> LaneClaim {
        LaneClaim { changefeed: changefeed.into(), slot, lane, lanes: 2, epoch: (1, n) }
    }

    #[test]
    fn lanes_of_a_slot_share_a_marker_and_nobody_else_does() {
        let of = |c: &LaneClaim| Marker::new("t", c);
        let one = of(&claim("a/b", 1, 0, 1));
        assert_eq!(one, of(&claim("a/b", 1, 1, 1)));
        assert_eq!(one.slot, of(&claim("a/b", 1, 0, 2)).slot);
        for other in [claim("a/b", 1, 0, 2), claim("a/b", 2, 0, 1), claim("a/c", 1, 0, 1)] {
            assert_ne!(one, of(&other));
        }
        assert_ne!(one, Marker::new("u", &claim("a/b", 1, 0, 1)));
        assert_eq!(one, Marker { slot: -1_625_756_585, epoch: -1_243_304_242 }, "as other versions know it");
    }
}
