//! `object-store`: stores that the operator granted.

use crate::bindings::api::object_store::{self as wit, Host, HostBucket, HostUpload};
use crate::bindings::api::types::Failure;
use crate::grant::{Bucket, EndpointError, ObjectMeta, PutError, PutMode, Upload};
use crate::state::State;
use wasmtime::component::Resource;

/// Most bytes one `get` answers.
pub(crate) const GET_BYTES_MAX: u64 = 16 << 20;
/// Most objects one `list` answers.
pub(crate) const LIST_MAX: u32 = 1000;
/// Longest path.
const PATH_LEN_MAX: usize = 1024;
/// Uploads an instance may have open at once.
const UPLOADS_MAX: usize = 64;

/// An open store.
pub struct BucketResource(Box<dyn Bucket>);
/// An object in the making.
pub struct UploadResource(Box<dyn Upload>);

/// Whether a path stays below the endpoint's prefix. `prefix`: it may be empty and end with a slash.
pub(crate) fn check_path(path: &str, prefix: bool) -> Result<(), EndpointError> {
    let bad = |why: &str| Err(EndpointError::fatal("bad-path", format!("the object path {path:?} {why}")));
    let names = if prefix { path.strip_suffix('/').unwrap_or(path) } else { path };
    if prefix && path.is_empty() {
        return Ok(());
    }
    if path.len() > PATH_LEN_MAX {
        return Err(EndpointError::fatal("bad-path", format!("an object path has more than {PATH_LEN_MAX} bytes")));
    }
    if path.contains(|c: char| c.is_control() || c == '\\') {
        return bad("has control characters or backslashes");
    }
    match names.split('/').find(|name| matches!(*name, "" | "." | "..")) {
        Some(_) => bad("has an empty, `.` or `..` part"),
        None => Ok(()),
    }
}

fn mode(m: wit::PutMode) -> PutMode {
    match m {
        wit::PutMode::Overwrite => PutMode::Overwrite,
        wit::PutMode::Create => PutMode::Create,
        wit::PutMode::IfMatch(etag) => PutMode::IfMatch(etag),
    }
}

impl From<ObjectMeta> for wit::ObjectMeta {
    fn from(m: ObjectMeta) -> Self {
        Self { path: m.path, size: m.size, etag: m.etag, modified_ms: m.modified_ms }
    }
}

impl From<PutError> for wit::PutError {
    fn from(e: PutError) -> Self {
        match e {
            PutError::Conflict => Self::Conflict,
            PutError::Other(e) => Self::Other(e.into()),
        }
    }
}

impl Host for State {}

impl HostBucket for State {
    async fn open(&mut self, endpoint: String) -> wasmtime::Result<Result<Resource<BucketResource>, Failure>> {
        let Some(granted) = self.grants.object_stores.get(&endpoint).cloned() else {
            return Ok(Err(EndpointError::not_granted("object-store", &endpoint).into()));
        };
        let started = self.enter()?;
        let opened = granted.open(self.lane.clone()).await;
        self.clock.resume(started);
        Ok(match opened {
            Ok(bucket) => Ok(self.table.push(BucketResource(bucket))?),
            Err(e) => Err(e.into()),
        })
    }

    async fn put(
        &mut self,
        b: Resource<BucketResource>,
        path: String,
        data: Vec<u8>,
        m: wit::PutMode,
    ) -> wasmtime::Result<Result<wit::ObjectMeta, wit::PutError>> {
        if let Err(e) = check_path(&path, false) {
            return Ok(Err(PutError::Other(e).into()));
        }
        let started = self.enter()?;
        let answer = self.table.get_mut(&b)?.0.put(&path, data.into(), mode(m)).await;
        self.clock.resume(started);
        Ok(answer.map(Into::into).map_err(Into::into))
    }

    async fn get(
        &mut self,
        b: Resource<BucketResource>,
        path: String,
        offset: u64,
        length: u64,
    ) -> wasmtime::Result<Result<Option<Vec<u8>>, Failure>> {
        if let Err(e) = check_path(&path, false) {
            return Ok(Err(e.into()));
        }
        let started = self.enter()?;
        let answer = self.table.get_mut(&b)?.0.get(&path, offset, length, GET_BYTES_MAX).await;
        self.clock.resume(started);
        Ok(answer.map(|found| found.map(Into::into)).map_err(Into::into))
    }

