//! Objects in parts.

use super::client::{Ask, S3};
use super::xml;
use crate::error::StoreError;
use bytes::{Bytes, BytesMut};
use reqwest::Method;

/// Bytes of one part; S3 takes none below 5 MiB but the last.
const PART_BYTES: usize = 8 << 20;

/// An object in the making.
pub(crate) struct S3Upload {
    s3: S3,
    key: String,
    id: String,
    held: BytesMut,
    etags: Vec<String>,
}

impl S3Upload {
    pub(crate) async fn begin(s3: &S3, key: &str) -> Result<Self, StoreError> {
        let ask = Ask { query: &[("uploads", "")], ..Ask::new(Method::POST, key) };
        let answer = s3.ask(&ask).await?;
        let id = xml::text(&String::from_utf8_lossy(&answer.body), "UploadId").filter(|_| answer.status.is_success());
        let id = id.ok_or_else(|| s3.refused(&ask, &answer))?;
        Ok(Self { s3: s3.clone(), key: key.to_owned(), id, held: BytesMut::new(), etags: Vec::new() })
    }

    pub(crate) async fn write(&mut self, data: &Bytes) -> Result<(), StoreError> {
        self.held.extend_from_slice(data);
        while self.held.len() >= PART_BYTES {
            let part = self.held.split_to(PART_BYTES).freeze();
            self.part(part).await?;
        }
        Ok(())
    }

    async fn part(&mut self, body: Bytes) -> Result<(), StoreError> {
        let number = (self.etags.len() + 1).to_string();
        let query = [("partNumber", number.as_str()), ("uploadId", self.id.as_str())];
        let ask = Ask { query: &query, body, ..Ask::new(Method::PUT, &self.key) };
        let answer = self.s3.ask(&ask).await?;
        let etag = answer.etag.clone().filter(|_| answer.status.is_success());
        let etag = etag.ok_or_else(|| self.s3.refused(&ask, &answer))?;
        self.etags.push(etag);
        Ok(())
    }

    pub(crate) async fn finish(&mut self) -> Result<(), StoreError> {
        if !self.held.is_empty() || self.etags.is_empty() {
            let last = self.held.split().freeze();
            self.part(last).await?;
        }
        let mut body = "<CompleteMultipartUpload>".to_owned();
        for (n, etag) in (1..).zip(&self.etags) {
            let etag = xml::escaped(etag);
            body.push_str(&format!("<Part><PartNumber>{n}</PartNumber><ETag>{etag}</ETag></Part>"));
        }
        body.push_str("</CompleteMultipartUpload>");
        let query = [("uploadId", self.id.as_str())];
        let ask = Ask { query: &query, body: body.into(), again: false, ..Ask::new(Method::POST, &self.key) };
        let answer = self.s3.ask(&ask).await?;
        // The answer may begin with success and end with an error.
        let failed = String::from_utf8_lossy(&answer.body).contains("<Error>");
        if answer.status.is_success() && !failed { Ok(()) } else { Err(self.s3.refused(&ask, &answer)) }
    }

    /// What is not taken back here is by the bucket's own rules for old parts.
    pub(crate) async fn abort(&mut self) {
        let query = [("uploadId", self.id.as_str())];
        let ask = Ask { query: &query, ..Ask::new(Method::DELETE, &self.key) };
        if let Err(e) = self.s3.ask(&ask).await {
            tracing::debug!(key = %self.key, error = %e, "an upload could not be taken back");
        }
    }
}
