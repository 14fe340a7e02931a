//! The spilled part of one sorter: write, read back page by page, give back.

use crate::SorterError;
use crate::codec::{self, Record};
use crate::entry::Order;
use crate::reclaim::Buckets;
use crate::store::SorterStore;
use bytes::Bytes;
use rocksdb::WriteBatch;
use std::sync::Arc;
use tg_model::{RawChange, SpanId, TableId, Ts};

/// Size of one write into RocksDB.
const WRITE_BYTES: usize = 1 << 20;
/// How much is read back at a time; a single greater change is read whole. Iterators live only that
/// long, so that they never pin dead files.
const PAGE_BYTES: usize = 512 << 10;
/// Dead bytes that make it worth to write a range tombstone and drop files.
const DEAD_BYTES: u64 = 64 << 20;

/// A change read back, with its span and table.
pub(crate) type Spilled = (SpanId, TableId, RawChange);

/// The spilled part of a sorter.
pub(crate) struct Disk {
    store: Arc<SorterStore>,
    sorter: u64,
    buckets: Buckets,
    /// Forgotten but not deleted yet.
    dead_bytes: u64,
    /// No unread record lies outside `low..=high`.
    low: Ts,
    high: Ts,
    /// First key that has not been read.
    resume: Vec<u8>,
    /// Records read and not taken, in order.
    page: Vec<Spilled>,
    page_from: usize,
    pub(crate) page_bytes: usize,
}

impl Disk {
    pub(crate) fn new(store: Arc<SorterStore>, sorter: u64) -> Self {
        Self {
            store,
            sorter,
            buckets: Buckets::default(),
            dead_bytes: 0,
            low: Ts::MAX,
            high: Ts::ZERO,
            resume: Vec::new(),
            page: Vec::new(),
            page_from: 0,
            page_bytes: 0,
        }
    }

    /// Bytes written and not forgotten.
    pub(crate) fn bytes(&self) -> u64 {
        self.buckets.bytes()
    }

