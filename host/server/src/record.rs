//! Changefeeds as stored, and as the API shows them.

use crate::ServerError;
use crate::choice::Choice;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use tg_api::{Changefeed, FeedState};
use tg_config::uri::Family;
use tg_config::{ChangefeedConfig, SinkUri};
use tg_metastore as meta;
use tg_model::{ChangefeedId, Ts};

/// Slots of a changefeed that does not say.
const SLOTS_MYSQL: u16 = 4;
const SLOTS_OTHER: u16 = 2;
/// Lanes of all slots together for a MySQL sink that does not say: TiCDC's `worker-count`.
const MYSQL_WORKERS: u32 = 16;
/// Names the incarnation in a record.
pub(crate) const INCARNATION_FIELD: &str = "incarnation";
/// Names the number of the run in a record.
const RUN_FIELD: &str = "run";
/// Names the upstream's cluster id in a record.
const UPSTREAM_FIELD: &str = "upstream-id";
/// Names the choices of plugins in a record.
/// Names slots that are pinned.
const PINS_FIELD: &str = "pins";
/// Names up to where rows may be repeated.
pub(crate) const REPEAT_FIELD: &str = "repeat-until";
const CHOICES_FIELD: &str = "choices";
/// Choices that a record holds: the one that runs, the one before it, and the one that is taking over.
const CHOICES_MAX: usize = 3;
/// Most lanes of a slot.
const LANES_MAX: u32 = 64;

/// How a changefeed is laid out; fixed when it is created.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Layout {
    pub(crate) slots: u16,
    pub(crate) lanes: u16,
}

impl Layout {
    pub(crate) fn choose(uri: &SinkUri, config: &ChangefeedConfig) -> Self {
        let sql = matches!(uri.scheme.family(), Family::Mysql | Family::Postgres);
        let slots = config.tidegate.slots.unwrap_or(if sql { SLOTS_MYSQL } else { SLOTS_OTHER }).max(1);
        let in_file = config.sink.mysql_config.as_ref().and_then(|c| c.worker_count);
        let workers =
            uri.number("worker-count").and_then(|n| u32::try_from(n).ok()).or(in_file).unwrap_or(MYSQL_WORKERS);
        let shared = if sql { (workers / u32::from(slots)).clamp(1, LANES_MAX) } else { 1 };
        let lanes = config.tidegate.lanes.unwrap_or(shared as u16).max(1);
        Self { slots, lanes }
    }

    fn to_fields(self) -> Map<String, Value> {
        let mut fields = Map::new();
        fields.insert("slots".to_owned(), json!(self.slots));
        fields.insert("lanes".to_owned(), json!(self.lanes));
        fields
    }

    fn from_fields(fields: &Map<String, Value>) -> Option<Self> {
        let number = |name: &str| fields.get(name)?.as_u64().and_then(|n| u16::try_from(n).ok()).filter(|n| *n > 0);
        Some(Self { slots: number("slots")?, lanes: number("lanes")? })
    }
}

/// A changefeed's record, read.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) start_ts: Ts,
    pub(crate) target_ts: Option<Ts>,
    pub(crate) uri: SinkUri,
    pub(crate) config: Arc<ChangefeedConfig>,
    pub(crate) layout: Layout,
    pub(crate) state: FeedState,
    pub(crate) error: Option<tg_api::FeedError>,
    pub(crate) created: Timestamp,
    /// Made up when it is created and when its checkpoint is set by hand: positions kept downstream under another are not its own.
    pub(crate) incarnation: String,
    /// Rises whenever it is started or resumed by hand; 1 in records of versions that did not write it.
    pub(crate) run: u64,
    /// The upstream it reads; none in records of versions that did not write it.
    pub(crate) upstream_id: Option<u64>,
    /// The plugins it runs first, then those that are taking over; none in records of versions that did not write them.
    pub(crate) choices: Vec<Choice>,
    /// Rows up to here may be downstream already without a trace of who wrote them: the positions were kept under another incarnation.
    pub(crate) repeat_until: Ts,
    /// Slots that are to be on a certain node, by its id, while it is there.
    pub(crate) pins: BTreeMap<u16, String>,
}

impl Record {
    pub(crate) fn read(info: &meta::ChangefeedInfo) -> Result<Self, ServerError> {
        let uri = SinkUri::parse(&info.sink_uri)?;
        let config = Arc::new(ChangefeedConfig::from_stored(&info.config)?);
        let layout = Layout::from_fields(&info.other).unwrap_or_else(|| Layout::choose(&uri, &config));
        Ok(Self {
            start_ts: info.start_ts,
            target_ts: info.target_ts,
            uri,
            config,
            layout,
            state: state_of(info.state),
            error: info.error.as_ref().map(error_of),
            created: at_ms(info.created_ms),
            incarnation: info.other.get(INCARNATION_FIELD).and_then(Value::as_str).unwrap_or_default().to_owned(),
            run: info.other.get(RUN_FIELD).and_then(Value::as_u64).unwrap_or(1),
            upstream_id: info.other.get(UPSTREAM_FIELD).and_then(Value::as_u64),
            choices: choices(&info.other),
            pins: pins(&info.other),
            repeat_until: Ts::new(info.other.get(REPEAT_FIELD).and_then(Value::as_u64).unwrap_or_default()),
        })
    }