    async fn head(
        &mut self,
        b: Resource<BucketResource>,
        path: String,
    ) -> wasmtime::Result<Result<Option<wit::ObjectMeta>, Failure>> {
        if let Err(e) = check_path(&path, false) {
            return Ok(Err(e.into()));
        }
        let started = self.enter()?;
        let answer = self.table.get_mut(&b)?.0.head(&path).await;
        self.clock.resume(started);
        Ok(answer.map(|m| m.map(Into::into)).map_err(Into::into))
    }

    async fn list(
        &mut self,
        b: Resource<BucketResource>,
        prefix: String,
        after: String,
        limit: u32,
    ) -> wasmtime::Result<Result<Vec<wit::ObjectMeta>, Failure>> {
        if let Err(e) = check_path(&prefix, true).and_then(|()| check_path(&after, true)) {
            return Ok(Err(e.into()));
        }
        let started = self.enter()?;
        let answer = self.table.get_mut(&b)?.0.list(&prefix, &after, limit.min(LIST_MAX)).await;
        self.clock.resume(started);
        Ok(answer.map(|all| all.into_iter().map(Into::into).collect()).map_err(Into::into))
    }

    async fn delete(&mut self, b: Resource<BucketResource>, path: String) -> wasmtime::Result<Result<(), Failure>> {
        if let Err(e) = check_path(&path, false) {
            return Ok(Err(e.into()));
        }
        let started = self.enter()?;
        let answer = self.table.get_mut(&b)?.0.delete(&path).await;
        self.clock.resume(started);
        Ok(answer.map_err(Into::into))
    }

    async fn upload(
        &mut self,
        b: Resource<BucketResource>,
        path: String,
    ) -> wasmtime::Result<Result<Resource<UploadResource>, Failure>> {
        if let Err(e) = check_path(&path, false) {
            return Ok(Err(e.into()));
        }
        if self.uploads >= UPLOADS_MAX {
            let why = format!("an instance may have {UPLOADS_MAX} uploads open");
            return Ok(Err(EndpointError::fatal("too-many-uploads", why).into()));
        }
        let started = self.enter()?;
        let opened = self.table.get_mut(&b)?.0.upload(&path).await;
        self.clock.resume(started);
        Ok(match opened {
            Ok(upload) => {
                self.uploads += 1;
                Ok(self.table.push(UploadResource(upload))?)
            }
            Err(e) => Err(e.into()),
        })
    }

    async fn drop(&mut self, b: Resource<BucketResource>) -> wasmtime::Result<()> {
        self.table.delete(b)?;
        Ok(())
    }
}

impl HostUpload for State {
    async fn write(&mut self, u: Resource<UploadResource>, data: Vec<u8>) -> wasmtime::Result<Result<(), Failure>> {
        let started = self.enter()?;
        let answer = self.table.get_mut(&u)?.0.write(data.into()).await;
        self.clock.resume(started);
        Ok(answer.map_err(Into::into))
    }

    async fn finish(&mut self, u: Resource<UploadResource>) -> wasmtime::Result<Result<wit::ObjectMeta, Failure>> {
        let started = self.enter()?;
        let answer = self.table.get_mut(&u)?.0.finish().await;
        self.clock.resume(started);
        Ok(answer.map(Into::into).map_err(Into::into))
    }

    async fn abort(&mut self, u: Resource<UploadResource>) -> wasmtime::Result<()> {
        let started = self.enter()?;
        self.table.get_mut(&u)?.0.abort().await;
        self.clock.resume(started);
        Ok(())
    }

    async fn drop(&mut self, u: Resource<UploadResource>) -> wasmtime::Result<()> {
        self.table.delete(u)?;
        self.uploads = self.uploads.saturating_sub(1);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::check_path;

    #[test]
    fn a_path_stays_below_its_prefix() {
        for good in ["a", "a/b.c", "year=2026/x..y", "..a/b"] {
            assert!(check_path(good, false).is_ok(), "{good}");
        }
        for bad in ["", "/a", "a/", "a//b", "../a", "a/../b", "a/.", "a\\b", "a\nb", &"x".repeat(1025)] {
            assert!(check_path(bad, false).is_err(), "{bad}");
        }
        assert!(check_path("", true).is_ok() && check_path("a/", true).is_ok());
        assert!(check_path("../", true).is_err() && check_path("/", true).is_err());
    }
}
