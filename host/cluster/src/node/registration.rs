//! A capture's own key in the metadata.

use crate::id::{CaptureId, Incarnation, Mono, Peer};
use crate::meta::MetaRequest;
use crate::timing::{CONFIRM_EVERY, CONFIRM_IDLE, META_TIMEOUT};

/// Whether the capture is registered, and how sure that is.
#[derive(Debug)]
pub(super) struct Registration {
    inc: Option<Incarnation>,
    /// Registrations up to here are lost.
    lost: Incarnation,
    asked_at: Option<Mono>,
    confirmed_at: Mono,
}

impl Registration {
    pub(super) const fn new() -> Self {
        Self { inc: None, lost: Incarnation(0), asked_at: None, confirmed_at: Mono(0) }
    }

    pub(super) const fn inc(&self) -> Option<Incarnation> {
        self.inc
    }

    /// What to ask now, if anything.
    pub(super) fn tick(&mut self, now: Mono, capture: CaptureId, silent: bool) -> Option<MetaRequest> {
        let asked = |within: u64| self.asked_at.is_some_and(|at| now.since(at) < within);
        let request = match self.inc {
            None if asked(META_TIMEOUT) => return None,
            None => MetaRequest::Register,
            Some(inc) => {
                let every = if silent { CONFIRM_EVERY } else { CONFIRM_IDLE };
                if asked(every.min(META_TIMEOUT)) || now.since(self.confirmed_at) < every {
                    return None;
                }
                MetaRequest::ConfirmCapture(Peer { capture, inc })
            }
        };
        self.asked_at = Some(now);
        Some(request)
    }

    /// False: it is an old registration that was lost since.
    pub(super) fn registered(&mut self, inc: Incarnation) -> bool {
        self.asked_at = None;
        if inc <= self.lost || self.inc.is_some() {
            return false;
        }
        self.inc = Some(inc);
        true
    }

    pub(super) fn confirmed(&mut self, asked: Mono) {
        self.asked_at = None;
        self.confirmed_at = self.confirmed_at.max(asked);
    }

    /// Whether a state of the metadata is new enough to have the registration in it.
    pub(super) fn known_at(&self, rev: u64) -> bool {
        self.inc.is_some_and(|inc| inc.0 <= rev)
    }

    pub(super) fn lost(&mut self) {
        self.lost = self.inc.take().unwrap_or(self.lost);
        self.asked_at = None;
    }
}
