//! How long a call may take.
//!
//! Guest time is measured by the engine's ticks. A guest that computes is interrupted by them; one that sleeps in a call of
//! WASI is stopped by [`Watch::within`]. Time in capability calls does not count: they have limits of their own.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::task::Poll;
use std::time::{Duration, Instant};

/// Length of a tick of the engine.
pub(crate) const TICK_MS: u64 = 10;
/// Ticks after which a guest lets others run on its thread.
const SLICE_TICKS: u64 = 2;

/// The guest has used up its time.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the call's guest time is used up")]
pub(crate) struct DeadlineReached;

#[derive(Default)]
struct Shared {
    /// The tick at which the call ends.
    deadline: AtomicU64,
    /// A capability call is in progress.
    waiting: AtomicBool,
}

/// Guest time of the call in progress.
pub(crate) struct CallClock {
    ticks: Arc<AtomicU64>,
    shared: Arc<Shared>,
    budget: u64,
    base: u64,
    waited: Duration,
}

impl CallClock {
    pub(crate) fn new(ticks: Arc<AtomicU64>, budget: Duration) -> Self {
        let budget = (budget.as_millis() as u64 / TICK_MS).max(1);
        Self { ticks, shared: Arc::default(), budget, base: 0, waited: Duration::ZERO }
    }

    /// The tick in progress.
    pub(crate) fn now(&self) -> u64 {
        self.ticks.load(Relaxed)
    }

    /// Time in capability calls since the call began.
    pub(crate) const fn waited(&self) -> Duration {
        self.waited
    }

    /// A call begins.
    pub(crate) fn begin(&mut self) -> Watch {
        self.waited = Duration::ZERO;
        // One more: the tick in progress may be nearly over.
        self.base = self.now() + self.budget + 1;
        self.shared.deadline.store(self.base, Relaxed);
        self.shared.waiting.store(false, Relaxed);
        Watch { ticks: Arc::clone(&self.ticks), shared: Arc::clone(&self.shared), budget: self.budget }
    }

    /// A capability call begins.
    pub(crate) fn pause(&self) -> Instant {
        self.shared.waiting.store(true, Relaxed);
        Instant::now()
    }

    /// The capability call that began at `started` ends.
    pub(crate) fn resume(&mut self, started: Instant) {
        self.waited += started.elapsed();
        self.shared.deadline.store(self.base + self.waited.as_millis() as u64 / TICK_MS, Relaxed);
        self.shared.waiting.store(false, Relaxed);
    }

    /// Ticks until the guest is to be looked at again; `None`: the deadline is reached.
    pub(crate) fn slice(&self) -> Option<u64> {
        self.left().map(|n| n.min(SLICE_TICKS))
    }

    /// Milliseconds left.
    pub(crate) fn left_ms(&self) -> u32 {
        u32::try_from(self.left().unwrap_or(0) * TICK_MS).unwrap_or(u32::MAX)
    }

    fn left(&self) -> Option<u64> {
        left(self.shared.deadline.load(Relaxed), self.now())
    }
}

fn left(deadline: u64, now: u64) -> Option<u64> {
    deadline.checked_sub(now).filter(|n| *n > 0)
}

/// Ends a call that neither computes nor returns.
pub(crate) struct Watch {
    ticks: Arc<AtomicU64>,
    shared: Arc<Shared>,
    budget: u64,
}

impl Watch {
    /// Runs the call; drops it when its time is used up. A call that never waits costs no timer.
    pub(crate) async fn within<T>(self, call: impl Future<Output = wasmtime::Result<T>>) -> wasmtime::Result<T> {
        let mut call = pin!(call);
        if let Poll::Ready(answer) = poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx))).await {
            return answer;
        }
        loop {
            let nap = Duration::from_millis(self.nap_ticks().ok_or(DeadlineReached)? * TICK_MS);
            if let Ok(answer) = tokio::time::timeout(nap, call.as_mut()).await {
                return answer;
            }
        }
    }

    /// Ticks until it is worth looking again; `None`: the deadline is reached.
    fn nap_ticks(&self) -> Option<u64> {
        if self.shared.waiting.load(Relaxed) {
            return Some(self.budget);
        }
        left(self.shared.deadline.load(Relaxed), self.ticks.load(Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::{CallClock, DeadlineReached, TICK_MS};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
    use std::time::{Duration, Instant};

    fn clock(ticks: &Arc<AtomicU64>) -> CallClock {
        CallClock::new(Arc::clone(ticks), Duration::from_millis(5 * TICK_MS))
    }

    #[test]
    fn computing_counts_and_waiting_does_not() {
        let ticks = Arc::<AtomicU64>::default();
        let mut clock = clock(&ticks);
        let watch = clock.begin();
        assert_eq!(clock.slice(), Some(2));
        ticks.store(5, Relaxed);
        assert_eq!((clock.slice(), clock.left_ms()), (Some(1), 10));
        ticks.store(6, Relaxed);
        assert_eq!((clock.slice(), watch.nap_ticks()), (None, None));
        let _ = clock.pause();
        assert_eq!(watch.nap_ticks(), Some(5));
        let hour = Duration::from_secs(3600);
        let Some(started) = Instant::now().checked_sub(hour) else { return };
        clock.resume(started);
        assert!(clock.left_ms() >= 3_590_000);
    }

    #[tokio::test]
    async fn a_call_that_never_returns_is_dropped() {
        let ticks = Arc::<AtomicU64>::default();
        let watch = clock(&ticks).begin();
        let ends = Arc::clone(&ticks);
        let call = async move {
            ends.store(100, Relaxed);
            std::future::pending::<wasmtime::Result<()>>().await
        };
        assert!(watch.within(call).await.unwrap_err().is::<DeadlineReached>());
        assert!(clock(&ticks).begin().within(async { Ok(7) }).await.is_ok());
    }
}
