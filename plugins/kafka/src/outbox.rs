//! Messages that wait for the producer.

use crate::ids::HEADER;
use std::collections::{BTreeMap, VecDeque};
use tg_format_common::Messages;
use tidegate_sdk::producer::{self, Producer};
use tidegate_sdk::{Blocks, Failure};

/// Topics of one call.
const TOPICS_MAX: usize = 256;
/// Bytes after which a call is full.
const CALL_BYTES: usize = 4 << 20;
/// Calls whose memory is kept for the next.
const SPARE_MAX: usize = 4;

/// Where a message goes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Place {
    /// As [`Outbox::topic`] counts them.
    pub(crate) topic: u32,
    pub(crate) partition: u32,
}

/// Calls in order. Messages of a call have all a key or none, all a value or none, all a header or none.
#[derive(Default)]
pub(crate) struct Outbox {
    names: Vec<String>,
    numbers: BTreeMap<String, u32>,
    calls: VecDeque<Call>,
    spare: Vec<producer::Messages>,
    /// One message with a header on its way out: the messages of a call have their headers in common.
    single: producer::Messages,
}

#[derive(Default)]
struct Call {
    messages: producer::Messages,
    /// Topics of the call, as the outbox counts them.
    topics: Vec<u32>,
    shape: (bool, bool, bool),
    /// Header of each message, if they have any.
    headers: Vec<String>,
    /// Messages that were handed over already, one by one.
    handed_over: usize,
}

impl Outbox {
    /// The number of a topic.
    pub(crate) fn topic(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }

    /// The name of a topic.
    pub(crate) fn name(&self, topic: u32) -> &str {
        self.names.get(topic as usize).map_or("", String::as_str)
    }

    /// Adds message `i`, with the id of its change as a header.
    pub(crate) fn push(&mut self, from: &Messages, i: usize, place: Place, header: Option<&str>) {
        let Some(message) = from.get(i) else { return };
        let shape = (message.key.is_some(), message.value.is_some(), header.is_some());
        let fits = |c: &Call| {
            let bytes = c.messages.keys.len_bytes() + c.messages.values.len_bytes();
            c.shape == shape && bytes < CALL_BYTES && (c.topics.len() < TOPICS_MAX || c.topics.contains(&place.topic))
        };
        if !self.calls.back().is_some_and(fits) {
            let mut messages = self.spare.pop().unwrap_or_default();
            messages.clear();
            messages.topics.clear();
            self.calls.push_back(Call { messages, shape, ..Call::default() });
        }
        let name = self.names.get(place.topic as usize).map_or("", String::as_str);
        let Some(call) = self.calls.back_mut() else { return };
        let Call { messages, topics, headers, .. } = call;
        headers.extend(header.map(str::to_owned));
        // Rows of one table come together, so that the last topic is nearly always the one.
        let at = topics.iter().rposition(|t| *t == place.topic).unwrap_or_else(|| {
            topics.push(place.topic);
            messages.topics.push(name.to_owned());
            topics.len() - 1
        });
        messages.topic_of.push(u16::try_from(at).unwrap_or(u16::MAX));
        messages.partitions.push(place.partition);
        if let Some(key) = message.key {
            messages.keys.push(key);
        }
        if let Some(value) = message.value {
            messages.values.push(value);
        }
    }

    /// Bytes that wait.
    pub(crate) fn len_bytes(&self) -> usize {
        self.calls.iter().map(|c| c.messages.keys.len_bytes() + c.messages.values.len_bytes()).sum()
    }

    /// Hands everything over in order. What was handed over before a failure is gone from here.
    pub(crate) fn send(&mut self, producer: &Producer) -> Result<(), Failure> {
        while let Some(call) = self.calls.front_mut() {
            if call.headers.is_empty() {
                producer.send(&mut call.messages)?;
            } else {
                call.send_one_by_one(&mut self.single, producer)?;
            }
            if let Some(sent) = self.calls.pop_front()
                && self.spare.len() < SPARE_MAX
            {
                self.spare.push(sent.messages);
            }
        }
        Ok(())
    }
}

impl Call {
    fn send_one_by_one(&mut self, single: &mut producer::Messages, producer: &Producer) -> Result<(), Failure> {
        let Self { messages, shape, headers, handed_over, .. } = self;
        while let Some(header) = headers.get(*handed_over) {
            let i = *handed_over;
            single.clear();
            single.topics.clear();
            let topic = messages.topic_of.get(i).and_then(|topic| messages.topics.get(usize::from(*topic)));
            single.topics.extend(topic.cloned());
            single.partitions.extend(messages.partitions.get(i));
            if shape.0 {
                single.keys.push(item(&messages.keys, i));
            }
            if shape.1 {
                single.values.push(item(&messages.values, i));
            }
            single.headers = vec![(HEADER.to_owned(), header.as_bytes().to_vec())];
            producer.send(single)?;
            *handed_over += 1;
        }
        Ok(())
    }
}

/// String `i` of these.
fn item(of: &Blocks, i: usize) -> &[u8] {
    let (data, ends) = of.parts();
    let end = ends.get(i).map_or(0, |end| *end as usize);
    let start = i.checked_sub(1).and_then(|before| ends.get(before)).map_or(0, |end| *end as usize);
    data.get(start..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Outbox, Place};
    use tg_format_common::Messages;

    fn add(m: &mut Messages, key: Option<&str>, value: Option<&str>) {
        let start = m.begin();
        if let Some(key) = key {
            m.buf().extend_from_slice(key.as_bytes());
            m.end_key();
        }
        match value {
            Some(value) => {
                m.buf().extend_from_slice(value.as_bytes());
                m.finish(start, 1);
            }
            None => m.finish_tombstone(start, 1),
        }
    }

    #[test]
    fn calls_hold_messages_of_one_shape_in_order() {
        let mut made = Messages::new();
        add(&mut made, Some("k1"), Some("v1"));
        add(&mut made, Some("k2"), Some("v2"));
        add(&mut made, Some("k3"), None);
        add(&mut made, None, Some("v4"));
        add(&mut made, Some(""), Some("v5"));
        let mut out = Outbox::default();
        let (a, b) = (out.topic("a"), out.topic("b"));
        assert_eq!((out.topic("a"), out.name(b)), (a, "b"));
        for (i, topic) in [a, b, a, a, b].into_iter().enumerate() {
            out.push(&made, i, Place { topic, partition: i as u32 }, None);
        }
        let shown: Vec<_> = out
            .calls
            .iter()
            .map(|c| {
                let m = &c.messages;
                (m.topics.clone(), m.topic_of.clone(), m.partitions.clone(), m.keys.len(), m.values.len())
            })
            .collect();
        let name = |s: &str| s.to_owned();
        assert_eq!(
            shown,
            [
                (vec![name("a"), name("b")], vec![0, 1], vec![0, 1], 2, 2),
                (vec![name("a")], vec![0], vec![2], 1, 0),
                (vec![name("a")], vec![0], vec![3], 0, 1),
                (vec![name("b")], vec![0], vec![4], 1, 1),
            ]
        );
    }
}
