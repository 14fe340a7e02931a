//! Numbers and index files of the folders that data files go to.

use std::collections::{BTreeMap, BTreeSet};
use tg_format_storage::{DataFile, DataPath, FileName};
use tidegate_sdk::Failure;
use tidegate_sdk::object_store::{Bucket, PutError, PutMode};

/// Folders whose newest number is remembered; above it all are looked up again.
const FOLDERS_MAX: usize = 8_192;
/// Names listed at a time.
const PAGE: u32 = 1000;

/// See the module.
pub(crate) struct Folders {
    /// The last number that is taken, by folder.
    last: BTreeMap<String, u64>,
    /// Names this writer's files where several write into one folder.
    writer: Option<String>,
    digits: usize,
    extension: &'static str,
}

impl Folders {
    pub(crate) const fn new(writer: Option<String>, digits: usize, extension: &'static str) -> Self {
        Self { last: BTreeMap::new(), writer, digits, extension }
    }

    /// Takes the next number of a folder: the path of its file. `ignored`: files that do not count and will be gone.
    pub(crate) fn next(
        &mut self,
        bucket: &Bucket,
        folder: &str,
        ignored: &BTreeSet<String>,
    ) -> Result<String, Failure> {
        let last = match self.last.get(folder) {
            Some(last) => *last,
            None => self.found(bucket, folder, ignored)?,
        };
        if self.last.len() >= FOLDERS_MAX {
            self.last.clear();
        }
        self.last.insert(folder.to_owned(), last + 1);
        Ok(format!("{folder}/{}", self.name(last + 1)))
    }

    fn name(&self, index: u64) -> String {
        FileName { writer: self.writer.clone(), index }.text(self.digits, self.extension)
    }

    /// The greatest number there is: what the index says, and what lies behind it.
    fn found(&self, bucket: &Bucket, folder: &str, ignored: &BTreeSet<String>) -> Result<u64, Failure> {
        let mut last = self.indexed(bucket, folder)?;
        let begin = format!("{folder}/{}", FileName::begin(self.writer.as_deref()));
        let mut after = if last == 0 { String::new() } else { format!("{folder}/{}", self.name(last)) };
        loop {
            let page = bucket.list(&begin, &after, PAGE)?;
            for object in page.iter().filter(|o| !ignored.contains(&o.path)) {
                let name = object.path.rsplit('/').next().unwrap_or_default();
                if let Some((file, _)) = FileName::parse(name).filter(|(file, _)| file.writer == self.writer) {
                    last = last.max(file.index);
                }
            }
            match page.last() {
                Some(object) if page.len() >= PAGE as usize => after.clone_from(&object.path),
                _ => return Ok(last),
            }
        }
    }

    /// The number in a folder's index file; 0: there is none.
    fn indexed(&self, bucket: &Bucket, folder: &str) -> Result<u64, Failure> {
        let content = bucket.get(&DataPath::index_path(folder, self.writer.as_deref()), 0, 0)?.unwrap_or_default();
        let name = String::from_utf8_lossy(&content);
        Ok(FileName::parse(name.trim()).map_or(0, |(file, _)| file.index))
    }

    /// The newest file of each folder.
    pub(crate) fn newest(files: &[DataFile]) -> BTreeMap<String, String> {
        let mut newest: BTreeMap<String, String> = BTreeMap::new();
        for (folder, name) in files.iter().filter_map(|f| f.path.rsplit_once('/')) {
            let known = newest.entry(folder.to_owned()).or_default();
            if name > known.as_str() {
                name.clone_into(known);
            }
        }
        newest
    }

    /// Says that a folder has files up to this one, unless it says more already.
    pub(crate) fn publish_newer(&self, bucket: &Bucket, folder: &str, name: &str) -> Result<(), Failure> {
        let index = FileName::parse(name).map_or(0, |(file, _)| file.index);
        if self.indexed(bucket, folder)? >= index {
            return Ok(());
        }
        self.put_index(bucket, folder, name).map_err(settled)
    }

    /// Writes an index file, whatever it says now.
    pub(crate) fn put_index(&self, bucket: &Bucket, folder: &str, name: &str) -> Result<(), PutError> {
        let path = DataPath::index_path(folder, self.writer.as_deref());
        bucket.put(&path, format!("{name}\n").as_bytes(), &PutMode::Overwrite).map(drop)
    }
}

/// The failure of an object that may be written again.
pub(crate) fn settled(e: PutError) -> Failure {
    match Failure::from(e) {
        Failure::Unknown { message, after_ms, attrs } => Failure::Retryable { message, after_ms, attrs },
        other => other,
    }
}
