//! An HTTP server that takes whatever the plugin sends, and shows it.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Requests that are kept until they are shown; more are only counted.
const KEPT_MAX: usize = 200;

#[derive(Default)]
struct Kept {
    lines: VecDeque<String>,
    /// Requests that were not kept.
    more: u64,
}

/// See the module. Ends when it is dropped.
pub(super) struct Catcher {
    kept: Arc<Mutex<Kept>>,
    pub(super) addr: SocketAddr,
    task: JoinHandle<()>,
}

async fn take(State(kept): State<Arc<Mutex<Kept>>>, method: Method, uri: Uri, body: Bytes) -> StatusCode {
    let mut kept = kept.lock();
    if kept.lines.len() >= KEPT_MAX {
        kept.more += 1;
    } else {
        let text = String::from_utf8_lossy(&body).trim_end().to_owned();
        kept.lines.push_back(format!("{method} {uri} {text}"));
    }
    StatusCode::OK
}

impl Catcher {
    pub(super) async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        let kept: Arc<Mutex<Kept>> = Arc::default();
        let router = Router::new().fallback(take).with_state(Arc::clone(&kept));
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::warn!(%error, "the receiver of requests ended");
            }
        });
        Ok(Self { kept, addr, task })
    }

    /// What came since the last time.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut kept = self.kept.lock();
        let mut lines: Vec<String> = kept.lines.drain(..).collect();
        if std::mem::take(&mut kept.more) > 0 {
            lines.push("… and more than can be shown".to_owned());
        }
        lines
    }
}

impl Drop for Catcher {
    fn drop(&mut self) {
        self.task.abort();
    }
}
