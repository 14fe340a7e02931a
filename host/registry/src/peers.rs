//! Components of other nodes.

use crate::Digest;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;

/// Longest wait for a whole component.
const FETCH_TIMEOUT: Duration = Duration::from_secs(60);

/// Where bytes come from that this node does not have.
pub trait BlobSource: Send + Sync {
    /// Asks a node, `host:port`, for a component of at most `limit_bytes`. What it answers is not checked yet.
    ///
    /// # Errors
    /// Why there are no bytes, for people.
    fn fetch<'a>(&'a self, node: &'a str, digest: Digest, limit_bytes: usize)
    -> BoxFuture<'a, Result<Vec<u8>, String>>;

    /// Nodes, `host:port`, that may have what the one that took it does not give any more.
    fn nodes(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Says which nodes there are now.
type Nodes = dyn Fn() -> Vec<String> + Send + Sync;

/// No other nodes.
pub struct NoPeers;

impl BlobSource for NoPeers {
    fn fetch<'a>(&'a self, _: &'a str, _: Digest, _: usize) -> BoxFuture<'a, Result<Vec<u8>, String>> {
        async { Err("there are no other nodes".to_owned()) }.boxed()
    }
}

/// Other nodes' HTTP API.
pub struct HttpBlobs {
    http: reqwest::Client,
    scheme: &'static str,
    nodes: Option<Arc<Nodes>>,
}

impl HttpBlobs {
    /// Asks with this client, over `http` or `https`.
    #[must_use]
    pub const fn new(http: reqwest::Client, tls: bool) -> Self {
        Self { http, scheme: if tls { "https" } else { "http" }, nodes: None }
    }

    /// Asks these too.
    #[must_use]
    pub fn among(self, nodes: impl Fn() -> Vec<String> + Send + Sync + 'static) -> Self {
        Self { nodes: Some(Arc::new(nodes)), ..self }
    }

    async fn get(&self, node: &str, digest: Digest, limit_bytes: usize) -> Result<Vec<u8>, String> {
        let url = format!("{}://{node}/api/v2/plugins/blobs/{digest}", self.scheme);
        let failed = |e: reqwest::Error| {
            let mut cause: &dyn std::error::Error = &e;
            while let Some(inner) = cause.source() {
                cause = inner;
            }
            cause.to_string()
        };
        let mut answer = self.http.get(url).timeout(FETCH_TIMEOUT).send().await.map_err(failed)?;
        if !answer.status().is_success() {
            return Err(format!("it answered {}", answer.status()));
        }
        let mut bytes = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(failed)? {
            if bytes.len() + part.len() > limit_bytes {
                return Err(format!("it sent more than {limit_bytes} bytes"));
            }
            bytes.extend_from_slice(&part);
        }
        Ok(bytes)
    }
}

impl BlobSource for HttpBlobs {
    fn fetch<'a>(
        &'a self,
        node: &'a str,
        digest: Digest,
        limit_bytes: usize,
    ) -> BoxFuture<'a, Result<Vec<u8>, String>> {
        self.get(node, digest, limit_bytes).boxed()
    }

    fn nodes(&self) -> Vec<String> {
        self.nodes.as_ref().map(|nodes| nodes()).unwrap_or_default()
    }
}
