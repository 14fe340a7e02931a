//! `producer`: message queues that the operator granted.

use crate::bindings::api::producer::{self, Host, HostTopicProducer};
use crate::bindings::api::types::{Blocks, Failure};
use crate::grant::{EndpointError, Messages, Producer, ProducerEndpoint, Strings};
use crate::state::State;
use wasmtime::component::Resource;

/// Producers an instance may hold at once.
pub(crate) const PRODUCERS_MAX: usize = 16;
/// Topics one call may name.
const TOPICS_MAX: usize = 1 << 10;
/// Headers of the messages of one call.
const HEADERS_MAX: usize = 64;

/// Number of a producer in the instance's list.
pub struct ProducerResource(usize);

/// Whether the lists fit each other; says what does not.
pub(crate) fn check(m: &Messages) -> Result<(), EndpointError> {
    let malformed = |why: String| Err(EndpointError::fatal("malformed-messages", why));
    let count = m.len();
    let fits = |s: &Strings| s.ends.is_sorted() && s.ends.last().is_none_or(|end| *end as usize <= s.data.len());
    if !fits(&m.values) || m.keys.as_ref().is_some_and(|k| !fits(k)) {
        return malformed("the ends of keys or values do not rise or lie outside the data".to_owned());
    }
    let keys = m.keys.as_ref().map_or(count, Strings::len);
    let one_each = |what: &str, len: usize| (len != 0 && len != count).then(|| format!("{len} {what}"));
    let odd = one_each("topic numbers", m.topic_of.len())
        .or_else(|| one_each("partitions", m.partitions.len()))
        .or_else(|| (keys != count).then(|| format!("{keys} keys")));
    if let Some(odd) = odd {
        return malformed(format!("{odd} for {count} messages"));
    }
    if m.topics.len() > TOPICS_MAX || m.headers.len() > HEADERS_MAX {
        return malformed(format!("more than {TOPICS_MAX} topics or {HEADERS_MAX} headers in one call"));
    }
    let beyond = m.topic_of.iter().find(|t| usize::from(**t) >= m.topics.len());
    match beyond {
        Some(t) => malformed(format!("topic {t} of {}", m.topics.len())),
        None if count > 0 && m.topics.is_empty() => malformed("messages without a topic".to_owned()),
        None => Ok(()),
    }
}

fn strings(b: Blocks) -> Strings {
    Strings { data: b.data.into(), ends: b.ends }
}

impl Host for State {}

impl State {
    fn producer(&mut self, p: &Resource<ProducerResource>) -> wasmtime::Result<&mut Box<dyn Producer>> {
        let at = self.table.get(p)?.0;
        let found = self.producers.get_mut(at).and_then(Option::as_mut);
        found.ok_or_else(|| wasmtime::format_err!("no such producer"))
    }

    async fn open_producer(&mut self, granted: &dyn ProducerEndpoint) -> Result<usize, EndpointError> {
        let free = self.producers.iter().position(Option::is_none).unwrap_or(self.producers.len());
        if free >= PRODUCERS_MAX {
            let why = format!("an instance may hold {PRODUCERS_MAX} producers");
            return Err(EndpointError::fatal("too-many-producers", why));
        }
        let opened = granted.open(self.lane.clone()).await?;
        self.found_durable(opened.durable_at_open());
        if free == self.producers.len() {
            self.producers.push(Some(opened));
        } else if let Some(slot) = self.producers.get_mut(free) {
            *slot = Some(opened);
        }
        Ok(free)
    }
}

impl HostTopicProducer for State {
    async fn open(&mut self, endpoint: String) -> wasmtime::Result<Result<Resource<ProducerResource>, Failure>> {
        let Some(granted) = self.grants.producers.get(&endpoint).cloned() else {
            return Ok(Err(EndpointError::not_granted("producer", &endpoint).into()));
        };
        let started = self.enter()?;
        let opened = self.open_producer(&*granted).await;
        self.clock.resume(started);
        Ok(match opened {
            Ok(at) => Ok(self.table.push(ProducerResource(at))?),
            Err(e) => Err(e.into()),
        })
    }