    /// The choice that progress is stored under: it runs from there on, whatever was meant to take over or had.
    pub(crate) fn chosen(&self, label: &str) -> Option<&Choice> {
        self.choices.iter().find(|c| c.label == label).or_else(|| self.choices.first())
    }

    /// This choice is what runs, and its configuration the changefeed's.
    pub(crate) fn settle(&mut self, choice: Choice) {
        self.config = Arc::clone(&choice.config);
        self.choices = vec![choice];
    }

    /// `next` is about to take over from `running`. What ran before that may still come back, so it stays too.
    pub(crate) fn announce(&mut self, running: &Choice, next: &Choice) {
        let mut choices = vec![running.clone()];
        choices.extend(self.choices.drain(..).filter(|c| c.label != running.label && c.label != next.label));
        choices.truncate(CHOICES_MAX - 1);
        choices.push(next.clone());
        self.choices = choices;
    }

    pub(crate) fn write(&self) -> meta::ChangefeedInfo {
        let mut other = self.layout.to_fields();
        other.insert(INCARNATION_FIELD.to_owned(), json!(self.incarnation));
        other.insert(RUN_FIELD.to_owned(), json!(self.run));
        other.extend(self.upstream_id.map(|id| (UPSTREAM_FIELD.to_owned(), json!(id))));
        if self.repeat_until > Ts::ZERO {
            other.insert(REPEAT_FIELD.to_owned(), json!(self.repeat_until.get()));
        }
        if !self.pins.is_empty() {
            let pins = self.pins.iter().map(|(slot, node)| (slot.to_string(), json!(node))).collect();
            other.insert(PINS_FIELD.to_owned(), Value::Object(pins));
        }
        let choices: Vec<Value> = self.choices.iter().map(Choice::to_stored).collect();
        other.insert(CHOICES_FIELD.to_owned(), Value::Array(choices));
        meta::ChangefeedInfo {
            start_ts: self.start_ts,
            target_ts: self.target_ts,
            sink_uri: self.uri.expose().to_owned(),
            config: self.config.to_stored(),
            state: stored_state(self.state),
            error: self.error.as_ref().map(stored_error),
            created_ms: self.created.as_millisecond().unsigned_abs(),
            other,
        }
    }

    pub(crate) fn show(&self, id: &ChangefeedId, node: &NodeFacts, progress: (Ts, Ts), state: FeedState) -> Changefeed {
        let running = matches!(state, FeedState::Normal | FeedState::Warning);
        Changefeed {
            id: id.clone(),
            upstream_id: node.upstream_id,
            sink_uri: self.uri.clone(),
            config: Arc::clone(&self.config),
            create_time: self.created,
            start_ts: self.start_ts,
            target_ts: self.target_ts,
            state,
            error: self.error.clone(),
            creator_version: env!("CARGO_PKG_VERSION").to_owned(),
            resolved_ts: progress.1.max(progress.0),
            checkpoint_ts: progress.0,
            maintainer: running.then(|| node.address.clone()),
        }
    }
}

fn pins(fields: &Map<String, Value>) -> BTreeMap<u16, String> {
    let stored = fields.get(PINS_FIELD).and_then(Value::as_object).into_iter().flatten();
    stored.filter_map(|(slot, node)| Some((slot.parse().ok()?, node.as_str()?.to_owned()))).collect()
}

fn choices(fields: &Map<String, Value>) -> Vec<Choice> {
    let stored = fields.get(CHOICES_FIELD).and_then(Value::as_array).into_iter().flatten();
    stored.filter_map(Choice::from_stored).collect()
}

/// A fresh incarnation, or a label.
pub(crate) fn new_incarnation() -> String {
    format!("{:016x}", rand::random::<u64>())
}

/// What answers say of the node.
pub(crate) struct NodeFacts {
    pub(crate) upstream_id: u64,
    pub(crate) address: String,
}

pub(crate) fn at_ms(ms: u64) -> Timestamp {
    Timestamp::from_millisecond(ms.cast_signed()).unwrap_or_default()
}

fn state_of(state: meta::FeedState) -> FeedState {
    match state {
        meta::FeedState::Normal => FeedState::Normal,
        meta::FeedState::Warning => FeedState::Warning,
        meta::FeedState::Stopped => FeedState::Stopped,
        meta::FeedState::Failed => FeedState::Failed,
        meta::FeedState::Finished => FeedState::Finished,
    }
}

fn stored_state(state: FeedState) -> meta::FeedState {
    match state {
        FeedState::Normal => meta::FeedState::Normal,
        FeedState::Warning => meta::FeedState::Warning,
        FeedState::Stopped | FeedState::Removed => meta::FeedState::Stopped,
        FeedState::Failed => meta::FeedState::Failed,
        FeedState::Finished => meta::FeedState::Finished,
    }
}

fn error_of(e: &meta::FeedError) -> tg_api::FeedError {
    tg_api::FeedError {
        time: at_ms(e.at_ms),
        addr: e.capture.clone(),
        code: e.code.clone(),
        message: e.message.clone(),
    }
}

fn stored_error(e: &tg_api::FeedError) -> meta::FeedError {
    meta::FeedError {
        code: e.code.clone(),
        message: e.message.clone(),
        capture: e.addr.clone(),
        at_ms: e.time.as_millisecond().unsigned_abs(),
    }
}
