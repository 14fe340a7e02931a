//! A new version beside the one that runs, before it takes over.

use crate::ServerError;
use crate::node::Node;
use std::sync::Arc;
use std::time::Duration;
use tg_model::ChangefeedId;
use tg_pipeline::{CanaryReport, CanaryRequest, PluginSource, SwapError, SwapParts};
use tg_registry::Pinned;

/// Windows of rows that are compared at most...
const WINDOWS: u64 = 200;
/// ...and for how long, when there are fewer.
const TIME: Duration = Duration::from_secs(20);

impl Node {
    /// Runs a version beside the one that runs in every changefeed that would follow to it. What it would do is compared, and
    /// nothing of it is done.
    pub(crate) async fn try_beside(self: &Arc<Self>, version: &Pinned, percent: u8) -> Result<(), ServerError> {
        for (id, record) in self.followers(&version.name).await? {
            let Some((change, parts)) = self.change(&id, &record.config, Some(version)).await? else { continue };
            if parts == SwapParts::default() {
                continue;
            }
            let plugins: Arc<dyn PluginSource> = change.after;
            let request = CanaryRequest { plugins, parts, share: percent, windows: WINDOWS, time: TIME };
            let report = change.before.control.canary(request).await;
            judge(&id, version, report)?;
        }
        Ok(())
    }
}

fn judge(id: &ChangefeedId, version: &Pinned, report: Result<CanaryReport, SwapError>) -> Result<(), ServerError> {
    let report = report.map_err(|source| ServerError::Swap { changefeed: id.to_string(), source })?;
    let refused = |reason: String| ServerError::Canary { changefeed: id.to_string(), to: version.to_string(), reason };
    if let Some(failure) = report.failure {
        return Err(refused(format!("it failed over rows that the other takes: {failure}")));
    }
    if report.differing > 0 {
        let (differing, compared) = (report.differing, report.compared);
        let first = report.first.unwrap_or_default();
        return Err(refused(format!("{differing} of {compared} answers differ; the first: {first}")));
    }
    tracing::info!(changefeed = %id, version = %version, windows = report.windows, compared = report.compared, "a canary saw no difference");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::judge;
    use tg_model::{ChangefeedId, Coded};
    use tg_pipeline::{CanaryReport, SwapError};
    use tg_registry::{Digest, Pinned};

    #[test]
    fn only_a_version_that_does_the_same_is_taken() {
        let id = ChangefeedId::new("default", "a").unwrap();
        let digest = Digest::of(b"x");
        let version = Pinned { name: "p".to_owned(), version: "2".to_owned(), digest, builtin: false };
        let code = |report| judge(&id, &version, report).unwrap_err().code().to_string();
        let same = CanaryReport { windows: 3, compared: 9, ..CanaryReport::default() };
        assert!(judge(&id, &version, Ok(same.clone())).is_ok());
        assert_eq!(code(Ok(CanaryReport { differing: 1, first: Some("x".to_owned()), ..same.clone() })), "TG-4111");
        assert_eq!(code(Ok(CanaryReport { failure: Some("trap".to_owned()), ..same })), "TG-4111");
        assert_eq!(code(Err(SwapError::NotRunning)), "TG-4015");
    }
}
