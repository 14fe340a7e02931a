//! The manifests of one lane: who owns it, what counts.
//!
//! Number n+1 is created, never overwritten, by whoever saw n: so one of two writers wins, and the other knows. A writer that was
//! away so long that its next number was created and removed again sees, behind what it creates, that others have gone on.

use tg_format_storage::{DataFile, Kind, Manifest};
use tidegate_sdk::object_store::{Bucket, PutError, PutMode};
use tidegate_sdk::{Failure, Position};

/// Manifests kept besides the newest. As long as a writer's next number is among them it is told at once that it lost.
const KEPT: u64 = 64;
/// Old manifests removed at a time.
const REMOVED_MAX: u32 = 32;
/// Tries to become the owner while others try too.
const CLAIMS_MAX: usize = 8;
/// Manifests listed at a time.
const PAGE: u32 = 1000;
/// Own manifests of an unknown outcome that may turn up in place of the next one.
const OWN_MAX: usize = 4;

/// Files of writers before that are remembered; a writer that begins is not two minutes old when it ends only if something is amiss.
const LATE_MAX: usize = 16_384;

/// See the module.
pub(crate) struct Chain {
    folder: String,
    /// Of the newest manifest, which is ours.
    number: u64,
    epoch: (u64, u64),
    writer: String,
    /// What counts up to here.
    position: Position,
    /// Commits since old ones were removed.
    since_trim: u64,
    /// A commit whose outcome is not known.
    open: Option<(String, Position)>,
    fenced: bool,
}

/// What was there before the claim.
pub(crate) struct Before {
    /// Rows up to here count; `None`: nobody has written.
    pub(crate) position: Option<Position>,
    /// Files of the newest commit: their indexes may not be written yet.
    pub(crate) committed: Vec<DataFile>,
    /// Files that may be there, or come yet, and do not count.
    pub(crate) unsure: Vec<String>,
}

impl Chain {
    /// Becomes the owner.
    pub(crate) fn claim(
        bucket: &Bucket,
        folder: String,
        epoch: (u64, u64),
        writer: String,
    ) -> Result<(Self, Before), Failure> {
        let mut chain = Self {
            folder,
            number: 0,
            epoch,
            writer,
            position: Position::default(),
            since_trim: KEPT,
            open: None,
            fenced: false,
        };
        for _ in 0..CLAIMS_MAX {
            let Some((number, head)) = chain.newest(bucket)? else { continue };
            if head.as_ref().is_some_and(|h| h.epoch > epoch) {
                return Err(chain.lost());
            }
            let mut unsure = head.as_ref().map(|h| h.late.clone()).unwrap_or_default();
            let open = head.iter().filter(|h| h.kind != Kind::Commit).flat_map(|h| &h.files);
            unsure.extend(open.map(|f| f.path.clone()));
            unsure.sort();
            unsure.dedup();
            unsure.truncate(LATE_MAX);
            let before = Before {
                position: head.as_ref().map(|h| h.position),
                committed: chain.newest_commit(bucket, number, head)?,
                unsure,
            };
            chain.number = number;
            chain.position = before.position.unwrap_or_default();
            match chain.append(bucket, Kind::Claim, chain.position, (Vec::new(), before.unsure.clone())) {
                Ok(()) => return Ok((chain, before)),
                // Somebody else was quicker: whether it is a newer one shows with the next look.
                Err(Failure::Fenced { .. }) => chain.fenced = false,
                Err(e) => return Err(e),
            }
        }
        Err(Failure::retryable("other writers claim the lane at the same time"))
    }

    /// Rows up to here count.
    pub(crate) const fn position(&self) -> Position {
        self.position
    }

    /// The newest number and its manifest, 0 for none; `None`: it was removed while it was looked at.
    fn newest(&self, bucket: &Bucket) -> Result<Option<(u64, Option<Manifest>)>, Failure> {
        let (mut last, mut after) = (0, String::new());
        loop {
            let page = bucket.list(&self.folder, &after, PAGE)?;
            last = page.iter().filter_map(|m| Manifest::number(&self.folder, &m.path)).fold(last, u64::max);
            match page.last() {
                Some(m) if page.len() >= PAGE as usize => after.clone_from(&m.path),
                _ => break,
            }
        }
        if last == 0 {
            return Ok(Some((0, None)));
        }
        let path = Manifest::path(&self.folder, last);
        let Some(content) = bucket.get(&path, 0, 0)? else { return Ok(None) };
        let manifest = Manifest::parse(&content);
        let manifest = manifest.map_err(|e| Failure::fatal("manifest", format!("the manifest {path}: {e}")))?;
        Ok(Some((last, Some(manifest))))
    }