    /// Writes changes of one span. On an error some of them may be on disk already; writing them again
    /// replaces them.
    pub(crate) fn write<'a>(
        &mut self,
        span: SpanId,
        table: TableId,
        changes: impl Iterator<Item = &'a RawChange> + Clone,
    ) -> Result<(), SorterError> {
        let need_bytes = changes.clone().map(codec::record_bytes).sum();
        self.store.reserve_disk(need_bytes)?;
        let Some(max) = changes.clone().map(|c| c.commit_ts).max() else {
            return Ok(());
        };
        // Counted before it is written: what a failed write leaves behind is deleted in its time.
        self.buckets.add(max, need_bytes);
        let mut batch = WriteBatch::default();
        let (mut key, mut value) = (Vec::new(), Vec::new());
        let mut least: Option<Vec<u8>> = None;
        for c in changes {
            codec::key(self.sorter, Order::of(table, c), &mut key);
            codec::value(span, c, &mut value);
            batch.put(&key, &value);
            if least.as_ref().is_none_or(|l| key < *l) {
                least = Some(key.clone());
                self.low = self.low.min(c.commit_ts);
            }
            if batch.size_in_bytes() >= WRITE_BYTES {
                self.store.write(self.sorter, std::mem::take(&mut batch), "spill changes")?;
            }
        }
        self.store.write(self.sorter, batch, "spill changes")?;
        self.high = self.high.max(max);
        if let Some(least) = least {
            self.rewind(least);
        }
        Ok(())
    }

    /// Makes sure that a newly written key is read.
    fn rewind(&mut self, least: Vec<u8>) {
        if least >= self.resume {
            return;
        }
        self.resume = least;
        if let Some((_, table, c)) = self.page.get(self.page_from) {
            // The rest of the page is read again with what came between.
            let mut first = Vec::new();
            codec::key(self.sorter, Order::of(*table, c), &mut first);
            self.low = self.low.min(c.commit_ts);
            self.high = self.page.last().map_or(self.high, |(_, _, c)| self.high.max(c.commit_ts));
            self.resume = first.min(std::mem::take(&mut self.resume));
            self.drop_page();
        }
    }

    fn drop_page(&mut self) {
        self.page.clear();
        self.page_from = 0;
        self.page_bytes = 0;
    }

    /// Makes [`Self::head`] true for `upto`.
    pub(crate) fn prepare(&mut self, upto: Ts) -> Result<(), SorterError> {
        if self.page_from < self.page.len() || self.low > upto || self.low > self.high {
            return Ok(());
        }
        self.drop_page();
        self.read_page(upto)
    }

    fn read_page(&mut self, upto: Ts) -> Result<(), SorterError> {
        let what = "read spilled changes back";
        let options = SorterStore::read_options(codec::bound_after(self.sorter, upto), PAGE_BYTES);
        let mut iter = self.store.instance(self.sorter, what)?.raw_iterator_opt(options);
        let from = self.resume.clone().max(codec::bound(self.sorter, self.low));
        iter.seek(&from);
        let mut page = Vec::with_capacity(PAGE_BYTES);
        let mut records: Vec<Record> = Vec::new();
        let mut more = None;
        while let Some((key, value)) = iter.item() {
            let full = page.len() + key.len() + value.len() > PAGE_BYTES && !records.is_empty();
            if full {
                more = Some(key.to_vec());
                break;
            }
            records.push(codec::record(key, value, &mut page)?);
            iter.next();
        }
        iter.status().map_err(SorterError::disk(what))?;
        drop(iter);
        let page = Bytes::from(page);
        self.page.extend(records.iter().map(|r| r.change(&page)));
        self.page_bytes = page.len() + self.page.len() * RawChange::OVERHEAD_BYTES;
        self.resume = more.unwrap_or_else(|| codec::bound_after(self.sorter, upto));
        self.low = self.page.last().map_or(upto.next(), |(_, _, c)| c.commit_ts);
        if self.resume == codec::bound_after(self.sorter, upto) {
            self.low = upto.next();
        }
        Ok(())
    }

    /// The next record, read already.
    #[inline]
    pub(crate) fn head(&self) -> Option<&Spilled> {
        self.page.get(self.page_from)
    }

    /// Takes what [`Self::head`] shows.
    pub(crate) fn take(&mut self) -> Option<Spilled> {
        let blank = (SpanId(0), TableId(0), crate::batch::blank());
        let taken = self.page.get_mut(self.page_from).map(|s| std::mem::replace(s, blank));
        self.page_from += 1;
        if self.page_from >= self.page.len() {
            self.drop_page();
        }
        taken
    }

    /// Whether records at or below `upto` may be left.
    pub(crate) fn has(&self, upto: Ts) -> bool {
        self.page_from < self.page.len() || (self.low <= upto && self.low <= self.high)
    }

    /// Gives back what lies at or below `upto` and has been taken.
    pub(crate) fn forget(&mut self, upto: Ts) -> Result<(), SorterError> {
        let unread = self.head().map_or(self.low, |(_, _, c)| c.commit_ts.min(self.low));
        let upto = if unread <= self.high || self.head().is_some() { upto.min(unread.prev()) } else { upto };
        let freed = self.buckets.forget(upto);
        self.dead_bytes += freed;
        self.store.release_disk(freed);
        let worth = self.dead_bytes >= DEAD_BYTES.min(self.store.cfg().disk_limit_bytes / 8);
        if self.dead_bytes > 0 && (worth || self.buckets.bytes() == 0) {
            self.delete(&codec::bound(self.sorter, Ts::ZERO), &codec::bound_after(self.sorter, upto))?;
        }
        Ok(())
    }

    /// Drops whole files first, then covers the rest with one tombstone, which replaces the one before.
    fn delete(&mut self, from: &[u8], to: &[u8]) -> Result<(), SorterError> {
        let what = "delete released changes";
        self.store.instance(self.sorter, what)?.delete_file_in_range(from, to).map_err(SorterError::disk(what))?;
        let mut batch = WriteBatch::default();
        batch.delete_range(from, to);
        self.store.write(self.sorter, batch, what)?;
        self.dead_bytes = 0;
        Ok(())
    }

    /// Gives everything back.
    pub(crate) fn clear(&mut self) -> Result<(), SorterError> {
        self.drop_page();
        (self.low, self.high) = (Ts::MAX, Ts::ZERO);
        let freed = self.buckets.forget(Ts::MAX);
        self.dead_bytes += freed;
        self.store.release_disk(freed);
        if self.dead_bytes == 0 {
            return Ok(());
        }
        self.delete(&codec::bound(self.sorter, Ts::ZERO), &codec::bound_after(self.sorter, Ts::MAX))
    }
}
