//! Changes from a folder or bucket.

use crate::error::ConsumeError;
use crate::files::{self, Protocol};
use crate::steps::{Folder, Names, Step};
use crate::stream::{Done, Portion, Source};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use tg_format_common::ChangeEvent;
use tg_format_storage::{DataPath, Definition, FileName, METADATA, SchemaPath, checkpoint_of};
use tg_plugin::grant::{Bucket, EndpointError, ObjectMeta};

/// Names that are kept at most.
const NAMES_MAX: usize = 2_000_000;
/// Names listed at a time.
const PAGE: u32 = 1000;
/// Bytes read at a time.
const READ_BYTES: u64 = 8 << 20;
/// Largest file that is read.
const FILE_BYTES_MAX: u64 = 1 << 30;

/// See the module.
pub struct StorageSource {
    bucket: Box<dyn Bucket>,
    protocol: Protocol,
    names: Names,
    steps: VecDeque<Step>,
    /// The folder being read, with the number of its last file that counts.
    folder: Option<(Folder, u64)>,
    checkpoint: Option<u64>,
    /// Statements of this round: one job may lie under several names.
    ran: BTreeSet<(u64, String)>,
    /// The table of the last folder.
    table: Option<(SchemaPath, Definition)>,
}

impl StorageSource {
    /// Reads below what the bucket's endpoint has as its prefix.
    #[must_use]
    pub fn new(bucket: Box<dyn Bucket>, protocol: Protocol) -> Self {
        Self {
            bucket,
            protocol,
            names: Names::default(),
            steps: VecDeque::new(),
            folder: None,
            checkpoint: None,
            ran: BTreeSet::new(),
            table: None,
        }
    }

    async fn read(&mut self, path: &str) -> Result<Option<Vec<u8>>, ConsumeError> {
        let failed = |source: EndpointError| ConsumeError::Source { what: path.to_owned(), source };
        let Some(meta) = self.bucket.head(path).await.map_err(failed)? else { return Ok(None) };
        if meta.size > FILE_BYTES_MAX {
            let reason = format!("it has {} bytes; at most {FILE_BYTES_MAX} are read", meta.size);
            return Err(ConsumeError::Damaged { path: path.to_owned(), reason });
        }
        let mut content = Vec::new();
        while (content.len() as u64) < meta.size {
            let offset = content.len() as u64;
            let wanted = (meta.size - offset).min(READ_BYTES);
            match self.bucket.get(path, offset, wanted, READ_BYTES).await.map_err(failed)? {
                Some(part) if !part.is_empty() => content.extend_from_slice(&part),
                _ => return Ok(None),
            }
        }
        Ok(Some(content))
    }

    async fn must_read(&mut self, path: &str) -> Result<Vec<u8>, ConsumeError> {
        let missing = || ConsumeError::Damaged { path: path.to_owned(), reason: "it is not there".to_owned() };
        self.read(path).await?.ok_or_else(missing)
    }

    /// Looks what there is up to the checkpoint.
    async fn look(&mut self, done: &BTreeMap<String, Done>) -> Result<(), ConsumeError> {
        // The checkpoint first: what it covers is there by then.
        let Some(content) = self.read(METADATA).await? else { return Ok(()) };
        let damaged =
            || ConsumeError::Damaged { path: METADATA.to_owned(), reason: "it holds no checkpoint".to_owned() };
        let checkpoint = checkpoint_of(&content).ok_or_else(damaged)?;
        let mut names = Names::default();
        let mut after = String::new();
        loop {
            let page = self.bucket.list("", &after, PAGE).await;
            let page: Vec<ObjectMeta> =
                page.map_err(|source| ConsumeError::Source { what: "the list of files".to_owned(), source })?;
            for object in &page {
                if names.add(&object.path, self.protocol.extension()) > NAMES_MAX {
                    return Err(ConsumeError::TooMany { limit: NAMES_MAX });
                }
            }
            match page.last() {
                Some(last) if page.len() >= PAGE as usize => after.clone_from(&last.path),
                _ => break,
            }
        }
        self.steps = names.steps(checkpoint, done).into();
        self.names = names;
        self.checkpoint = Some(checkpoint);
        Ok(())
    }

