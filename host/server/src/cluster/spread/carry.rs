//! Messages between a channel of this process and a pipe.

use super::wire::BadMessage;
use futures::{Stream, StreamExt};
use std::pin::pin;
use tg_model::SlotId;
use tg_peer::{PipeIn, PipeOut};
use tokio::sync::mpsc;

/// Sends what comes, until either end is gone or a message cannot be sent.
pub(super) async fn say<T>(
    slot: SlotId,
    messages: impl Stream<Item = T>,
    out: PipeOut,
    write: fn(&T) -> Result<Vec<u8>, BadMessage>,
) {
    let mut messages = pin!(messages);
    while let Some(message) = messages.next().await {
        let Some(body) = understood(slot, write(&message)) else { return };
        if out.send(body.into()).await.is_err() {
            return;
        }
    }
}

/// Hands in what is heard, until either end is gone or a message is not understood.
pub(super) async fn hear<T>(
    slot: SlotId,
    mut from: PipeIn,
    to: mpsc::Sender<T>,
    read: fn(&[u8]) -> Result<T, BadMessage>,
) {
    while let Ok(body) = from.next().await {
        let Some(message) = understood(slot, read(&body)) else { return };
        if to.send(message).await.is_err() {
            return;
        }
    }
}

fn understood<T>(slot: SlotId, message: Result<T, BadMessage>) -> Option<T> {
    message.inspect_err(|e| tracing::error!(slot = slot.0, error = %e, "the connection about a slot is given up")).ok()
}
