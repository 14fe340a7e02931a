//! What the messages of one stream mean: the subscriptions on it and their matchers. No IO.

use super::effect::{EndCause, Input, Registration, StreamNo};
use super::matcher::{MatchError, Matcher};
use super::sink::Batch;
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use tg_model::{RawChange, SpanId, Ts};
use tg_proto::cdcpb::{ChangeDataEvent, Entries, Error, ResolvedTs, event};

/// Wait for reasons that a new try at once would not change.
const UNKNOWN_WAIT_MS: u64 = 0;

struct Entry {
    span: SpanId,
    matcher: Matcher,
    registration: Registration,
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
    /// Requests by region, on streams where a region fits once and resolved timestamps name no request.
    single: Option<HashMap<u64, u64, RandomState>>,
}

impl Rows {
    pub(super) fn new(stream: StreamNo, prefix_len: usize) -> Self {
        Self { stream, prefix_len, entries: HashMap::default(), single: None }
    }

    /// The stream turned out to carry each region once; subscriptions that do not fit are returned as ended.
    pub(super) fn set_single(&mut self) -> Vec<Input> {
        let mut single = HashMap::<u64, u64, RandomState>::default();
        let mut keys: Vec<_> = self.entries.keys().copied().collect();
        keys.sort_unstable();
        let mut out = Vec::new();
        for (request, region) in keys {
            if single.contains_key(&region) {
                self.entries.remove(&(request, region));
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
        let matcher = Matcher::new(registration.checkpoint, self.prefix_len);
        self.entries.insert((request, region), Entry { span: registration.span, matcher, registration });
        Ok(())
    }

    /// Forgets all regions of a request.
    pub(super) fn remove_request(&mut self, request: u64) {
        self.entries.retain(|(r, _), _| *r != request);
        if let Some(single) = &mut self.single {
            single.retain(|_, r| *r != request);
        }
    }

    fn remove(&mut self, request: u64, region: u64) -> Option<Entry> {
        let entry = self.entries.remove(&(request, region))?;
        if let Some(single) = &mut self.single {
            single.remove(&region);
        }
        Some(entry)
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

    /// Takes a message.
    pub(super) fn message(&mut self, message: ChangeDataEvent, out: &mut Harvest) {
        for event in message.events {
            let (request, region) = (event.request_id, event.region_id);
            match event.event {
                Some(event::Event::Entries(entries)) => self.entries(request, region, entries, out),
                Some(event::Event::Error(error)) => self.error(request, region, error, out),
                Some(event::Event::ResolvedTs(ts)) => self.resolved(request, vec![region], ts, out),
                None => {}
            }
        }
        if let Some(ResolvedTs { regions, ts, request_id }) = message.resolved_ts {
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
    }

    fn entries(&mut self, request: u64, region: u64, entries: Entries, out: &mut Harvest) {
        // Rows of a subscription that we have ended may still be under way.
        let Some(entry) = self.entries.get_mut(&(request, region)) else {
            return;
        };
        let (mut changes, spare) = take_batch(&mut out.batches, entry.span);
        if spare {
            changes.reserve(entries.entries.len());
        }
        let (before, was_initialized) = (changes.len(), entry.matcher.is_initialized());
        let mut broken = None;
        for row in entries.entries {
            if let Err(error) = entry.matcher.row(row, &mut changes) {
                broken = Some(error);
                break;
            }
        }
        let initialized = !was_initialized && entry.matcher.is_initialized();
        let weight: usize = changes.iter().skip(before).map(RawChange::weight_bytes).sum();
        put_batch(out, entry.span, changes, weight);
        let stream = self.stream;
        if initialized {
            out.news.push(Input::Initialized { stream, request, region });
        }
        if let Some(error) = broken {
            let fatal = matches!(error, MatchError::BelowResolved { .. } | MatchError::Order { .. });
            let cause = EndCause::Violation { detail: error.to_string(), fatal };
            self.remove(request, region);
            out.news.push(Input::Ended { stream, request, region, cause });
            out.broken = true;
        }
    }

    fn resolved(&mut self, request: u64, mut regions: Vec<u64>, ts: u64, out: &mut Harvest) {
        regions.retain(|r| self.entries.get_mut(&(request, *r)).is_some_and(|e| e.matcher.resolve(ts)));
        if !regions.is_empty() {
            out.news.push(Input::Resolved { stream: self.stream, request, regions, ts: Ts::new(ts) });
        }
    }

    fn error(&mut self, request: u64, region: u64, error: Error, out: &mut Harvest) {
        if self.remove(request, region).is_some() {
            out.news.push(Input::Ended { stream: self.stream, request, region, cause: cause_of(error) });
        }
    }
}

/// The changes collected for a span so far in this harvest, to be put back; `true`: a new list.
fn take_batch(batches: &mut [Batch], span: SpanId) -> (Vec<RawChange>, bool) {
    match batches.iter_mut().rev().find(|b| b.span == span) {
        Some(batch) => (std::mem::take(&mut batch.changes), false),
        None => (Vec::new(), true),
    }
}

fn put_batch(out: &mut Harvest, span: SpanId, changes: Vec<RawChange>, added_bytes: usize) {
    out.weight_bytes += added_bytes;
    if let Some(batch) = out.batches.iter_mut().rev().find(|b| b.span == span) {
        batch.changes = changes;
        batch.weight_bytes += added_bytes;
    } else if !changes.is_empty() {
        out.batches.push(Batch { span, changes, weight_bytes: added_bytes });
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