    /// Files of the newest commit at or below this number that is kept.
    fn newest_commit(
        &self,
        bucket: &Bucket,
        mut number: u64,
        mut manifest: Option<Manifest>,
    ) -> Result<Vec<DataFile>, Failure> {
        while let Some(m) = manifest {
            if m.kind == Kind::Commit {
                return Ok(m.files);
            }
            number = number.saturating_sub(1);
            let content = bucket.get(&Manifest::path(&self.folder, number), 0, 0)?;
            manifest = content.and_then(|c| Manifest::parse(&c).ok());
        }
        Ok(Vec::new())
    }

    fn lost(&mut self) -> Failure {
        self.fenced = true;
        Failure::fenced(format!("another writer has taken over the lane of {} (TG-3303)", self.folder))
    }

    /// Creates the next manifest. Told to be retryable or unknown it is to be called again with the same.
    pub(crate) fn append(
        &mut self,
        bucket: &Bucket,
        kind: Kind,
        position: Position,
        (files, late): (Vec<DataFile>, Vec<String>),
    ) -> Result<(), Failure> {
        if self.fenced {
            return Err(self.lost());
        }
        let manifest = Manifest { kind, epoch: self.epoch, writer: self.writer.clone(), position, files, late };
        let text = manifest.text();
        for _ in 0..OWN_MAX {
            let path = Manifest::path(&self.folder, self.number + 1);
            let put = bucket.put(&path, text.as_bytes(), &PutMode::Create);
            let there = match put {
                Ok(_) => return self.appended(bucket, &path, kind, position),
                Err(PutError::Conflict) => bucket.get(&path, 0, 0)?,
                Err(PutError::Other(Failure::Unknown { message, .. })) => {
                    if kind == Kind::Commit {
                        self.open = Some((text.clone(), position));
                    }
                    let looked = bucket.get(&path, 0, 0);
                    match looked {
                        Ok(Some(there)) => Some(there),
                        // It may still arrive.
                        Ok(None) | Err(_) if kind == Kind::Commit => return Err(Failure::unknown(message)),
                        Ok(None) | Err(_) => return Err(Failure::retryable(message)),
                    }
                }
                Err(PutError::Other(e)) => return Err(e),
            };
            // Trimmed in between: others have gone on.
            let Some(there) = there else { return Err(self.lost()) };
            if there == text.as_bytes() {
                return self.appended(bucket, &path, kind, position);
            }
            match Manifest::parse(&there) {
                // Ours, from a try that was given up: it says nothing that is not so.
                Ok(m) if m.epoch == self.epoch && m.writer == self.writer && m.kind != Kind::Commit => self.number += 1,
                _ => return Err(self.lost()),
            }
        }
        Err(Failure::retryable("the manifests of earlier tries arrive one after another"))
    }

    /// The manifest at this path is ours, if nobody has gone on behind it.
    fn appended(&mut self, bucket: &Bucket, path: &str, kind: Kind, position: Position) -> Result<(), Failure> {
        if !bucket.list(&self.folder, path, 1)?.is_empty() {
            return Err(self.lost());
        }
        self.number += 1;
        self.position = position;
        if kind == Kind::Commit {
            self.open = None;
            self.trim(bucket);
        }
        Ok(())
    }

    /// Whether the lane still is ours.
    pub(crate) fn check(&mut self, bucket: &Bucket) -> Result<(), Failure> {
        let newest = Manifest::path(&self.folder, self.number);
        if self.fenced || !bucket.list(&self.folder, &newest, 1)?.is_empty() {
            return Err(self.lost());
        }
        Ok(())
    }

    /// A commit of unknown outcome has been made after all. True: there was one, and it has.
    pub(crate) fn settle(&mut self, bucket: &Bucket) -> Result<bool, Failure> {
        let Some((text, position)) = self.open.clone() else { return Ok(false) };
        let path = Manifest::path(&self.folder, self.number + 1);
        match bucket.get(&path, 0, 0)? {
            Some(there) if there == text.as_bytes() => {
                self.appended(bucket, &path, Kind::Commit, position)?;
                Ok(true)
            }
            Some(_) => Err(self.lost()),
            None => Ok(false),
        }
    }

    /// Removes manifests that nobody needs; what fails is done with a later commit.
    fn trim(&mut self, bucket: &Bucket) {
        self.since_trim += 1;
        if self.since_trim < u64::from(REMOVED_MAX) / 2 || self.number <= KEPT {
            return;
        }
        self.since_trim = 0;
        let Ok(oldest) = bucket.list(&self.folder, "", REMOVED_MAX) else { return };
        for object in oldest {
            let old = Manifest::number(&self.folder, &object.path).is_some_and(|n| n + KEPT < self.number);
            if old && bucket.delete(&object.path).is_err() {
                return;
            }
        }
    }
}
