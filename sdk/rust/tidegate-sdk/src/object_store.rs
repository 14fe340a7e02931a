//! Object stores: S3 and its like, GCS, Azure, a folder. Paths are relative to the endpoint's prefix.

use crate::Failure;

#[cfg(target_arch = "wasm32")]
mod raw {
    pub(super) use crate::guest::sink::tidegate::plugin::object_store::{Bucket, Upload};
}
#[cfg(not(target_arch = "wasm32"))]
mod raw {
    pub(super) type Bucket = Box<dyn crate::native::Bucket>;
    pub(super) type Upload = Box<dyn crate::native::Upload>;
}

/// What is known of an object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ObjectMeta {
    /// Path.
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
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PutError {
    /// `Create`: something is there; `IfMatch`: it is another version, or nothing.
    Conflict,
    /// Anything else.
    Other(Failure),
}

impl From<PutError> for Failure {
    fn from(e: PutError) -> Self {
        match e {
            PutError::Conflict => Self::fatal("conflict", "another object is there already"),
            PutError::Other(failure) => failure,
        }
    }
}

/// An open store.
pub struct Bucket {
    raw: raw::Bucket,
}

#[cfg_attr(not(target_arch = "wasm32"), expect(clippy::useless_conversion, reason = "other types in a component"))]
impl Bucket {
    /// Opens one of [`crate::Context::endpoints`].
    ///
    /// # Errors
    /// [`Failure::Fatal`] when it is not granted; otherwise as the store says.
    pub fn open(endpoint: &str) -> Result<Self, Failure> {
        #[cfg(target_arch = "wasm32")]
        let raw = raw::Bucket::open(endpoint)?;
        #[cfg(not(target_arch = "wasm32"))]
        let raw = crate::native::with(|h| h.object_store_open(endpoint))
            .unwrap_or_else(|| Err(crate::native::not_granted("object-store", endpoint)))?;
        Ok(Self { raw })
    }

    /// Writes a whole object.
    ///
    /// # Errors
    /// [`PutError`].
    pub fn put(&self, path: &str, data: &[u8], mode: &PutMode) -> Result<ObjectMeta, PutError> {
        #[cfg(target_arch = "wasm32")]
        let mode = &mode.into();
        self.raw.put(path, data, mode).map(Into::into).map_err(Into::into)
    }

    /// Reads `length` bytes from `offset` on; 0: to the end. `None`: no such object.
    ///
    /// # Errors
    /// [`Failure`]; also when more bytes would come than the host hands over at once.
    pub fn get(&self, path: &str, offset: u64, length: u64) -> Result<Option<Vec<u8>>, Failure> {
        self.raw.get(path, offset, length).map_err(Into::into)
    }

    /// What is known of an object. `None`: no such object.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn head(&self, path: &str) -> Result<Option<ObjectMeta>, Failure> {
        self.raw.head(path).map(|m| m.map(Into::into)).map_err(Into::into)
    }

    /// Objects below `prefix` in order of path, those after `after`, at most `limit` (and the host's own limit).
    ///
    /// # Errors
    /// [`Failure`].
    pub fn list(&self, prefix: &str, after: &str, limit: u32) -> Result<Vec<ObjectMeta>, Failure> {
        let found = self.raw.list(prefix, after, limit);
        found.map(|all| all.into_iter().map(Into::into).collect()).map_err(Into::into)
    }

    /// Removes an object; that there is none is no error.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn delete(&self, path: &str) -> Result<(), Failure> {
        self.raw.delete(path).map_err(Into::into)
    }

    /// Begins an object that is written in parts and appears whole when it is finished.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn upload(&self, path: &str) -> Result<Upload, Failure> {
        self.raw.upload(path).map(|raw| Upload { raw }).map_err(Into::into)
    }
}

/// An object in the making; dropped unfinished it never appears.
pub struct Upload {
    raw: raw::Upload,
}

#[cfg_attr(not(target_arch = "wasm32"), expect(clippy::useless_conversion, reason = "other types in a component"))]
impl Upload {
    /// Takes the next bytes, which go out while the plugin makes more.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn write(&self, data: &[u8]) -> Result<(), Failure> {
        self.raw.write(data).map_err(Into::into)
    }

    /// Makes the object appear.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn finish(self) -> Result<ObjectMeta, Failure> {
        self.raw.finish().map(Into::into).map_err(Into::into)
    }

    /// Forgets the object.
    pub fn abort(self) {
        self.raw.abort();
    }
}
