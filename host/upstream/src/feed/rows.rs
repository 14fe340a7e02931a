//! What the messages of one stream mean: the subscriptions on it and their matchers. No IO.

use super::budget::Budget;
use super::effect::{EndCause, Input, Registration, StreamNo};
use super::held::HoldError;
use super::matcher::{MatchError, Matcher, Output};
use super::meters::RegionCount;
use super::sink::Batch;
use super::spill::Tape;
use super::wire::{Body, Malformed, Piece, Reader, Top, whole};
use bytes::Bytes;
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use prost::Message as _;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tg_model::{RawChange, SpanId, Ts};
use tg_proto::cdcpb::{Error, ResolvedTs};

/// Wait for reasons that a new try at once would not change.
const UNKNOWN_WAIT_MS: u64 = 0;
/// Changes that are taken out at once; a message that holds more is taken in parts.
pub(super) const HARVEST_BYTES: usize = 2 << 20;
/// Received bytes between two sweeps. A prewrite keeps its message for two sweeps at most, so a stream
/// keeps about twice this in messages, and a message on top.
const SWEEP_BYTES: usize = 2 << 20;
/// Most changes that room is made for beforehand.
const RESERVE_MAX: usize = 4096;

struct Entry {
    span: SpanId,
    matcher: Matcher,
    registration: Registration,
    /// Noted for the next sweep.
    swept: bool,
    _count: RegionCount,
}

/// How far a message has been taken in.
#[derive(Default)]
struct Cursor {
    message: Bytes,
    rest: Piece,
    /// Lists of rows of the event at hand, and whose they are.
    lists: VecDeque<Piece>,
    request: u64,
    region: u64,
}

/// What messages came to, in order: first the batches, then the news.
#[derive(Default)]
pub(super) struct Harvest {
    pub(super) batches: Vec<Batch>,
    pub(super) news: Vec<Input>,
    pub(super) weight_bytes: usize,
    /// A subscription broke the rules: the stream cannot go on, its late rows could not be told from new ones.
    pub(super) broken: bool,
}

/// See the module.
pub(super) struct Rows {
    stream: StreamNo,
    prefix_len: usize,
    entries: HashMap<(u64, u64), Entry, RandomState>,
    budget: Arc<Budget>,
    tape: Tape,
    cursor: Cursor,
    /// Places of lists, for reuse.
    lists: Vec<Piece>,
    unswept_bytes: usize,
    to_sweep: Vec<(u64, u64)>,
    /// Requests by region, on streams where a region fits once and resolved timestamps name no request.
    single: Option<HashMap<u64, u64, RandomState>>,
}

impl Rows {
    pub(super) fn new(stream: StreamNo, prefix_len: usize, budget: Arc<Budget>) -> Self {
        Self {
            stream,
            prefix_len,
            entries: HashMap::default(),
            tape: budget.tape(),
            budget,
            cursor: Cursor::default(),
            lists: Vec::new(),
            unswept_bytes: 0,
            to_sweep: Vec::new(),
            single: None,
        }
    }

    /// The stream turned out to carry each region once; subscriptions that do not fit are returned as ended.
    pub(super) fn set_single(&mut self) -> Vec<Input> {
        let mut single = HashMap::<u64, u64, RandomState>::default();
        let mut keys: Vec<_> = self.entries.keys().copied().collect();
        keys.sort_unstable();
        let mut out = Vec::new();
        for (request, region) in keys {
            if single.contains_key(&region) {
                self.forget((request, region));
                out.push(self.elsewhere(request, region));
            } else {
                single.insert(region, request);
            }
        }
        self.single = Some(single);
        out
    }

    fn elsewhere(&self, request: u64, region: u64) -> Input {
        Input::Ended { stream: self.stream, request, region, cause: EndCause::Transient { wait_ms: 0 } }
    }

    /// Takes a subscription; on refusal tells what to answer.
    pub(super) fn add(&mut self, registration: Registration) -> Result<(), Input> {
        let (request, region) = (registration.request, registration.region.id);
        if let Some(single) = &mut self.single {
            if single.contains_key(&region) {
                return Err(self.elsewhere(request, region));
            }
            single.insert(region, request);
        }
        let matcher = Matcher::new(registration.checkpoint, self.prefix_len, Arc::clone(&self.budget));
        let entry = Entry {
            span: registration.span,
            matcher,
            registration,
            swept: false,
            _count: RegionCount::new(self.budget.meters()),
        };
        if let Some(mut old) = self.entries.insert((request, region), entry) {
            old.matcher.discard(&mut self.tape);
        }
        Ok(())
    }

    /// Forgets all regions of a request.
    pub(super) fn remove_request(&mut self, request: u64) {
        let gone: Vec<_> = self.entries.keys().filter(|(r, _)| *r == request).copied().collect();
        for key in gone {
            self.forget(key);
        }
        if let Some(single) = &mut self.single {
            single.retain(|_, r| *r != request);
        }
    }

