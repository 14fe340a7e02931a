//! The endpoint, and one open store of one instance.

use crate::error::StoreError;
use crate::folder::{Folder, Put};
use crate::remote::{Remote, RemoteUpload};
use crate::target::{Place, StoreTarget};
use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use tg_plugin::grant::{
    Bucket, EndpointError, LaneContext, ObjectMeta, ObjectStoreEndpoint, PutError, PutMode, Upload,
};

/// Most entries of one answer.
pub const LIST_MAX: u32 = 1000;
/// Largest object of one put; above it an upload in parts is needed.
const PUT_BYTES_MAX: usize = 512 << 20;

/// A store that answered once. Its clients share their connections.
#[derive(Clone)]
pub struct StoreEndpoint(Store);

/// A store with its prefix.
#[derive(Clone)]
struct Store {
    back: Back,
    /// With a slash at its end, or empty.
    prefix: Arc<str>,
    shown: Arc<str>,
}

#[derive(Clone)]
enum Back {
    Folder(Folder),
    Remote(Remote),
}

impl std::fmt::Debug for StoreEndpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("StoreEndpoint").field(&self.0.shown).finish()
    }
}

impl StoreEndpoint {
    /// Sets a store up and looks below its prefix once, so that a missing bucket or refused credentials show at once. A folder is
    /// made when it is not there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn connect(target: &StoreTarget) -> Result<Self, StoreError> {
        let back = match &target.place {
            Place::Folder(path) => {
                let path = path.clone();
                Back::Folder(blocking(move || Folder::new(&path)).await?)
            }
            Place::S3(_) | Place::Gcs(_) | Place::Azure(_) => {
                let target = target.clone();
                Back::Remote(blocking(move || Remote::new(&target)).await?)
            }
        };
        let prefix = if target.prefix.is_empty() { String::new() } else { format!("{}/", target.prefix) };
        let store = Store { back, prefix: prefix.into(), shown: target.shown().into() };
        store.list("", "", 1).await?;
        Ok(Self(store))
    }

    /// A client of its own for a caller within the process.
    #[must_use]
    pub fn bucket(&self) -> Box<dyn Bucket> {
        Box::new(Opened(self.0.clone()))
    }
}

impl ObjectStoreEndpoint for StoreEndpoint {
    fn open(&self, _: LaneContext) -> BoxFuture<'_, Result<Box<dyn Bucket>, EndpointError>> {
        Box::pin(async { Ok(self.bucket()) })
    }
}

/// Work of the file system, away from where others wait.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let ended = tokio::task::spawn_blocking(work).await;
    ended.unwrap_or_else(|e| Err(StoreError::Unknown { what: "a file".to_owned(), cause: e.to_string() }))
}

pub(crate) fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
}

impl Store {
    /// A path below the prefix, as the store has it.
    fn at(&self, path: &str) -> Result<String, StoreError> {
        if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
            let cause = "it is no path below the prefix".to_owned();
            return Err(StoreError::Refused { what: format!("{path:?} of {}", self.shown), cause });
        }
        Ok(format!("{}{path}", self.prefix))
    }

    async fn put(&self, path: &str, data: Bytes, mode: PutMode) -> Result<Option<ObjectMeta>, StoreError> {
        let at = self.at(path)?;
        let size = data.len();
        if size > PUT_BYTES_MAX {
            let cause = format!("the object has {size} bytes; write it in parts above {PUT_BYTES_MAX}");
            return Err(StoreError::Refused { what: format!("put {path}"), cause });
        }
        let put = match &self.back {
            Back::Folder(folder) => {
                let folder = folder.clone();
                blocking(move || folder.put(&at, &data, &mode)).await.map(|put| match put {
                    Put::Done(meta) => Some(meta),
                    Put::Conflict => None,
                })
            }
            Back::Remote(remote) => remote.put(&at, data, &mode).await,
        };
        Ok(put?.map(|m| ObjectMeta { path: path.to_owned(), ..m }))
    }

    async fn head(&self, path: &str) -> Result<Option<ObjectMeta>, StoreError> {
        let at = self.at(path)?;
        let found = match &self.back {
            Back::Folder(folder) => {
                let folder = folder.clone();
                blocking(move || folder.head(&at)).await?
            }
            Back::Remote(remote) => remote.head(&at).await?,
        };
        Ok(found.map(|m| ObjectMeta { path: path.to_owned(), ..m }))
    }

    async fn get(&self, path: &str, offset: u64, length: u64, limit: u64) -> Result<Option<Bytes>, StoreError> {
        let at = self.at(path)?;
        let folder = match &self.back {
            Back::Folder(folder) => folder.clone(),
            Back::Remote(remote) => return remote.get(&at, offset, length, limit).await,
        };
        let Some(found) = self.head(path).await? else { return Ok(None) };
        let left = found.size.saturating_sub(offset);
        let wanted = if length == 0 { left } else { length.min(left) };
        if wanted > limit {
            let cause = format!("{wanted} bytes are asked for; at most {limit} come at once");
            return Err(StoreError::Refused { what: format!("get {path}"), cause });
        }
        if wanted == 0 {
            return Ok(Some(Bytes::new()));
        }
        blocking(move || folder.get(&at, offset, wanted)).await
    }

    async fn list(&self, prefix: &str, after: &str, limit: u32) -> Result<Vec<ObjectMeta>, StoreError> {
        let limit = limit.min(LIST_MAX);
        let below = format!("{}{prefix}", self.prefix);
        let after = if after.is_empty() { String::new() } else { format!("{}{after}", self.prefix) };
        let found = match &self.back {
            Back::Folder(folder) => {
                let folder = folder.clone();
                blocking(move || folder.list(&below, &after, limit as usize)).await?
            }
            Back::Remote(remote) => remote.list(&below, &after, limit as usize).await?,
        };
        let own = |m: ObjectMeta| {
            let path = m.path.strip_prefix(&*self.prefix)?.to_owned();
            Some(ObjectMeta { path, ..m })
        };
        Ok(found.into_iter().filter_map(own).collect())
    }

    async fn delete(&self, path: &str) -> Result<(), StoreError> {
        let at = self.at(path)?;
        match &self.back {
            Back::Folder(folder) => {
                let folder = folder.clone();
                blocking(move || folder.delete(&at)).await
            }
            Back::Remote(remote) => remote.delete(&at).await,
        }
    }
}

