//! Files on their way: closed, announced, written, committed, shown in their folder's index.

use crate::chain::Chain;
use crate::config::Config;
use crate::folders::{Folders, settled};
use crate::versions::Versions;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tg_format_storage::{DataDir, DataFile, DateFolder, Kind};
use tidegate_sdk::object_store::{Bucket, PutError, PutMode};
use tidegate_sdk::{Failure, Position, TableSchema, clock};

/// Bytes compared at a time.
const LOOK_BYTES: usize = 4 << 20;
/// Times that a foreign file is removed from a place before that counts as an error.
const FOREIGN_MAX: usize = 3;

/// A file that is closed.
struct Pending {
    schema: Arc<TableSchema>,
    data: Vec<u8>,
    rows: u64,
    /// Where it goes; `None`: not decided yet.
    file: Option<DataFile>,
    written: bool,
}

/// See the module.
pub(crate) struct Outbox {
    pub(crate) folders: Folders,
    pub(crate) versions: Versions,
    dates: DateFolder,
    /// The latest date so far: clocks may go back, folders do not.
    date: Option<String>,
    pending: Vec<Pending>,
    /// Of `pending`, so many stand in a manifest.
    announced: usize,
    /// Newest files of folders whose index is behind.
    unpublished: BTreeMap<String, String>,
    /// Files that writers before may have left, but for those whose places this one has taken.
    late: BTreeSet<String>,
    /// Folders whose index a request that nobody waits for any more may still write, with their newest file.
    doubtful: BTreeMap<String, String>,
    /// Requests of a writer before may still be under way: every folder is doubtful.
    young: bool,
}

impl Outbox {
    pub(crate) fn new(config: &Config, writer: Option<String>) -> Result<Self, Failure> {
        Ok(Self {
            folders: Folders::new(writer, config.file_index_digit, config.extension()),
            versions: Versions::new(config.output_column_id),
            dates: config.dates()?,
            date: None,
            pending: Vec::new(),
            announced: 0,
            unpublished: BTreeMap::new(),
            late: BTreeSet::new(),
            doubtful: BTreeMap::new(),
            young: true,
        })
    }

    /// Bytes that are held.
    pub(crate) fn len_bytes(&self) -> usize {
        self.pending.iter().map(|p| p.data.len()).sum()
    }

    /// Takes a closed file.
    pub(crate) fn push(&mut self, schema: &Arc<TableSchema>, data: Vec<u8>, rows: u64) {
        self.pending.push(Pending { schema: Arc::clone(schema), data, rows, file: None, written: false });
    }

    fn files(&self) -> Vec<DataFile> {
        self.pending.iter().filter_map(|p| p.file.clone()).collect()
    }

    fn late(&self) -> Vec<String> {
        self.late.iter().cloned().collect()
    }

    /// Writes everything that is closed. It does not count yet. May be called again after a failure.
    pub(crate) fn write(&mut self, bucket: &Bucket, chain: Option<&mut Chain>) -> Result<(), Failure> {
        self.place(bucket)?;
        let Some(chain) = chain else { return self.write_apart(bucket) };
        if self.announced < self.pending.len() {
            chain.append(bucket, Kind::Files, chain.position(), (self.files(), self.late()))?;
            self.announced = self.pending.len();
        }
        for pending in self.pending.iter_mut().filter(|p| !p.written) {
            let Some(file) = &pending.file else { continue };
            put_new(bucket, chain, &file.path, &pending.data)?;
            pending.written = true;
            pending.data = Vec::new();
        }
        Ok(())
    }

    /// Without manifests: whatever lies at a place stays there.
    fn write_apart(&mut self, bucket: &Bucket) -> Result<(), Failure> {
        for pending in self.pending.iter_mut().filter(|p| !p.written) {
            let Some(file) = &mut pending.file else { continue };
            loop {
                match bucket.put(&file.path, &pending.data, &PutMode::Create) {
                    Ok(_) => break,
                    Err(PutError::Conflict) if same(bucket, &file.path, &pending.data)? => break,
                    Err(PutError::Conflict) => {
                        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
                        file.path = self.folders.next(bucket, &folder, &self.late)?;
                    }
                    Err(e) => return Err(settled(e)),
                }
            }
            pending.written = true;
            pending.data = Vec::new();
        }
        Ok(())
    }

