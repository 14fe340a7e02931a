//! S3 and its like, GCS and Azure, by the `object_store` crate.

mod build;
mod fault;
mod identity;
mod upload;
mod wire;

pub(crate) use upload::RemoteUpload;

use crate::bucket::LIST_MAX;
use crate::error::StoreError;
use crate::target::{Place, StoreTarget};
use bytes::{Bytes, BytesMut};
use fault::{answer, no_object, of_library, own_words};
use futures::TryStreamExt;
use identity::carried;
use object_store::list::{PaginatedListOptions, PaginatedListStore};
use object_store::path::Path;
use object_store::{
    Attributes, Error as LibraryError, GetOptions, GetRange, ObjectStore, ObjectStoreExt, PutOptions, UpdateVersion,
};
use std::sync::Arc;
use tg_plugin::grant::{ObjectMeta, PutMode};

/// Most answers of one list. A store that begins at `after` needs one or two; one that cannot begins at the prefix.
const PAGES_MAX: usize = 10_000;

/// What a client of the library does.
pub(crate) trait Objects: ObjectStore + PaginatedListStore {}
impl<T: ObjectStore + PaginatedListStore> Objects for T {}

/// What names a version of an object.
#[derive(Clone, Copy)]
enum Versions {
    Etag,
    /// Lists may say it without quotes.
    QuotedEtag,
    /// A number; lists do not say it.
    Generation,
}

impl Versions {
    /// What people see.
    fn shown(self, etag: Option<String>, version: Option<String>) -> Option<String> {
        match self {
            Self::Etag => etag,
            Self::QuotedEtag => etag.map(|e| if e.starts_with(['"', 'W']) { e } else { format!("\"{e}\"") }),
            Self::Generation => version,
        }
    }

    /// What the store is asked for; `None`: it names no version that there could be.
    fn asked(self, shown: &str) -> Option<UpdateVersion> {
        let named = match self {
            Self::Generation => !shown.is_empty() && shown.bytes().all(|b| b.is_ascii_digit()),
            Self::Etag | Self::QuotedEtag => !shown.is_empty() && carried(shown),
        };
        let text = named.then(|| shown.to_owned())?;
        Some(match self {
            Self::Generation => UpdateVersion { e_tag: None, version: Some(text) },
            Self::Etag | Self::QuotedEtag => UpdateVersion { e_tag: Some(text), version: None },
        })
    }
}

/// A bucket. Its connections are shared.
#[derive(Clone)]
pub(crate) struct Remote {
    store: Arc<dyn Objects>,
    versions: Versions,
    /// What every object is made with.
    attributes: Attributes,
    secrets: Arc<[String]>,
    shown: Arc<str>,
}

impl Remote {
    /// Reads files of credentials.
    pub(crate) fn new(target: &StoreTarget) -> Result<Self, StoreError> {
        let secrets: Arc<[String]> = target.secrets().into();
        let (store, versions, attributes) = match &target.place {
            Place::S3(s3) => build::s3(s3, target, &secrets)?,
            Place::Gcs(gcs) => build::gcs(gcs, target, &secrets)?,
            Place::Azure(azure) => build::azure(azure, target, &secrets)?,
            Place::Folder(_) => {
                let cause = "a folder is no remote store".to_owned();
                return Err(StoreError::Setup { what: target.shown(), cause });
            }
        };
        Ok(Self { store, versions, attributes, secrets, shown: target.shown().into() })
    }

    fn what(&self, doing: &str, at: &str) -> String {
        format!("{doing} {at} of {}", self.shown)
    }

    fn path(&self, at: &str) -> Result<Path, StoreError> {
        let parsed = Path::parse(at);
        parsed.map_err(|e| StoreError::Refused { what: format!("{at:?} of {}", self.shown), cause: e.to_string() })
    }

    fn failed(&self, doing: &str, at: &str, e: &LibraryError) -> StoreError {
        of_library(self.what(doing, at), e, &self.secrets)
    }

    /// `None`: the condition does not hold.
    pub(crate) async fn put(&self, at: &str, data: Bytes, mode: &PutMode) -> Result<Option<ObjectMeta>, StoreError> {
        let size = data.len() as u64;
        let wanted = match mode {
            PutMode::Overwrite => object_store::PutMode::Overwrite,
            PutMode::Create => object_store::PutMode::Create,
            PutMode::IfMatch(version) => match self.versions.asked(version) {
                Some(version) => object_store::PutMode::Update(version),
                None => return Ok(None),
            },
        };
        let conditional = !matches!(mode, PutMode::Overwrite);
        let options = PutOptions { mode: wanted, attributes: self.attributes.clone(), ..PutOptions::default() };
        match self.store.put_opts(&self.path(at)?, data.into(), options).await {
            Ok(put) => {
                let etag = self.versions.shown(put.e_tag, put.version);
                Ok(Some(ObjectMeta { path: at.to_owned(), size, etag, modified_ms: crate::bucket::now_ms() }))
            }
            Err(e) if conditional && answer(&e).is_some_and(fault::Answered::conflicts) => Ok(None),
            Err(e) => Err(self.failed("put", at, &e)),
        }
    }

    fn meta(&self, m: object_store::ObjectMeta) -> ObjectMeta {
        ObjectMeta {
            path: m.location.into(),
            size: m.size,
            etag: self.versions.shown(m.e_tag, m.version),
            modified_ms: u64::try_from(m.last_modified.timestamp_millis()).unwrap_or(0),
        }
    }