    async fn partitions(
        &mut self,
        p: Resource<ProducerResource>,
        topic: String,
    ) -> wasmtime::Result<Result<u32, Failure>> {
        let started = self.enter()?;
        let answer = self.producer(&p)?.partitions(&topic).await;
        self.clock.resume(started);
        Ok(answer.map_err(Into::into))
    }

    async fn max_message_bytes(
        &mut self,
        p: Resource<ProducerResource>,
        topic: String,
    ) -> wasmtime::Result<Result<u32, Failure>> {
        let started = self.enter()?;
        let answer = self.producer(&p)?.max_message_bytes(&topic).await;
        self.clock.resume(started);
        Ok(answer.map_err(Into::into))
    }

    async fn topics(&mut self, p: Resource<ProducerResource>) -> wasmtime::Result<Vec<String>> {
        Ok(self.producer(&p)?.topics())
    }

    async fn send(
        &mut self,
        p: Resource<ProducerResource>,
        m: producer::Messages,
    ) -> wasmtime::Result<Result<(), Failure>> {
        let messages = Messages {
            topics: m.topics,
            topic_of: m.topic_of,
            partitions: m.partitions,
            keys: (!m.keys.ends.is_empty()).then(|| strings(m.keys)),
            values: strings(m.values),
            headers: m.headers.into_iter().map(|(k, v)| (k, v.into())).collect(),
        };
        if let Err(e) = check(&messages) {
            return Ok(Err(e.into()));
        }
        let started = self.enter()?;
        let answer = self.producer(&p)?.send(messages).await;
        self.clock.resume(started);
        Ok(answer.map_err(Into::into))
    }

    async fn flush(&mut self, p: Resource<ProducerResource>) -> wasmtime::Result<Result<(), Failure>> {
        let (started, progress) = (self.enter()?, self.progress);
        let answer = self.producer(&p)?.flush(progress).await;
        self.clock.resume(started);
        Ok(answer.map_err(Into::into))
    }

    async fn drop(&mut self, p: Resource<ProducerResource>) -> wasmtime::Result<()> {
        let at = self.table.delete(p)?.0;
        if let Some(slot) = self.producers.get_mut(at) {
            *slot = None;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::grant::{Messages, Strings};

    fn strings(ends: &[u32]) -> Strings {
        Strings { data: vec![0; 9].into(), ends: ends.to_vec() }
    }

    fn two() -> Messages {
        Messages { topics: vec!["a".into(), "b".into()], values: strings(&[3, 9]), ..Messages::default() }
    }

    #[test]
    fn lists_that_fit_pass_and_others_are_named() {
        let full = Messages { topic_of: vec![0, 1], partitions: vec![7, 7], keys: Some(strings(&[1, 1])), ..two() };
        let tombstones = Messages { keys: Some(strings(&[1, 1])), values: Strings::default(), ..two() };
        assert_eq!(tombstones.len(), 2);
        for good in [two(), full, tombstones, Messages::default()] {
            assert_eq!(check(&good), Ok(()));
        }
        let bad = [
            (Messages { topic_of: vec![0, 2], ..two() }, "topic 2 of 2"),
            (Messages { topic_of: vec![0], ..two() }, "1 topic numbers for 2 messages"),
            (Messages { partitions: vec![1; 3], ..two() }, "3 partitions for 2 messages"),
            (Messages { keys: Some(strings(&[1])), ..two() }, "1 keys for 2 messages"),
            (Messages { values: strings(&[9, 3]), ..two() }, "do not rise"),
            (Messages { values: strings(&[3, 10]), ..two() }, "outside the data"),
            (Messages { topics: Vec::new(), ..two() }, "without a topic"),
        ];
        for (messages, why) in bad {
            assert!(check(&messages).is_err_and(|e| e.message.contains(why)), "{why}");
        }
    }
}