    fn forget(&mut self, key: (u64, u64)) -> bool {
        let Some(mut entry) = self.entries.remove(&key) else {
            return false;
        };
        entry.matcher.discard(&mut self.tape);
        true
    }

    fn remove(&mut self, request: u64, region: u64) -> bool {
        if let Some(single) = &mut self.single {
            single.remove(&region);
        }
        self.forget((request, region))
    }

    /// Prewrites that wait for their end.
    #[cfg(test)]
    pub(super) fn pending(&self) -> usize {
        self.entries.values().map(|e| e.matcher.pending()).sum()
    }

    /// What is subscribed.
    pub(super) fn registrations(&self) -> impl Iterator<Item = &Registration> {
        self.entries.values().map(|e| &e.registration)
    }

    /// Whether rows lie on disk: taking in more of them may wait for it.
    pub(super) fn uses_disk(&self) -> bool {
        !self.tape.is_empty() || (self.budget.is_over() && self.tape.can_spill())
    }

    /// A message has come; what is left of the one before is dropped.
    pub(super) fn put(&mut self, message: Bytes) {
        self.unswept_bytes += message.len();
        self.budget.meters().received_bytes.fetch_add(message.len() as u64, Ordering::Relaxed);
        self.cursor.rest = whole(&message);
        self.cursor.lists.clear();
        self.cursor.message = message;
    }

    /// Takes in the message until `out` is full; `true` when it is done.
    ///
    /// # Errors
    /// When the message cannot be read: the stream cannot be trusted.
    pub(super) fn step(&mut self, out: &mut Harvest) -> Result<bool, Malformed> {
        loop {
            if out.broken {
                return Ok(true);
            }
            if let Some(list) = self.cursor.lists.pop_front() {
                if let Some(rest) = self.rows(list, out)? {
                    self.cursor.lists.push_front(rest);
                    return Ok(false);
                }
                continue;
            }
            let message = self.cursor.message.clone();
            let mut top = Reader::new(&message, self.cursor.rest);
            let field = top.top()?;
            self.cursor.rest = top.rest();
            match field {
                Some(Top::Event(part)) => self.event(&message, part, out)?,
                Some(Top::Resolved(part)) => {
                    let bytes = message.slice(part.at as usize..part.end() as usize);
                    self.resolved_message(ResolvedTs::decode(bytes).map_err(|_| Malformed::new(part))?, out);
                }
                None => break,
            }
        }
        self.cursor.message = Bytes::new();
        if self.unswept_bytes >= SWEEP_BYTES {
            self.sweep(out);
        }
        Ok(true)
    }

    fn event(&mut self, message: &Bytes, part: Piece, out: &mut Harvest) -> Result<(), Malformed> {
        let mut lists = std::mem::take(&mut self.lists);
        let event = Reader::new(message, part).event(&mut lists)?;
        let (request, region) = (event.request, event.region);
        match event.body {
            Body::Entries => {
                (self.cursor.request, self.cursor.region) = (request, region);
                self.cursor.lists.extend(lists.drain(..));
            }
            Body::Error(part) => {
                let bytes = message.slice(part.at as usize..part.end() as usize);
                self.error(request, region, Error::decode(bytes).map_err(|_| Malformed::new(part))?, out);
            }
            Body::Resolved(ts) => self.resolved(request, vec![region], ts, out),
            Body::None => {}
        }
        lists.clear();
        self.lists = lists;
        Ok(())
    }

    fn resolved_message(&mut self, message: ResolvedTs, out: &mut Harvest) {
        let ResolvedTs { regions, ts, request_id } = message;
        match &self.single {
            Some(single) if request_id == 0 => {
                let named: Vec<_> = regions.iter().filter_map(|r| Some((*single.get(r)?, *r))).collect();
                for (request, region) in named {
                    self.resolved(request, vec![region], ts, out);
                }
            }
            _ => self.resolved(request_id, regions, ts, out),
        }
    }

