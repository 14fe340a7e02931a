//! What the stand-ins remember.

use super::effect::{Effect, Item, parts};
use super::faults::{Fault, Faults};
use super::http::Reply;
use crate::sql::Tables;
use bytes::Bytes;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use tg_model::{Position, TableVersion};
use tg_plugin::grant::{HttpMethod, LaneContext};

/// Most bytes that all capabilities keep together; a guest that sends more is refused.
const KEPT_BYTES_MAX: usize = 1 << 30;

/// A message that a queue holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Message {
    pub(crate) topic: String,
    pub(crate) partition: Option<u32>,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Vec<u8>,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
}

/// A request that arrived.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct HttpCall {
    pub(crate) endpoint: String,
    pub(crate) method: HttpMethod,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// What arrived in streams, with marks where an instance began anew.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Arrived {
    Message(Message),
    Http(HttpCall),
    Restart,
}

impl Arrived {
    /// The stream it belongs to, and what it adds.
    fn items(&self) -> (String, Vec<Vec<u8>>) {
        match self {
            Self::Message(m) => {
                let key = m.key.as_ref().map(|k| String::from_utf8_lossy(k).into_owned());
                let of = match (key, m.partition) {
                    (Some(key), _) => format!("key {key:?}"),
                    (None, Some(partition)) => format!("partition {partition}"),
                    (None, None) => "no key".to_owned(),
                };
                (format!("topic {}, {of}", m.topic), vec![m.value.clone()])
            }
            Self::Http(call) => (format!("{:?} {} of `{}`", call.method, call.path, call.endpoint), parts(&call.body)),
            Self::Restart => (String::new(), Vec::new()),
        }
    }
}

/// An object as it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Object {
    pub(crate) data: Bytes,
    pub(crate) version: u64,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) tables: Tables,
    /// Statements in order, those that took effect only.
    pub(super) statements: Vec<Vec<u8>>,
    pub(super) arrived: Vec<Arrived>,
    pub(super) objects: BTreeMap<String, Object>,
    pub(super) versions: u64,
    pub(super) faults: Faults,
    /// Durable position by lane, where the downstream keeps it.
    pub(super) durable: BTreeMap<u16, Position>,
    /// Newest epoch by lane.
    pub(super) epochs: BTreeMap<u16, (u64, u64)>,
    pub(super) replies: Vec<Reply>,
    kept_bytes: usize,
    /// Calls that were refused because their epoch is old.
    pub(super) fenced: u64,
}

impl State {
    /// Room for so many bytes; `false`: the bound is reached.
    pub(super) fn keep(&mut self, bytes: usize) -> bool {
        self.kept_bytes = self.kept_bytes.saturating_add(bytes);
        self.kept_bytes <= KEPT_BYTES_MAX
    }

    /// The fault of a call that would have an effect.
    pub(super) fn fault(&mut self) -> Option<Fault> {
        self.faults.next()
    }

    /// Whether a newer instance has taken the lane.
    pub(super) fn is_fenced(&mut self, lane: &LaneContext) -> bool {
        let newest = self.epochs.get(&lane.lane.0).copied().unwrap_or_default();
        let fenced = lane.epoch < newest;
        self.fenced += u64::from(fenced);
        fenced
    }

    /// The lane belongs to this instance from now on, unless a newer one has it.
    pub(super) fn take_lane(&mut self, lane: &LaneContext) -> bool {
        if self.is_fenced(lane) {
            return false;
        }
        self.epochs.insert(lane.lane.0, lane.epoch);
        true
    }
}

/// See the module.
#[derive(Default)]
pub(crate) struct World {
    pub(super) state: Mutex<State>,
    /// The downstream keeps positions and fences.
    pub(super) exactly_once: bool,
    /// Nothing is kept: for measuring.
    pub(super) forgets: bool,
}

impl World {
    pub(crate) fn new(exactly_once: bool, faults: Faults) -> Self {
        let state = State { faults, ..State::default() };
        Self { state: Mutex::new(state), exactly_once, forgets: false }
    }

    /// A world that takes everything and keeps nothing.
    pub(crate) fn forgetful() -> Self {
        Self { forgets: true, ..Self::default() }
    }

    /// Answers to HTTP requests, the first that fits.
    pub(crate) fn answer_with(&self, replies: Vec<Reply>) {
        self.state.lock().replies = replies;
    }

