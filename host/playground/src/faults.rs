//! Faults that are switched on and off, and answers that are spoiled a given number of times.

use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tg_proto::{cdcpb, errorpb};

/// Most spoiled registrations that may wait.
const SPOILED_MAX: usize = 4096;

/// How a registration is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// ServerIsBusy with this backoff in milliseconds.
    Busy(u64),
    /// Congested.
    Congested,
    /// RegionNotFound, although the region is there.
    NotFound,
    /// An error event that names no cause.
    Unknown,
}

/// The switches.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    pd_leaderless: AtomicBool,
    resolved_frozen: AtomicBool,
    scan_pause_ms: AtomicU64,
    refusals: Mutex<VecDeque<Refusal>>,
    /// Counts the times PD's streams must break.
    pub(crate) tso_breaks: AtomicU64,
}

impl Faults {
    pub(crate) fn set_pd_leaderless(&self, on: bool) {
        self.pd_leaderless.store(on, Ordering::SeqCst);
        self.tso_breaks.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn is_pd_leaderless(&self) -> bool {
        self.pd_leaderless.load(Ordering::SeqCst)
    }

    pub(crate) fn set_resolved_frozen(&self, on: bool) {
        self.resolved_frozen.store(on, Ordering::SeqCst);
    }

    pub(crate) fn is_resolved_frozen(&self) -> bool {
        self.resolved_frozen.load(Ordering::SeqCst)
    }

    pub(crate) fn set_scan_pause(&self, pause: Duration) {
        self.scan_pause_ms.store(pause.as_millis() as u64, Ordering::SeqCst);
    }

    pub(crate) fn scan_pause(&self) -> Option<Duration> {
        let ms = self.scan_pause_ms.load(Ordering::SeqCst);
        (ms > 0).then(|| Duration::from_millis(ms))
    }

    pub(crate) fn refuse(&self, refusal: Refusal, times: usize) {
        let mut refusals = self.refusals.lock();
        let room = SPOILED_MAX.saturating_sub(refusals.len());
        refusals.extend(std::iter::repeat_n(refusal, times.min(room)));
    }

    /// The error of the next registration, if it is to be refused.
    pub(crate) fn registration(&self, region_id: u64) -> Option<cdcpb::Error> {
        let refusal = self.refusals.lock().pop_front()?;
        let mut error = cdcpb::Error::default();
        match refusal {
            Refusal::Busy(backoff_ms) => {
                let reason = "too many pending incremental scans".to_owned();
                error.server_is_busy = Some(errorpb::ServerIsBusy { reason, backoff_ms, ..Default::default() });
            }
            Refusal::Congested => error.congested = Some(cdcpb::Congested { region_id }),
            Refusal::NotFound => error.region_not_found = Some(errorpb::RegionNotFound { region_id }),
            Refusal::Unknown => {}
        }
        Some(error)
    }
}
