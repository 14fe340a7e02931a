//! The tick that every sink instance gets once a second while it has nothing to do.

use std::time::Duration;
use tg_plugin::{CallError, SinkPort};
use tokio::time::{Instant, Interval, MissedTickBehavior};

/// As the plugin contract says.
const EVERY: Duration = Duration::from_secs(1);

pub(crate) fn tick() -> Interval {
    let mut tick = tokio::time::interval_at(Instant::now() + EVERY, EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tick
}

/// Passes a tick on. What may pass by itself gets another chance a second later.
pub(crate) async fn ticked(sink: &mut dyn SinkPort) -> Result<(), CallError> {
    match sink.on_tick().await {
        Err(e) if passes(&e) => {
            tracing::debug!(error = %e, "a sink's tick failed");
            Ok(())
        }
        ended => ended,
    }
}

/// Whether a call may be made again, on the same instance, a second later.
pub(crate) const fn passes(e: &CallError) -> bool {
    e.is_retryable() || e.is_unknown()
}