/// One open store of one instance.
struct Opened(Store);

impl Bucket for Opened {
    fn put<'a>(&'a mut self, path: &'a str, data: Bytes, mode: PutMode) -> BoxFuture<'a, Result<ObjectMeta, PutError>> {
        async move {
            let put = self.0.put(path, data, mode).await.map_err(EndpointError::from)?;
            put.ok_or(PutError::Conflict)
        }
        .boxed()
    }

    fn get<'a>(
        &'a mut self,
        path: &'a str,
        offset: u64,
        length: u64,
        limit: u64,
    ) -> BoxFuture<'a, Result<Option<Bytes>, EndpointError>> {
        async move { Ok(self.0.get(path, offset, length, limit).await?) }.boxed()
    }

    fn head<'a>(&'a mut self, path: &'a str) -> BoxFuture<'a, Result<Option<ObjectMeta>, EndpointError>> {
        async move { Ok(self.0.head(path).await?) }.boxed()
    }

    fn list<'a>(
        &'a mut self,
        prefix: &'a str,
        after: &'a str,
        limit: u32,
    ) -> BoxFuture<'a, Result<Vec<ObjectMeta>, EndpointError>> {
        async move { Ok(self.0.list(prefix, after, limit).await?) }.boxed()
    }

    fn delete<'a>(&'a mut self, path: &'a str) -> BoxFuture<'a, Result<(), EndpointError>> {
        async move { Ok(self.0.delete(path).await?) }.boxed()
    }

    fn upload<'a>(&'a mut self, path: &'a str) -> BoxFuture<'a, Result<Box<dyn Upload>, EndpointError>> {
        async move {
            let at = self.0.at(path)?;
            let parts = match &self.0.back {
                Back::Folder(folder) => {
                    let (folder, key) = (folder.clone(), at.clone());
                    let (new, file) = blocking(move || folder.begin(&key)).await?;
                    Parts::File(new, Arc::new(file))
                }
                Back::Remote(remote) => Parts::Remote(Box::new(RemoteUpload::begin(remote, &at).await?)),
            };
            let made = Making { store: self.0.clone(), path: path.to_owned(), at, parts: Some(parts) };
            Ok(Box::new(made) as Box<dyn Upload>)
        }
        .boxed()
    }
}

enum Parts {
    File(PathBuf, Arc<File>),
    Remote(Box<RemoteUpload>),
}

/// An object in the making.
struct Making {
    store: Store,
    path: String,
    at: String,
    /// `None`: it is finished or given up.
    parts: Option<Parts>,
}

impl Making {
    fn ended(&self) -> StoreError {
        let cause = "the upload is finished or given up".to_owned();
        StoreError::Refused { what: format!("upload {}", self.path), cause }
    }

    async fn write_parts(&mut self, data: Bytes) -> Result<(), StoreError> {
        let ended = self.ended();
        match self.parts.as_mut().ok_or(ended)? {
            Parts::Remote(upload) => upload.write(&data).await,
            Parts::File(new, file) => {
                let (file, what) = (Arc::clone(file), format!("upload {}", new.display()));
                blocking(move || (&*file).write_all(&data).map_err(|e| crate::error::of_io(what, &e))).await
            }
        }
    }

    async fn finish_parts(&mut self) -> Result<ObjectMeta, StoreError> {
        let ended = self.ended();
        match (self.parts.take().ok_or(ended)?, self.store.back.clone()) {
            (Parts::File(new, file), Back::Folder(folder)) => {
                let at = self.at.clone();
                blocking(move || folder.finish(&new, &file, &at, false)).await?;
            }
            (Parts::Remote(mut upload), _) => upload.finish().await?,
            (Parts::File(..), Back::Remote(_)) => return Err(self.ended()),
        }
        let ended = self.ended();
        self.store.head(&self.path).await?.ok_or(ended)
    }
}

async fn give_up(parts: Parts) {
    match parts {
        Parts::Remote(mut upload) => upload.abort().await,
        Parts::File(new, _) => drop(tokio::fs::remove_file(new).await),
    }
}

impl Upload for Making {
    fn write(&mut self, data: Bytes) -> BoxFuture<'_, Result<(), EndpointError>> {
        async move { Ok(self.write_parts(data).await?) }.boxed()
    }

    fn finish(&mut self) -> BoxFuture<'_, Result<ObjectMeta, EndpointError>> {
        async move { Ok(self.finish_parts().await?) }.boxed()
    }

    fn abort(&mut self) -> BoxFuture<'_, ()> {
        async move {
            if let Some(parts) = self.parts.take() {
                give_up(parts).await;
            }
        }
        .boxed()
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        if let Some(parts) = self.parts.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(give_up(parts));
        }
    }
}