    pub(crate) async fn head(&self, at: &str) -> Result<Option<ObjectMeta>, StoreError> {
        match self.store.head(&self.path(at)?).await {
            Ok(found) => Ok(Some(self.meta(found))),
            Err(e) if no_object(&e) => Ok(None),
            Err(e) => Err(self.failed("head", at, &e)),
        }
    }

    /// `length` bytes from `offset` on, or what there is of them; zero: all. At most `limit`.
    pub(crate) async fn get(
        &self,
        at: &str,
        offset: u64,
        length: u64,
        limit: u64,
    ) -> Result<Option<Bytes>, StoreError> {
        let range = match (offset, length) {
            (0, 0) => None,
            (_, 0) => Some(GetRange::Offset(offset)),
            _ => Some(GetRange::Bounded(offset..offset.saturating_add(length))),
        };
        let options = GetOptions { range, ..GetOptions::default() };
        let got = match self.store.get_opts(&self.path(at)?, options).await {
            Ok(got) => got,
            Err(e) if no_object(&e) => return Ok(None),
            // Nothing is there from this offset on. Not every server says so: then the library does, in its own words.
            Err(e) if answer(&e).is_some_and(|a| a.status == 416) => return Ok(Some(Bytes::new())),
            Err(e) if own_words(&e) => {
                return match self.head(at).await? {
                    None => Ok(None),
                    Some(found) if found.size <= offset => Ok(Some(Bytes::new())),
                    Some(_) => Err(self.failed("get", at, &e)),
                };
            }
            Err(e) => return Err(self.failed("get", at, &e)),
        };
        let wanted = got.range.end.saturating_sub(got.range.start);
        let refused = |cause| StoreError::Refused { what: self.what("get", at), cause };
        if wanted > limit {
            return Err(refused(format!("{wanted} bytes are asked for; at most {limit} come at once")));
        }
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
        let (mut data, mut parts) = (BytesMut::with_capacity(wanted), got.into_stream());
        while let Some(part) = parts.try_next().await.map_err(|e| self.failed("get", at, &e))? {
            if part.len() > wanted - data.len() {
                return Err(refused(format!("the answer has more than {wanted} bytes")));
            }
            data.extend_from_slice(&part);
        }
        Ok(Some(data.freeze()))
    }

    /// Of Azure, the library's lists leave out the object that is named as their prefix. It would be the first.
    fn misses(&self, prefix: &str) -> bool {
        matches!(self.versions, Versions::QuotedEtag) && !prefix.is_empty() && !prefix.ends_with('/')
    }

    /// Names below a prefix, in order: at most `limit` behind `after`.
    pub(crate) async fn list(&self, prefix: &str, after: &str, limit: usize) -> Result<Vec<ObjectMeta>, StoreError> {
        let doing = |e: &LibraryError| self.failed("list", prefix, e);
        let (mut found, mut page_token) = (Vec::new(), None);
        if limit > 0 && prefix > after && self.misses(prefix) {
            found.extend(self.head(prefix).await?);
        }
        // Where a store begins at `after` itself, one more than is wanted.
        let mut page = limit.saturating_add(1).min(LIST_MAX as usize);
        for _ in 0..PAGES_MAX {
            let options = PaginatedListOptions {
                offset: (!after.is_empty()).then(|| after.to_owned()),
                max_keys: Some(page),
                page_token,
                ..PaginatedListOptions::default()
            };
            let below = (!prefix.is_empty()).then_some(prefix);
            let answer = self.store.list_paginated(below, options).await.map_err(|e| doing(&e))?;
            let behind = answer.result.objects.into_iter().filter(|o| o.location.as_ref() > after);
            found.extend(behind.map(|m| self.meta(m)).take(limit - found.len()));
            page_token = answer.page_token;
            if found.len() >= limit || page_token.is_none() {
                return Ok(found);
            }
            page = LIST_MAX as usize;
        }
        let cause = format!("its names come in more than {PAGES_MAX} answers");
        Err(StoreError::Refused { what: self.what("list", prefix), cause })
    }

    pub(crate) async fn delete(&self, at: &str) -> Result<(), StoreError> {
        match self.store.delete(&self.path(at)?).await {
            Ok(()) => Ok(()),
            Err(e) if no_object(&e) => Ok(()),
            Err(e) => Err(self.failed("delete", at, &e)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Versions;
    use object_store::UpdateVersion;

    #[test]
    fn a_version_is_named_as_its_store_names_it() {
        let some = |t: &str| Some(t.to_owned());
        assert_eq!(Versions::Etag.shown(some("\"e\""), some("7")), some("\"e\""));
        assert_eq!(Versions::QuotedEtag.shown(some("0x8D"), None), some("\"0x8D\""));
        assert_eq!(Versions::QuotedEtag.shown(some("\"0x8D\""), None), some("\"0x8D\""));
        assert_eq!(Versions::Generation.shown(some("\"e\""), some("7")), some("7"));
        let generation = Versions::Generation.asked("7");
        assert_eq!(generation, Some(UpdateVersion { e_tag: None, version: some("7") }));
        assert_eq!(Versions::Generation.asked("\"e\""), None);
        assert_eq!(Versions::Etag.asked("\"e\"\r\nx: y"), None);
    }
}
