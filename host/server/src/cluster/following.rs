//! Follows the metadata: reads it whole, then every write, and reads it anew when a watch ends.

use super::world::{Keys, World};
use futures::StreamExt;
use std::sync::Arc;
use std::time::Duration;
use tg_metastore::{ChangefeedStore, MetaError};
use tokio::sync::watch;

/// Pause after the store could not be read.
const PAUSE: Duration = Duration::from_millis(200);

/// Follows for ever; what it finds is in the channel.
pub(super) async fn follow(store: ChangefeedStore, world: watch::Sender<Arc<World>>) {
    loop {
        let error = match follow_once(&store, &world).await {
            Ok(()) => continue,
            Err(error) => error,
        };
        if world.is_closed() {
            return;
        }
        tracing::warn!(error = %error, "the metadata is read anew");
        tokio::time::sleep(PAUSE).await;
    }
}

async fn follow_once(store: &ChangefeedStore, world: &watch::Sender<Arc<World>>) -> Result<(), MetaError> {
    let range = store.everything().await?;
    let mut keys = Keys::new(store.prefix(), range.rev, &range.kvs);
    // An answer of a member that lags behind is no news.
    world.send_if_modified(|known| {
        let newer = range.rev >= known.rev;
        if newer {
            *known = Arc::new(keys.world());
        }
        newer
    });
    let mut writes = store.watch_everything(range.rev + 1).await?;
    while let Some(batch) = writes.next().await {
        let shows = batch?.iter().fold(false, |shows, event| keys.apply(event) | shows);
        if shows {
            world.send_replace(Arc::new(keys.world()));
        }
    }
    Ok(())
}
