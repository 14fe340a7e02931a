//! How far back versions must be kept.

use super::tso::{back_ms, now_ms};
use std::collections::BTreeMap;

/// A service's hold on old versions.
#[derive(Clone, Copy, Debug)]
struct Hold {
    ts: u64,
    expires_ms: u64,
}

/// The safe points of services, and the own wish to keep history.
#[derive(Debug)]
pub(crate) struct Gc {
    holds: BTreeMap<Vec<u8>, Hold>,
    history_ms: Option<u64>,
    /// Versions that nobody at or above can read are dropped.
    pub(crate) safe_point: u64,
}

impl Gc {
    pub(crate) fn new(history_ms: Option<u64>) -> Self {
        Self { holds: BTreeMap::new(), history_ms, safe_point: 0 }
    }

    /// Moves the safe point as far as history and services let it; never back.
    pub(crate) fn advance(&mut self, now_ts: u64) {
        let Some(history_ms) = self.history_ms else {
            return;
        };
        let now = now_ms();
        self.holds.retain(|_, h| h.expires_ms > now);
        let held = self.holds.values().map(|h| h.ts).min().unwrap_or(u64::MAX);
        self.safe_point = self.safe_point.max(back_ms(now_ts, history_ms).min(held));
    }

    /// Sets, renews or (with no time to live) removes a hold; one below the safe point is refused
    /// silently, as PD does. Gives the safe point.
    pub(crate) fn hold(&mut self, service: &[u8], ttl_s: i64, ts: u64) -> u64 {
        if ttl_s <= 0 {
            self.holds.remove(service);
        } else if ts >= self.safe_point && service != b"gc_worker" {
            let expires_ms = now_ms().saturating_add((ttl_s as u64).saturating_mul(1000));
            self.holds.insert(service.to_vec(), Hold { ts, expires_ms });
        }
        self.safe_point
    }

    /// The lowest hold of services, with its owner and seconds left; the safe point's owner is `gc_worker`.
    pub(crate) fn minimum(&self) -> (Vec<u8>, i64, u64) {
        let now = now_ms();
        let holds = self.holds.iter().filter(|(_, h)| h.expires_ms > now);
        let lowest =
            holds.min_by_key(|(_, h)| h.ts).map(|(name, h)| (name.clone(), ((h.expires_ms - now) / 1000) as i64, h.ts));
        let own = (b"gc_worker".to_vec(), i64::MAX, self.safe_point);
        lowest.filter(|l| l.2 < own.2).unwrap_or(own)
    }
}

#[cfg(test)]
mod tests {
    use super::Gc;
    use crate::store::Tso;

    #[test]
    fn a_hold_keeps_history_and_old_holds_are_refused() {
        let now = Tso::default().next();
        let mut gc = Gc::new(Some(0));
        gc.hold(b"feed", 60, now - 1000);
        gc.advance(now);
        assert_eq!(gc.safe_point, now - 1000);
        gc.hold(b"late", 60, now - 2000);
        assert_eq!(gc.minimum().2, now - 1000, "a hold below the safe point is not stored");
        gc.hold(b"feed", 0, u64::MAX);
        gc.advance(now);
        assert_eq!(gc.safe_point, now);
    }
}