    /// Decides where files go.
    fn place(&mut self, bucket: &Bucket) -> Result<(), Failure> {
        let now = self.dates.folder(clock::wall_ms());
        self.date = self.date.take().max(now);
        for pending in self.pending.iter_mut().filter(|p| p.file.is_none()) {
            let schema = &pending.schema;
            let dir = DataDir {
                database: schema.database.clone(),
                table: schema.name.clone(),
                version: self.versions.of(bucket, schema)?,
                partition: None,
                date: self.date.clone(),
            };
            let path = self.folders.next(bucket, &dir.path(), &self.late)?;
            self.late.remove(&path);
            pending.file = Some(DataFile {
                path,
                bytes: pending.data.len() as u64,
                crc32: crc32fast::hash(&pending.data),
                rows: pending.rows,
            });
        }
        Ok(())
    }

    /// Makes what is written count.
    pub(crate) fn commit(&mut self, bucket: &Bucket, chain: Option<&mut Chain>, at: Position) -> Result<(), Failure> {
        if self.pending.is_empty() {
            return Ok(());
        }
        if let Some(chain) = chain {
            chain.append(bucket, Kind::Commit, at, (self.files(), self.late()))?;
        }
        self.committed();
        Ok(())
    }

    /// Everything pending counts.
    pub(crate) fn committed(&mut self) {
        self.unpublished.extend(Folders::newest(&self.files()));
        self.pending.clear();
        self.announced = 0;
    }

    /// Brings index files up to date.
    pub(crate) fn publish(&mut self, bucket: &Bucket) -> Result<(), Failure> {
        while let Some((folder, name)) = self.unpublished.first_key_value() {
            let put = self.folders.put_index(bucket, folder, name);
            let lost = matches!(put, Err(PutError::Other(Failure::Unknown { .. })));
            if lost || self.young || self.doubtful.contains_key(folder) {
                self.doubtful.insert(folder.clone(), name.clone());
            }
            put.map_err(settled)?;
            self.unpublished.pop_first();
        }
        Ok(())
    }

    /// Brings index files up to date that a writer before may have left behind.
    pub(crate) fn publish_before(&mut self, bucket: &Bucket, committed: &[DataFile]) -> Result<(), Failure> {
        self.doubtful = Folders::newest(committed);
        self.doubtful.iter().try_for_each(|(folder, name)| self.folders.publish_newer(bucket, folder, name))
    }

    /// Takes back what a writer before may have left.
    pub(crate) fn take_back(&mut self, bucket: &Bucket, paths: &[String]) -> Result<(), Failure> {
        self.late.extend(paths.iter().cloned());
        paths.iter().try_for_each(|path| bucket.delete(path))
    }

    /// Whether something is to be done once more when no request of before can be under way any more.
    pub(crate) fn has_late(&self) -> bool {
        !self.late.is_empty() || !self.doubtful.is_empty()
    }

    /// Does it: takes back what a writer before may have left since, and writes indexes that it may have taken back.
    pub(crate) fn settle_late(&mut self, bucket: &Bucket) -> Result<(), Failure> {
        self.young = false;
        while let Some((folder, name)) = self.doubtful.first_key_value() {
            self.folders.put_index(bucket, folder, name).map_err(settled)?;
            self.doubtful.pop_first();
        }
        while let Some(path) = self.late.first() {
            bucket.delete(path)?;
            self.late.pop_first();
        }
        Ok(())
    }
}

/// Writes a file at a place that is ours. What lies there is our own from an earlier try, or a fenced writer's, which goes.
fn put_new(bucket: &Bucket, chain: &mut Chain, path: &str, data: &[u8]) -> Result<(), Failure> {
    for _ in 0..FOREIGN_MAX {
        match bucket.put(path, data, &PutMode::Create) {
            Ok(_) => return Ok(()),
            Err(PutError::Conflict) => {}
            Err(e) => return Err(settled(e)),
        }
        if same(bucket, path, data)? {
            return Ok(());
        }
        chain.check(bucket)?;
        bucket.delete(path)?;
    }
    Err(Failure::retryable(format!("somebody else keeps writing {path}")))
}

/// Whether an object is these bytes.
fn same(bucket: &Bucket, path: &str, data: &[u8]) -> Result<bool, Failure> {
    let Some(there) = bucket.head(path)? else { return Ok(false) };
    if there.size != data.len() as u64 {
        return Ok(false);
    }
    let mut offset = 0_u64;
    for part in data.chunks(LOOK_BYTES) {
        match bucket.get(path, offset, part.len() as u64)? {
            Some(found) if found == part => offset += part.len() as u64,
            _ => return Ok(false),
        }
    }
    Ok(true)
}