    /// Takes in a list of rows until `out` is full; what is left of it then.
    fn rows(&mut self, list: Piece, out: &mut Harvest) -> Result<Option<Piece>, Malformed> {
        let (stream, request, region) = (self.stream, self.cursor.request, self.cursor.region);
        // Rows of a subscription that we have ended may still be under way.
        let Some(entry) = self.entries.get_mut(&(request, region)) else {
            return Ok(None);
        };
        let span = entry.span;
        let mut output = Output { changes: take_batch(&mut out.batches, span), weight_bytes: 0 };
        let room = HARVEST_BYTES.saturating_sub(out.weight_bytes);
        let mut reader = Reader::new(&self.cursor.message, list);
        let mut initialized = false;
        let end = loop {
            if entry.matcher.is_replaying() {
                match entry.matcher.replay(room, &mut self.tape, &mut output) {
                    Ok(true) => initialized = true,
                    Ok(false) => break Ok(Some(reader.rest())),
                    Err(error) => break Err(error),
                }
            }
            if output.weight_bytes >= room && !reader.is_done() {
                break Ok(Some(reader.rest()));
            }
            let before = reader.rest();
            let Some(row) = reader.row()? else {
                break Ok(None);
            };
            if let Err(error) = entry.matcher.row(&row, &self.cursor.message, &mut self.tape, &mut output) {
                break Err(error);
            }
            if output.changes.len() == 1 {
                // The first of many, by its size.
                let rows = before.len / (before.len - reader.rest().len).max(1);
                output.changes.reserve((rows as usize).min(RESERVE_MAX));
            }
        };
        entry.matcher.account();
        if !entry.swept && entry.matcher.has_young() {
            entry.swept = true;
            self.to_sweep.push((request, region));
        }
        put_batch(out, span, output);
        if initialized {
            out.news.push(Input::Initialized { stream, request, region });
        }
        match end {
            Ok(rest) => Ok(rest),
            Err(error) => {
                self.broken(request, region, error, out);
                Ok(None)
            }
        }
    }

    fn broken(&mut self, request: u64, region: u64, error: MatchError, out: &mut Harvest) {
        let cause = match error {
            MatchError::Hold(error) => EndCause::Hold(error),
            MatchError::BelowResolved { .. } | MatchError::Order { .. } => {
                EndCause::Violation { detail: error.to_string(), fatal: true }
            }
            MatchError::NoPrewrite { .. } => EndCause::Violation { detail: error.to_string(), fatal: false },
        };
        out.broken |= matches!(cause, EndCause::Violation { .. });
        self.remove(request, region);
        out.news.push(Input::Ended { stream: self.stream, request, region, cause });
    }

    /// Makes rows that have waited for long independent of their messages.
    fn sweep(&mut self, out: &mut Harvest) {
        self.unswept_bytes = 0;
        let mut failed: Vec<((u64, u64), HoldError)> = Vec::new();
        let (entries, tape) = (&mut self.entries, &mut self.tape);
        self.to_sweep.retain(|key| {
            let Some(entry) = entries.get_mut(key) else {
                return false;
            };
            if let Err(error) = entry.matcher.sweep(tape) {
                failed.push((*key, error));
            }
            entry.swept = entry.matcher.has_young();
            entry.swept
        });
        for ((request, region), error) in failed {
            self.broken(request, region, error.into(), out);
        }
    }

    fn resolved(&mut self, request: u64, mut regions: Vec<u64>, ts: u64, out: &mut Harvest) {
        regions.retain(|r| self.entries.get_mut(&(request, *r)).is_some_and(|e| e.matcher.resolve(ts)));
        if !regions.is_empty() {
            out.news.push(Input::Resolved { stream: self.stream, request, regions, ts: Ts::new(ts) });
        }
    }

    fn error(&mut self, request: u64, region: u64, error: Error, out: &mut Harvest) {
        if self.remove(request, region) {
            out.news.push(Input::Ended { stream: self.stream, request, region, cause: cause_of(error) });
        }
    }
}

/// The changes collected for a span so far in this harvest, to be put back.
fn take_batch(batches: &mut [Batch], span: SpanId) -> Vec<RawChange> {
    batches.iter_mut().rev().find(|b| b.span == span).map_or_else(Vec::new, |b| std::mem::take(&mut b.changes))
}

fn put_batch(out: &mut Harvest, span: SpanId, added: Output) {
    let Output { changes, weight_bytes } = added;
    out.weight_bytes += weight_bytes;
    if let Some(batch) = out.batches.iter_mut().rev().find(|b| b.span == span) {
        batch.changes = changes;
        batch.weight_bytes += weight_bytes;
    } else if !changes.is_empty() {
        out.batches.push(Batch { span, changes, weight_bytes });
    }
}

fn cause_of(error: Error) -> EndCause {
    if let Some(e) = error.not_leader {
        return EndCause::NotLeader(e.leader.filter(|l| l.store_id != 0));
    }
    if error.epoch_not_match.is_some() || error.region_not_found.is_some() {
        return EndCause::RangeChanged;
    }
    if let Some(e) = error.server_is_busy {
        return EndCause::Transient { wait_ms: e.backoff_ms };
    }
    if error.duplicate_request.is_some() {
        return EndCause::Duplicate;
    }
    if let Some(e) = error.compatibility {
        return EndCause::Compatibility { required: e.required_version };
    }
    if let Some(e) = error.cluster_id_mismatch {
        return EndCause::ClusterId { current: e.current, asked: e.request };
    }
    EndCause::Transient { wait_ms: UNKNOWN_WAIT_MS }
}