    /// Tells the tables' keys.
    pub(crate) fn learn<'a>(&self, versions: impl IntoIterator<Item = &'a TableVersion>) {
        let mut state = self.state.lock();
        versions.into_iter().for_each(|v| state.tables.learn(v));
    }

    /// An instance begins anew: what comes now may have been there.
    pub(crate) fn mark_restart(&self) {
        self.state.lock().arrived.push(Arrived::Restart);
    }

    /// Faults so far.
    pub(crate) fn faults_done(&self) -> u32 {
        self.state.lock().faults.done
    }

    /// Calls that were refused for an old epoch.
    pub(crate) fn fenced(&self) -> u64 {
        self.state.lock().fenced
    }

    /// Streams and items of what arrived after the first `seen` things, which then counts them too.
    pub(crate) fn arrived_since(&self, seen: &mut usize) -> Vec<(String, Vec<u8>)> {
        let state = self.state.lock();
        let from = std::mem::replace(seen, state.arrived.len());
        let items = |a: &Arrived| {
            let (stream, items) = a.items();
            items.into_iter().map(move |item| (stream.clone(), item)).collect::<Vec<_>>()
        };
        state.arrived.iter().skip(from).flat_map(items).collect()
    }

    /// Everything that is there, for comparison.
    pub(crate) fn effect(&self) -> Effect {
        self.effect_without(&[], &[])
    }

    /// The same without the objects whose path contains one of the first, and without the numbers of members of the second names.
    pub(crate) fn effect_without(&self, bookkeeping: &[String], moments: &[String]) -> Effect {
        let state = self.state.lock();
        let mut effect = Effect::default();
        effect.tables = state.tables.content();
        effect.opaque = state.tables.opaque.iter().map(|s| String::from_utf8_lossy(s).into_owned()).collect();
        let compared = state.objects.iter().filter(|(path, _)| !bookkeeping.iter().any(|b| path.contains(b.as_str())));
        effect.take_objects(compared.map(|(path, object)| (path.as_str(), &object.data[..])));
        for arrived in &state.arrived {
            match arrived {
                Arrived::Restart => effect.restart(),
                Arrived::Message(_) | Arrived::Http(_) => {
                    let (stream, items) = arrived.items();
                    let items = items.into_iter().map(|item| Item::Is(without_moments(item, moments)));
                    effect.stream(stream).extend(items);
                }
            }
        }
        effect
    }

    /// Statements that took effect, in order.
    pub(crate) fn statements(&self) -> Vec<String> {
        self.state.lock().statements.iter().map(|s| String::from_utf8_lossy(s).into_owned()).collect()
    }

    /// Messages in order.
    pub(crate) fn messages(&self) -> Vec<Message> {
        let state = self.state.lock();
        let message = |a: &Arrived| if let Arrived::Message(m) = a { Some(m.clone()) } else { None };
        state.arrived.iter().filter_map(message).collect()
    }

    /// Requests in order.
    pub(crate) fn http_calls(&self) -> Vec<HttpCall> {
        let state = self.state.lock();
        let call = |a: &Arrived| if let Arrived::Http(c) = a { Some(c.clone()) } else { None };
        state.arrived.iter().filter_map(call).collect()
    }

    /// Objects by path.
    pub(crate) fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        self.state.lock().objects.iter().map(|(path, o)| (path.clone(), o.data.to_vec())).collect()
    }
}

/// JSON text with a zero for the number of every member with one of these names.
fn without_moments(item: Vec<u8>, names: &[String]) -> Vec<u8> {
    names.iter().fold(item, |item, name| {
        let member = format!("\"{name}\":");
        let (mut out, mut rest) = (Vec::new(), item.as_slice());
        while let Some(at) = rest.windows(member.len()).position(|w| w == member.as_bytes()) {
            let (before, from) = rest.split_at(at + member.len());
            let digits = from.iter().take_while(|b| b.is_ascii_digit()).count();
            out.extend_from_slice(before);
            out.extend_from_slice(if digits > 0 { b"0" } else { b"" });
            rest = from.get(digits..).unwrap_or_default();
        }
        out.extend_from_slice(rest);
        out
    })
}

#[cfg(test)]
mod tests {
    use super::without_moments;

    #[test]
    fn moments_are_the_same_and_the_rest_stays() {
        let names = ["ts".to_owned(), "made".to_owned()];
        let text = br#"{"ts":179,"es":175,"made":12,"v":"ts","ts":null}"#.to_vec();
        let wanted = br#"{"ts":0,"es":175,"made":0,"v":"ts","ts":null}"#;
        assert_eq!(without_moments(text.clone(), &names), wanted);
        assert_eq!(without_moments(text.clone(), &[]), text);
    }
}
