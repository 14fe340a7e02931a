//! Object stores that plugins may be granted. Paths are relative to the endpoint's prefix and may not leave it.

use super::{EndpointError, LaneContext};
use bytes::Bytes;
use futures::future::BoxFuture;

/// What is known of an object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ObjectMeta {
    /// Path relative to the endpoint's prefix.
    pub path: String,
    /// Length in bytes.
    pub size: u64,
    /// Names this version of it, where the store does.
    pub etag: Option<String>,
    /// Last change, milliseconds since 1970.
    pub modified_ms: u64,
}

/// When an object may be written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PutMode {
    /// Always.
    Overwrite,
    /// When nothing is there.
    Create,
    /// When this version is there.
    IfMatch(String),
}

/// Why an object was not written.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PutError {
    /// The condition of the [`PutMode`] does not hold.
    #[error("something else is there")]
    Conflict,
    /// Anything else.
    #[error(transparent)]
    Other(#[from] EndpointError),
}

/// An object store that plugins may open.
pub trait ObjectStoreEndpoint: Send + Sync {
    /// Opens the store for a lane.
    fn open(&self, lane: LaneContext) -> BoxFuture<'_, Result<Box<dyn Bucket>, EndpointError>>;
}

/// One open store of one instance. The host never makes two calls at once.
pub trait Bucket: Send + Sync {
    /// Writes a whole object.
    fn put<'a>(&'a mut self, path: &'a str, data: Bytes, mode: PutMode) -> BoxFuture<'a, Result<ObjectMeta, PutError>>;

    /// Reads `length` bytes from `offset` on, 0: to the end; `None`: no such object. `limit` bounds what may be read.
    fn get<'a>(
        &'a mut self,
        path: &'a str,
        offset: u64,
        length: u64,
        limit: u64,
    ) -> BoxFuture<'a, Result<Option<Bytes>, EndpointError>>;

    /// What is known of an object; `None`: no such object.
    fn head<'a>(&'a mut self, path: &'a str) -> BoxFuture<'a, Result<Option<ObjectMeta>, EndpointError>>;

    /// Objects below `prefix` in order of path, those after `after`, at most `limit`.
    fn list<'a>(
        &'a mut self,
        prefix: &'a str,
        after: &'a str,
        limit: u32,
    ) -> BoxFuture<'a, Result<Vec<ObjectMeta>, EndpointError>>;

    /// Removes an object; that there is none is no error.
    fn delete<'a>(&'a mut self, path: &'a str) -> BoxFuture<'a, Result<(), EndpointError>>;

    /// Begins an object that is written in parts and appears whole when it is finished.
    fn upload<'a>(&'a mut self, path: &'a str) -> BoxFuture<'a, Result<Box<dyn Upload>, EndpointError>>;
}

/// An object in the making. Dropping it aborts it as well as that can be done.
pub trait Upload: Send + Sync {
    /// Takes the next bytes; they may go out after this returns.
    fn write(&mut self, data: Bytes) -> BoxFuture<'_, Result<(), EndpointError>>;
    /// Makes the object appear.
    fn finish(&mut self) -> BoxFuture<'_, Result<ObjectMeta, EndpointError>>;
    /// Forgets the object.
    fn abort(&mut self) -> BoxFuture<'_, ()>;
}