    /// The number of a folder's last file that counts.
    async fn indexed(&mut self, folder: &Folder) -> Result<u64, ConsumeError> {
        let path = DataPath::index_path(&folder.dir.path(), folder.writer.as_deref());
        let content = self.read(&path).await?.unwrap_or_default();
        let name = String::from_utf8_lossy(&content);
        Ok(FileName::parse(name.trim()).map_or(0, |(file, _)| file.index))
    }

    async fn definition(&mut self, folder: &Folder) -> Result<Definition, ConsumeError> {
        let missing = || ConsumeError::Damaged {
            path: folder.dir.path(),
            reason: "there is no schema file of this version of the table".to_owned(),
        };
        let path = self.names.schema(&folder.dir).cloned().ok_or_else(missing)?;
        if let Some((_, known)) = self.table.as_ref().filter(|(p, _)| *p == path) {
            return Ok(known.clone());
        }
        let text = path.text();
        let content = self.must_read(&text).await?;
        let definition = files::definition(&text, &content)?;
        self.table = Some((path, definition.clone()));
        Ok(definition)
    }

    async fn ddl(&mut self, path: &SchemaPath) -> Result<Option<Portion>, ConsumeError> {
        let text = path.text();
        let content = self.must_read(&text).await?;
        let definition = files::definition(&text, &content)?;
        let Some(event) = files::statement(&definition) else { return Ok(None) };
        if !self.ran.insert((definition.table_version, definition.query)) {
            return Ok(None);
        }
        let to = Done { units: 1, rows: 0 };
        Ok(Some(Portion { stream: text, from: Done::default(), to, events: vec![event] }))
    }

    /// The next file of the folder being read; `None`: it has no more for now.
    async fn file(
        &mut self,
        folder: &Folder,
        last: u64,
        done: &BTreeMap<String, Done>,
    ) -> Result<Option<Portion>, ConsumeError> {
        let stream = folder.stream();
        let from = done.get(&stream).copied().unwrap_or_default();
        let index = from.units + 1;
        if index > last {
            return Ok(None);
        }
        let missing = || ConsumeError::Damaged {
            path: folder.dir.path(),
            reason: format!("its index names file {last}, and file {index} is not there"),
        };
        let path = self.names.file(folder, index).map(str::to_owned).ok_or_else(missing)?;
        let definition = self.definition(folder).await?;
        let content = self.must_read(&path).await?;
        let mut events = files::rows(&self.protocol, &definition, &path, &content)?;
        let skipped = usize::try_from(from.rows).unwrap_or(usize::MAX).min(events.len());
        events.drain(..skipped);
        let checkpoint = self.checkpoint.unwrap_or(0);
        let ready =
            |e: &ChangeEvent| !matches!(e, ChangeEvent::Row(r) if r.commit_ts.is_some_and(|ts| ts > checkpoint));
        let whole = events.len();
        let now = events.iter().position(|e| !ready(e)).unwrap_or(whole);
        events.truncate(now);
        let to = if now == whole {
            Done { units: index, rows: 0 }
        } else {
            Done { units: from.units, rows: from.rows + now as u64 }
        };
        Ok((to != from).then_some(Portion { stream, from, to, events }))
    }
}

impl Source for StorageSource {
    fn next<'a>(
        &'a mut self,
        done: &'a BTreeMap<String, Done>,
    ) -> BoxFuture<'a, Result<Option<Portion>, ConsumeError>> {
        async move {
            if self.folder.is_none() && self.steps.is_empty() {
                self.look(done).await?;
            }
            loop {
                if let Some((folder, last)) = self.folder.clone() {
                    if let Some(portion) = self.file(&folder, last, done).await? {
                        return Ok(Some(portion));
                    }
                    self.folder = None;
                }
                match self.steps.pop_front() {
                    None => {
                        self.ran.clear();
                        return Ok(None);
                    }
                    Some(Step::Ddl(path)) => {
                        if let Some(portion) = self.ddl(&path).await? {
                            return Ok(Some(portion));
                        }
                    }
                    Some(Step::Folder(folder)) => {
                        let last = self.indexed(&folder).await?;
                        self.folder = Some((folder, last));
                    }
                }
            }
        }
        .boxed()
    }

    fn checkpoint(&self) -> Option<u64> {
        self.checkpoint
    }
}
