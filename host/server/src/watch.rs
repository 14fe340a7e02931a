//! Looks at the plugin folder, and at what names mean, while the node lives.

use crate::node::Node;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// Between two looks. A file is taken when it is the same at two of them.
const LOOK_EVERY: Duration = Duration::from_secs(1);

impl Node {
    /// New files become versions, and changefeeds that follow names swap to what those mean.
    pub(crate) fn watch_plugins(self: &Arc<Self>) {
        tokio::spawn(watch(Arc::downgrade(self)));
    }

    async fn look_at_folder(self: &Arc<Self>) {
        if !self.registry.has_news() {
            return;
        }
        let users = match self.users().await {
            Ok(users) => users,
            Err(e) => {
                return tracing::error!(error = %e, "the plugin folder is looked at later: who uses what cannot be read");
            }
        };
        let _alone = self.following.lock().await;
        for new in self.registry.scan(&users).await.into_iter().filter(|i| i.activated) {
            match self.follow(&new.name).await {
                Ok(swapped) => {
                    for feed in swapped {
                        let outcome = feed.outcome;
                        tracing::info!(
                            plugin = new.name,
                            version = new.version,
                            changefeed = feed.changefeed,
                            outcome,
                            "followed"
                        );
                    }
                }
                Err(e) => tracing::error!(plugin = new.name, error = %e, "changefeeds could not follow the plugin"),
            }
        }
    }

    /// Deletes components that nobody can name any more.
    pub(crate) async fn sweep_components(&self) {
        let swept = match self.users().await {
            Ok(users) => self.registry.sweep(&users).await.map_err(Into::into),
            Err(e) => Err(e),
        };
        if let Err(e) = swept {
            tracing::warn!(error = %e, "components that nobody uses stay on the disk");
        }
    }
}

async fn watch(node: Weak<Node>) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let Some(node) = node.upgrade() else { return };
        Box::pin(node.look_at_folder()).await;
        Box::pin(node.keep_up()).await;
    }
}
