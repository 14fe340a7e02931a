//! Rows that a slot puts aside on another node go to the node of the run: there people look for them, and there they are replayed.

use super::wire::{Keep, Keeping};
use crate::ServerError;
use crate::cluster::Cluster;
use crate::node::Node;
use crate::record::Record;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;
use tg_cluster::Peer;
use tg_model::{ChangefeedId, Code, Coded};
use tg_peer::{BODY_MAX_BYTES, Pipe, PipeIn};
use tg_pipeline::{BadRow, QuarantineError, QuarantineStore};

/// Longest wait until the other node has kept a row.
const KEEP_MAX: Duration = Duration::from_secs(20);
/// Longest wait for the next piece of a row, or the next row.
const NEXT_MAX: Duration = Duration::from_secs(5);

/// The quarantine of the node that has the run.
pub(super) struct FarQuarantine {
    pub(super) cluster: Arc<Cluster>,
    pub(super) run_at: Peer,
    pub(super) id: ChangefeedId,
}

impl QuarantineStore for FarQuarantine {
    fn keep(&self, rows: Vec<BadRow>) -> BoxFuture<'_, Result<u64, QuarantineError>> {
        async move {
            let sent = tokio::time::timeout(KEEP_MAX, self.send(rows)).await;
            sent.unwrap_or_else(|_| Err(self.away("it does not answer".to_owned())))
        }
        .boxed()
    }
}

impl FarQuarantine {
    async fn send(&self, rows: Vec<BadRow>) -> Result<u64, QuarantineError> {
        let opened = self.cluster.transport.pipe(self.run_at).await;
        let mut pipe = opened.map_err(|e| self.away(e.to_string()))?;
        let mut new = 0;
        for row in rows {
            new += self.send_one(&mut pipe, &row).await?;
        }
        Ok(new)
    }

    async fn send_one(&self, pipe: &mut Pipe, row: &BadRow) -> Result<u64, QuarantineError> {
        let bytes = row.to_bytes()?;
        let ask = Keep { id: self.id.clone(), bytes: bytes.len() };
        let head = ask.write().map_err(|e| self.away(e.to_string()))?;
        let ended = |e: tg_peer::PipeEnded| self.away(e.to_string());
        pipe.out.send(head.into()).await.map_err(ended)?;
        for piece in bytes.chunks(BODY_MAX_BYTES) {
            pipe.out.send(piece.to_vec().into()).await.map_err(ended)?;
        }
        let answer = pipe.into.next().await.map_err(ended)?;
        match Keeping::read(&answer).map_err(|e| self.away(e.to_string()))? {
            Keeping::Kept(new) => Ok(new),
            Keeping::Refused { code, message, retryable } => {
                Err(QuarantineError::Elsewhere { code, message, retryable })
            }
        }
    }

    fn away(&self, reason: String) -> QuarantineError {
        QuarantineError::Io { path: format!("node {}", self.run_at), reason }
    }
}

/// Keeps rows for another node, until it lets go.
pub(super) async fn keep(node: &Arc<Node>, mut pipe: Pipe, first: Keep) {
    let mut ask = first;
    loop {
        let answer = match Box::pin(keep_one(node, &mut pipe.into, &ask)).await {
            Ok(new) => Keeping::Kept(new),
            Err(e) => {
                tracing::warn!(changefeed = %ask.id, code = %e.code(), error = %e, "a row of another node could not be put aside");
                Keeping::Refused { code: e.code(), message: e.to_string(), retryable: e.is_retryable() }
            }
        };
        let Ok(answer) = answer.write() else { return };
        if pipe.out.send(answer.into()).await.is_err() {
            return;
        }
        let Ok(Ok(body)) = tokio::time::timeout(NEXT_MAX, pipe.into.next()).await else { return };
        let Ok(next) = Keep::read(&body) else { return };
        ask = next;
    }
}

async fn keep_one(node: &Arc<Node>, from: &mut PipeIn, ask: &Keep) -> Result<u64, ServerError> {
    let row = BadRow::from_bytes(&whole(from, ask.bytes).await?)?;
    let (info, _) = node.store.info(&ask.id).await?;
    let record = Record::read(&info)?;
    let quarantine = node.quarantine_of_run(&ask.id, &record.config).await?;
    let Some(quarantine) = quarantine else {
        // The changefeed was told meanwhile to put nothing aside: its next run says so too.
        let (code, message) = (Code(4003), "nothing is put aside any more".to_owned());
        return Err(QuarantineError::Elsewhere { code, message, retryable: true }.into());
    };
    Ok(quarantine.keep(vec![row]).await?)
}

/// A row that comes in pieces.
async fn whole(from: &mut PipeIn, len: usize) -> Result<Vec<u8>, QuarantineError> {
    let cut = |reason: &str| QuarantineError::Io { path: "another node".to_owned(), reason: reason.to_owned() };
    if len > BadRow::BYTES_MAX {
        return Err(cut("it sends more than a row may have"));
    }
    let mut bytes = Vec::with_capacity(len);
    while bytes.len() < len {
        let piece = tokio::time::timeout(NEXT_MAX, from.next()).await;
        bytes.extend_from_slice(&piece.map_err(|_| cut("a piece did not come"))?.map_err(|e| cut(&e.to_string()))?);
    }
    Ok(bytes)
}
