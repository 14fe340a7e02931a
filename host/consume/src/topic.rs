//! Changes from a topic.

use crate::decode::{Decoder, TopicProtocol};
use crate::error::ConsumeError;
use crate::lineup::Lineup;
use crate::stream::{Done, Portion, Source};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::collections::{BTreeMap, VecDeque};
use tg_format_common::Compression;
use tg_kafka::{Fault, TopicMessage, TopicReader};

/// See the module.
pub struct TopicSource {
    reader: TopicReader,
    protocol: TopicProtocol,
    decoder: Decoder,
    /// `None`: not started.
    lineup: Option<Lineup>,
    /// Partitions that were read to their end since the last answer that there is no more.
    ended: Vec<bool>,
    resting: Vec<bool>,
    /// Messages that were read and are not decoded.
    read: VecDeque<TopicMessage>,
}

impl TopicSource {
    /// Reads what is committed in the topic. `compression`: of each value by itself, in canal-json, open-protocol and simple.
    #[must_use]
    pub fn new(reader: TopicReader, protocol: TopicProtocol, compression: Compression) -> Self {
        let partitions = reader.partitions() as usize;
        Self {
            reader,
            decoder: Decoder::new(&protocol, compression),
            protocol,
            lineup: None,
            ended: vec![false; partitions],
            resting: vec![false; partitions],
            read: VecDeque::new(),
        }
    }

    fn failed(&self, fault: Fault) -> ConsumeError {
        ConsumeError::Source { what: format!("topic {}", self.reader.topic()), source: fault.into() }
    }

    async fn start(&self, done: &BTreeMap<String, Done>) -> Result<Lineup, ConsumeError> {
        let lineup = Lineup::new(self.reader.topic(), self.ended.len(), self.protocol.has_watermarks(), done);
        let from = if self.protocol.needs_the_beginning() { vec![0; self.ended.len()] } else { lineup.offsets() };
        self.reader.start(&from).await.map_err(|e| self.failed(e))?;
        Ok(lineup)
    }

    /// Reads no more of partitions that are far ahead of the others.
    async fn balance(&mut self, lineup: &Lineup) -> Result<(), ConsumeError> {
        for resting in [true, false] {
            let now = |p: &usize| lineup.is_ahead(*p) == resting && self.resting.get(*p) == Some(&!resting);
            let changed: Vec<usize> = (0..self.resting.len()).filter(now).collect();
            if changed.is_empty() {
                continue;
            }
            let numbers: Vec<u32> = changed.iter().map(|p| u32::try_from(*p).unwrap_or(u32::MAX)).collect();
            self.reader.rest(&numbers, resting).await.map_err(|e| self.failed(e))?;
            for p in changed {
                if let Some(known) = self.resting.get_mut(p) {
                    *known = resting;
                }
            }
        }
        Ok(())
    }

    /// Decodes what was read. A message that cannot be decoded yet stays.
    async fn decode(&mut self, lineup: &mut Lineup) -> Result<(), ConsumeError> {
        while let Some(message) = self.read.front() {
            let events = self.decoder.events(self.reader.topic(), message).await?;
            lineup.push(message.partition, message.offset, events);
            self.read.pop_front();
        }
        Ok(())
    }

    async fn find(&mut self, lineup: &mut Lineup) -> Result<Option<Portion>, ConsumeError> {
        loop {
            self.decode(lineup).await?;
            if let Some(portion) = lineup.next() {
                return Ok(Some(portion));
            }
            // One that rests has more, and goes on when the others have caught up; when those have ended, nothing of it is ready.
            self.balance(lineup).await?;
            if self.ended.iter().zip(&self.resting).all(|(ended, rests)| *ended || *rests) {
                self.ended.fill(false);
                return Ok(None);
            }
            let looked = self.reader.look().await.map_err(|e| self.failed(e))?;
            self.read.extend(looked.messages);
            for partition in looked.ended {
                if let Some(ended) = self.ended.get_mut(partition as usize) {
                    *ended = true;
                }
            }
        }
    }
}

impl Source for TopicSource {
    fn next<'a>(
        &'a mut self,
        done: &'a BTreeMap<String, Done>,
    ) -> BoxFuture<'a, Result<Option<Portion>, ConsumeError>> {
        async move {
            let mut lineup = match self.lineup.take() {
                Some(lineup) => lineup,
                None => self.start(done).await?,
            };
            let found = self.find(&mut lineup).await;
            self.lineup = Some(lineup);
            found
        }
        .boxed()
    }

    fn checkpoint(&self) -> Option<u64> {
        self.lineup.as_ref().map(Lineup::safe).filter(|ts| *ts > 0)
    }
}
