//! A folder as a store.

use crate::error::{StoreError, of_io};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::UNIX_EPOCH;
use tg_plugin::grant::{ObjectMeta, PutMode};

/// Ends the names of files that are not whole yet; no list shows them.
const UNFINISHED: &str = ".tidegate-unfinished";

/// Tells unfinished files of this process apart.
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// Below one folder.
#[derive(Clone)]
pub(crate) struct Folder {
    root: PathBuf,
}

/// What a put made, or why it did not.
pub(crate) enum Put {
    Done(ObjectMeta),
    Conflict,
}

impl Folder {
    pub(crate) fn new(root: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(root).map_err(|e| of_io(root.display().to_string(), &e))?;
        Ok(Self { root: root.to_owned() })
    }

    fn what(doing: &str, path: &Path) -> String {
        format!("{doing} {}", path.display())
    }

    pub(crate) fn put(&self, path: &str, data: &[u8], mode: &PutMode) -> Result<Put, StoreError> {
        let at = self.root.join(path);
        let failed = |e: std::io::Error| of_io(Self::what("put", &at), &e);
        if let PutMode::IfMatch(_) = mode {
            let cause = "a folder knows no versions of its files".to_owned();
            return Err(StoreError::Refused { what: Self::what("put", &at), cause });
        }
        let made = self.unfinished(&at).and_then(|(new, mut file)| {
            file.write_all(data)?;
            Ok((new, file))
        });
        let (new, file) = made.map_err(failed)?;
        self.finish(&new, &file, path, *mode == PutMode::Create)
    }

    /// A file beside the place, to be moved there when it is whole.
    pub(crate) fn unfinished(&self, at: &Path) -> std::io::Result<(PathBuf, File)> {
        let folder = at.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder)?;
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let new = folder.join(format!(".{}-{number}{UNFINISHED}", std::process::id()));
        // A process of the same id may have left one.
        let file = File::create(&new)?;
        Ok((new, file))
    }

    pub(crate) fn begin(&self, path: &str) -> Result<(PathBuf, File), StoreError> {
        let at = self.root.join(path);
        self.unfinished(&at).map_err(|e| of_io(Self::what("upload", &at), &e))
    }

    /// Moves a whole file to its place; with `create` only where nothing is.
    pub(crate) fn finish(&self, new: &Path, file: &File, path: &str, create: bool) -> Result<Put, StoreError> {
        let at = self.root.join(path);
        let moved = file.sync_all().and_then(|()| {
            if !create {
                return fs::rename(new, &at).map(|()| true);
            }
            // A link is made only where nothing is.
            let linked = match fs::hard_link(new, &at) {
                Ok(()) => true,
                Err(e) if e.kind() == ErrorKind::AlreadyExists => false,
                Err(e) => return Err(e),
            };
            fs::remove_file(new)?;
            Ok(linked)
        });
        let moved = moved.and_then(|moved| sync_folders(&self.root, &at).map(|()| moved));
        match moved {
            Ok(true) => self.head(path)?.map(Put::Done).ok_or_else(|| {
                let cause = "it is gone again".to_owned();
                StoreError::Unavailable { what: Self::what("put", &at), cause }
            }),
            Ok(false) => Ok(Put::Conflict),
            Err(e) => {
                let _ = fs::remove_file(new);
                Err(of_io(Self::what("put", &at), &e))
            }
        }
    }

    pub(crate) fn get(&self, path: &str, offset: u64, length: u64) -> Result<Option<Bytes>, StoreError> {
        let at = self.root.join(path);
        let read = || {
            let mut file = File::open(&at)?;
            file.seek(SeekFrom::Start(offset))?;
            let mut data = Vec::new();
            file.take(length).read_to_end(&mut data)?;
            Ok(data)
        };
        match read() {
            Ok(data) => Ok(Some(data.into())),
            Err(e) if gone(&e) => Ok(None),
            Err(e) => Err(of_io(Self::what("get", &at), &e)),
        }
    }

    pub(crate) fn head(&self, path: &str) -> Result<Option<ObjectMeta>, StoreError> {
        let at = self.root.join(path);
        match fs::metadata(&at) {
            Ok(m) if m.is_file() => Ok(Some(meta(path, &m))),
            Ok(_) => Ok(None),
            Err(e) if gone(&e) => Ok(None),
            Err(e) => Err(of_io(Self::what("head", &at), &e)),
        }
    }

    pub(crate) fn delete(&self, path: &str) -> Result<(), StoreError> {
        let at = self.root.join(path);
        match fs::remove_file(&at) {
            Ok(()) => {}
            Err(e) if gone(&e) => {}
            Err(e) => return Err(of_io(Self::what("delete", &at), &e)),
        }
        // Folders that are empty now go too, as stores have none.
        let mut folder = at.parent();
        while let Some(empty) = folder.filter(|f| *f != self.root && f.starts_with(&self.root)) {
            if fs::remove_dir(empty).is_err() {
                break;
            }
            folder = empty.parent();
        }
        Ok(())
    }

    /// The first files in order of path, those behind `after`. The order within folders is nobody's: all names pass by.
    pub(crate) fn list(&self, prefix: &str, after: &str, limit: usize) -> Result<Vec<ObjectMeta>, StoreError> {
        let mut first: BTreeMap<String, ObjectMeta> = BTreeMap::new();
        let start = prefix.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
        let mut folders = vec![start];
        while let Some(below) = folders.pop() {
            let folder = self.root.join(&below);
            let failed = |e: &std::io::Error| of_io(Self::what("list", &folder), e);
            let entries = match fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(e) if gone(&e) => continue,
                Err(e) => return Err(failed(&e)),
            };
            for entry in entries {
                let entry = entry.map_err(|e| failed(&e))?;
                let Ok(name) = entry.file_name().into_string() else { continue };
                let path = format!("{below}{name}");
                let found = match entry.metadata() {
                    Ok(found) => found,
                    Err(e) if gone(&e) => continue,
                    Err(e) => return Err(failed(&e)),
                };
                if found.is_dir() {
                    let path = path + "/";
                    let leads = path.starts_with(prefix) || prefix.starts_with(&path);
                    let behind = path.as_str() > after || after.starts_with(&path);
                    if leads && behind {
                        folders.push(path);
                    }
                } else if path.starts_with(prefix) && path.as_str() > after && !name.ends_with(UNFINISHED) {
                    first.insert(path.clone(), meta(&path, &found));
                    if first.len() > limit {
                        first.pop_last();
                    }
                }
            }
        }
        Ok(first.into_values().collect())
    }
}

fn gone(e: &std::io::Error) -> bool {
    matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn meta(path: &str, m: &fs::Metadata) -> ObjectMeta {
    let modified = m.modified().ok().and_then(|t| t.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    let etag = Some(format!("{:x}-{:x}", modified.as_nanos(), m.len()));
    let modified_ms = u64::try_from(modified.as_millis()).unwrap_or(u64::MAX);
    ObjectMeta { path: path.to_owned(), size: m.len(), etag, modified_ms }
}

/// A name is on the disk when its folder is, and that when its own folder is.
fn sync_folders(root: &Path, at: &Path) -> std::io::Result<()> {
    let mut folder = at.parent();
    while let Some(above) = folder.filter(|f| f.starts_with(root)) {
        File::open(above)?.sync_all()?;
        folder = above.parent();
    }
    Ok(())
}
