//! A message queue. With exactly-once, messages appear with their flush; else as soon as they are sent.

use super::faults::Fault;
use super::state::{Arrived, Message, World};
use futures::future::BoxFuture;
use std::sync::Arc;
use tg_model::Position;
use tg_plugin::grant::{EndpointError, EndpointErrorKind, LaneContext, Messages, Producer, ProducerEndpoint};

/// Partitions of every topic.
const PARTITIONS: u32 = 3;
/// Largest message.
const MESSAGE_BYTES_MAX: u32 = 1 << 20;
/// What a message weighs besides its key and value.
const MESSAGE_BYTES: usize = 64;

pub(super) struct Endpoint(pub(super) Arc<World>);

struct Queue {
    world: Arc<World>,
    lane: LaneContext,
    at_open: Option<Position>,
    /// Sent and not flushed.
    open: Vec<Message>,
}

fn fenced() -> EndpointError {
    EndpointError::new(EndpointErrorKind::Fenced, "fenced", "a newer instance has taken this lane")
}

fn unknown() -> EndpointError {
    EndpointError::new(EndpointErrorKind::Unknown, "no-answer", "the broker did not answer (a fault of the kit)")
}

impl ProducerEndpoint for Endpoint {
    fn open(&self, lane: LaneContext) -> BoxFuture<'_, Result<Box<dyn Producer>, EndpointError>> {
        Box::pin(async move {
            let mut state = self.0.state.lock();
            if self.0.exactly_once && !state.take_lane(&lane) {
                return Err(fenced());
            }
            let at_open = state.durable.get(&lane.lane.0).copied().filter(|_| self.0.exactly_once);
            let queue = Queue { world: Arc::clone(&self.0), lane, at_open, open: Vec::new() };
            Ok(Box::new(queue) as Box<dyn Producer>)
        })
    }
}

fn messages(m: &Messages) -> Vec<Message> {
    let topic = |i: usize| m.topic_of.get(i).map_or(0, |t| usize::from(*t));
    let headers: Vec<_> = m.headers.iter().map(|(name, value)| (name.clone(), value.to_vec())).collect();
    let message = |i: usize| Message {
        topic: m.topics.get(topic(i)).cloned().unwrap_or_default(),
        partition: m.partitions.get(i).copied(),
        key: m.keys.as_ref().map(|k| k.get(i).to_vec()),
        value: m.values.get(i).to_vec(),
        headers: headers.clone(),
    };
    (0..m.len()).map(message).collect()
}

impl Queue {
    fn take(&mut self, sent: &Messages) -> Result<(), EndpointError> {
        let mut state = self.world.state.lock();
        if self.world.exactly_once && state.is_fenced(&self.lane) {
            return Err(fenced());
        }
        if state.fault() == Some(Fault::Busy) {
            return Err(EndpointError::retryable("busy", "the queue is full (a fault of the kit)"));
        }
        if self.world.forgets {
            return Ok(());
        }
        let sent = messages(sent);
        let size = |m: &Message| m.value.len() + m.key.as_ref().map_or(0, Vec::len) + MESSAGE_BYTES;
        if let Some(large) = sent.iter().map(size).find(|bytes| *bytes > MESSAGE_BYTES_MAX as usize) {
            let message = format!("a message of {large} bytes; {MESSAGE_BYTES_MAX} are the most");
            return Err(EndpointError::fatal("message-too-large", message));
        }
        if !state.keep(sent.iter().map(size).sum()) {
            return Err(EndpointError::fatal("too-much", "more messages than the kit keeps"));
        }
        if self.world.exactly_once {
            self.open.extend(sent);
        } else {
            state.arrived.extend(sent.into_iter().map(Arrived::Message));
        }
        Ok(())
    }

    fn commit(&mut self, progress: Option<Position>) -> Result<(), EndpointError> {
        let mut state = self.world.state.lock();
        if self.world.exactly_once && state.is_fenced(&self.lane) {
            return Err(fenced());
        }
        let fault = state.fault();
        match fault {
            Some(Fault::Busy) => {
                return Err(EndpointError::retryable("busy", "no broker answers (a fault of the kit)"));
            }
            // What was sent in an aborted transaction is gone; without transactions it has arrived.
            Some(Fault::LostRequest) => {
                self.open.clear();
                return Err(unknown());
            }
            Some(Fault::LostAnswer) | None => {}
        }
        state.arrived.extend(self.open.drain(..).map(Arrived::Message));
        if let Some(position) = progress.filter(|_| self.world.exactly_once) {
            state.durable.insert(self.lane.lane.0, position);
        }
        if fault.is_some() { Err(unknown()) } else { Ok(()) }
    }
}

impl Producer for Queue {
    fn durable_at_open(&self) -> Option<Position> {
        self.at_open
    }

    fn durable(&mut self) -> BoxFuture<'_, Result<Option<Position>, EndpointError>> {
        Box::pin(async {
            let state = self.world.state.lock();
            Ok(state.durable.get(&self.lane.lane.0).copied().filter(|_| self.world.exactly_once))
        })
    }

    fn partitions<'a>(&'a mut self, _: &'a str) -> BoxFuture<'a, Result<u32, EndpointError>> {
        Box::pin(async { Ok(PARTITIONS) })
    }

    fn max_message_bytes<'a>(&'a mut self, _: &'a str) -> BoxFuture<'a, Result<u32, EndpointError>> {
        Box::pin(async { Ok(MESSAGE_BYTES_MAX) })
    }

    fn send(&mut self, sent: Messages) -> BoxFuture<'_, Result<(), EndpointError>> {
        Box::pin(async move { self.take(&sent) })
    }

    fn flush(&mut self, progress: Option<Position>) -> BoxFuture<'_, Result<(), EndpointError>> {
        Box::pin(async move { self.commit(progress) })
    }
}
