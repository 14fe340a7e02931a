//! Whether the downstream has everything.

use crate::{
    Control, SyncedInput, body,
    changefeeds::{Scope, id},
    objects::json_time,
    router::{Handled, Shared},
};
use axum::extract::{Path, Query, State};
use serde_json::json;
use tg_config::changefeed::SyncedStatusConfig;

pub(crate) async fn synced<C: Control>(
    State(api): State<Shared<C>>,
    Path(name): Path<String>,
    Query(scope): Query<Scope>,
) -> Handled {
    let id = id(&scope, &name)?;
    let feed = api.control.get(&id).await?;
    let input = api.control.synced(&id).await?;
    let (synced, info) = judge(&feed.config.synced_status, &input);
    let time = |ms| json_time(ms, &api.options.tz);
    Ok(body::answer(&json!({
        "synced": synced,
        "sink_checkpoint_ts": time(input.checkpoint_ts.physical_ms()),
        "puller_resolved_ts": time(input.resolved_ts.physical_ms()),
        "last_synced_ts": time(input.last_synced_ms),
        "now_ts": time(input.now_ms),
        "info": info,
    })))
}

/// TiCDC's rule: nothing written for longer than `synced_check_interval`, checkpoint younger than `checkpoint_interval`.
fn judge(config: &SyncedStatusConfig, input: &SyncedInput) -> (bool, &'static str) {
    let quiet = input.now_ms.saturating_sub(input.last_synced_ms) > config.synced_check_interval.saturating_mul(1000);
    let limit_ms = config.checkpoint_interval.saturating_mul(1000);
    let fresh = input.now_ms.saturating_sub(input.checkpoint_ts.physical_ms()) < limit_ms;
    let received = input.resolved_ts.ms_since(input.checkpoint_ts);
    match (quiet, fresh) {
        (true, true) => (true, "Everything that was committed upstream has been written."),
        (false, true) => (false, "Rows were written a short while ago, so more may be on their way."),
        (_, false) if received < limit_ms => (
            false,
            "The checkpoint is old and nothing newer was received: check whether PD and TiKV are healthy. \
             If they are down, everything received has been written.",
        ),
        (_, false) => (false, "Changes were received that are not yet written."),
    }
}

#[cfg(test)]
mod tests {
    use super::{SyncedInput, SyncedStatusConfig, judge};
    use tg_model::Ts;

    #[test]
    fn synced_means_quiet_and_fresh() {
        let now_ms = 10_000_000;
        let at = |lag_s: u64| Ts::compose(now_ms - lag_s * 1000, 0);
        for (checkpoint_s, resolved_s, written_s, synced) in [
            (1, 1, 301, true),
            (1, 1, 299, false),
            (14, 0, 1000, true),
            (15, 0, 1000, false),
            (1000, 1000, 1000, false),
            (1000, 0, 1000, false),
        ] {
            let input = SyncedInput {
                checkpoint_ts: at(checkpoint_s),
                resolved_ts: at(resolved_s),
                last_synced_ms: now_ms - written_s * 1000,
                now_ms,
            };
            let got = judge(&SyncedStatusConfig::default(), &input);
            assert_eq!(got.0, synced, "{checkpoint_s} {resolved_s} {written_s}: {}", got.1);
        }
    }
}
