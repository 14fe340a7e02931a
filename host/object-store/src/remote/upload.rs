//! Objects in parts.

use super::Remote;
use super::fault::{of_finish, of_library};
use crate::error::StoreError;
use bytes::{Bytes, BytesMut};
use object_store::{MultipartUpload, PutMultipartOptions};
use tokio::sync::Mutex;

/// Bytes of one part. S3 and GCS take none below 5 MiB but the last, and at most ten thousand.
const PART_BYTES: usize = 8 << 20;

/// An object in the making: what waits for its part, and the parts before it.
pub(crate) struct RemoteUpload {
    remote: Remote,
    at: String,
    held: BytesMut,
    /// Never locked: the library's uploads are not to be shared, and here nobody does.
    parts: Mutex<Box<dyn MultipartUpload>>,
}

impl RemoteUpload {
    pub(crate) async fn begin(remote: &Remote, at: &str) -> Result<Self, StoreError> {
        let options = PutMultipartOptions { attributes: remote.attributes.clone(), ..PutMultipartOptions::default() };
        let path = remote.path(at)?;
        let begun = remote.store.put_multipart_opts(&path, options).await;
        let parts = begun.map_err(|e| of_library(remote.what("begin upload of", at), &e, &remote.secrets))?;
        Ok(Self { remote: remote.clone(), at: at.to_owned(), held: BytesMut::new(), parts: Mutex::new(parts) })
    }

    pub(crate) async fn write(&mut self, data: &Bytes) -> Result<(), StoreError> {
        self.held.extend_from_slice(data);
        while self.held.len() >= PART_BYTES {
            let part = self.held.split_to(PART_BYTES).freeze();
            self.part(part).await?;
        }
        Ok(())
    }

    async fn part(&mut self, part: Bytes) -> Result<(), StoreError> {
        let sent = self.parts.get_mut().put_part(part.into()).await;
        sent.map_err(|e| of_library(self.remote.what("put a part of", &self.at), &e, &self.remote.secrets))
    }

    pub(crate) async fn finish(&mut self) -> Result<(), StoreError> {
        if !self.held.is_empty() {
            let last = self.held.split().freeze();
            self.part(last).await?;
        }
        let done = self.parts.get_mut().complete().await;
        let failed = |e| of_finish(self.remote.what("finish upload of", &self.at), &e, &self.remote.secrets);
        done.map(drop).map_err(failed)
    }

    /// What is not taken back here is by the bucket's own rules for old parts.
    pub(crate) async fn abort(&mut self) {
        if let Err(e) = self.parts.get_mut().abort().await {
            let error = of_library(self.remote.what("take back upload of", &self.at), &e, &self.remote.secrets);
            tracing::debug!(%error, "an upload could not be taken back");
        }
    }
}
