//! What processes cost: real time spent in their steps, and what they say.

use std::time::Duration;
use tg_cluster::{Body, Message};

/// Sums per process and of all messages.
#[derive(Debug)]
pub(crate) struct Meter {
    pub(crate) spent: Vec<Duration>,
    pub(crate) messages: u64,
    pub(crate) entries: u64,
}

impl Meter {
    pub(crate) fn new(processes: usize) -> Self {
        Self { spent: vec![Duration::ZERO; processes], messages: 0, entries: 0 }
    }

    pub(crate) fn sent(&mut self, message: &Message) {
        self.messages += 1;
        self.entries += match &message.body {
            Body::Report(r) => r.slots.len() as u64,
            Body::Publish(p) => (p.caps.len() + p.commands.len() + p.emits.len()) as u64,
            _ => 0,
        };
    }
}
