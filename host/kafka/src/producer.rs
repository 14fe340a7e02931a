//! The producer of one lane.

use crate::endpoint::Shared;
use crate::fault::{Fault, FaultKind};
use crate::kept::{Kept, One, each};
use crate::link::{IN_FLIGHT_BYTES_MAX, Link, Trouble, blocking, is_unknown_topic};
use crate::progress::{self, Record};
use crate::progress_read::{self, Undecided};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::sync::Arc;
use tg_model::Position;
use tg_plugin::grant::{EndpointError, LaneContext, Messages, Producer};

/// What a lane is in transactions.
struct Fence {
    /// Transactional id, and key of its records.
    name: String,
    epoch: (u64, u64),
}

impl Fence {
    /// What the lane's last writer committed; an error when that one is newer.
    async fn found(&self, shared: &Arc<Shared>, undecided: Undecided) -> Result<Option<Record>, Fault> {
        let (reads, name) = (Arc::clone(shared), self.name.clone());
        let found = blocking(move || {
            progress_read::latest(&reads.target, reads.oauth.clone(), &reads.topics.asker, &name, undecided)
        });
        let (found, epoch) = (found.await??, self.epoch);
        if let Some(newer) = found.filter(|r| r.epoch > epoch) {
            let reason = format!("epoch {:?} has it, and this writer's is {epoch:?}", newer.epoch);
            return Err(Fault::new(FaultKind::Fenced, format!("taking over lane {}", self.name), reason));
        }
        Ok(found)
    }
}

/// See the module.
pub(crate) struct KafkaProducer {
    shared: Arc<Shared>,
    fence: Option<Fence>,
    /// `None`: there was trouble, and the next call makes another.
    link: Option<Link>,
    kept: Kept,
    /// What the lane last committed.
    last: Option<Record>,
    /// Put into the transaction in progress.
    said: Option<Record>,
    /// Number of the commit whose outcome is not known.
    open_commit: Option<u64>,
    at_open: Option<Position>,
}

impl KafkaProducer {
    pub(crate) async fn open(shared: Arc<Shared>, lane: &LaneContext) -> Result<Self, Fault> {
        let target = &shared.target;
        let fence =
            target.exactly_once.then(|| Fence { name: progress::name(lane, &target.incarnation), epoch: lane.epoch });
        let mut producer = Self {
            shared,
            fence,
            link: None,
            kept: Kept::default(),
            last: None,
            said: None,
            open_commit: None,
            at_open: None,
        };
        producer.connect().await?;
        producer.at_open = producer.position();
        Ok(producer)
    }

    fn position(&self) -> Option<Position> {
        self.last.and_then(|r| r.position)
    }

    /// A fresh client, which gets everything that is kept.
    async fn connect(&mut self) -> Result<(), Fault> {
        let (shared, target) = (Arc::clone(&self.shared), Arc::clone(&self.shared.target));
        let name = self.fence.as_ref().map(|f| f.name.as_str());
        let mut link = Link::new(&target, shared.oauth.clone(), name)?;
        if let Some(fence) = &self.fence {
            shared.progress_topic().await?;
            // Who comes late would fence the newer writer by taking over, though it may write nothing itself: so it looks first.
            fence.found(&shared, Undecided::PassOver).await?;
            link.take_over().await?;
            let found = fence.found(&shared, Undecided::Wait).await?;
            let Fence { name, epoch } = fence;
            // The commit whose outcome was open is found, or it never took effect.
            if let Some(open) = self.open_commit.take()
                && found.is_some_and(|r| r.epoch == *epoch && r.commit >= open)
            {
                self.kept.clear();
            }
            let commit = found.map_or(0, |r| r.commit) + 1;
            let claim = Record { epoch: *epoch, commit, position: found.and_then(|r| r.position) };
            self.last = found;
            self.said = None;
            link.put(&own(&target.progress_topic, name, claim.write()), &[])?;
            link.commit().await?;
            self.last = Some(claim);
        }
        for call in self.kept.calls() {
            each(call).try_for_each(|one| link.put(&one, &call.headers))?;
        }
        self.link = Some(link);
        Ok(())
    }

    /// A client that has got everything that is kept, and lost nothing of it as far as it is known.
    async fn ready(&mut self) -> Result<&mut Link, Fault> {
        let lost = self.link.as_ref().and_then(|l| l.watch().undelivered().map(|m| (l.lost(&m), m)));
        if let Some((fault, m)) = lost {
            let fault = self.trouble(Trouble::Lost(fault, m));
            tracing::debug!(error = %fault, "messages are sent again");
            if !tg_model::Coded::is_retryable(&fault) {
                return Err(fault);
            }
        }
        if self.link.is_none() {
            self.connect().await?;
        }
        self.ready_link()
    }

    fn ready_link(&mut self) -> Result<&mut Link, Fault> {
        self.link.as_mut().ok_or_else(|| Fault::new(FaultKind::Undone, "sending", "the client is gone"))
    }

    /// After trouble nothing that was put counts.
    fn trouble(&mut self, trouble: Trouble) -> Fault {
        match trouble {
            Trouble::Slow(fault) => fault,
            Trouble::Lost(fault, m) => {
                self.link = None;
                if is_unknown_topic(m.code) {
                    self.shared.topics.forget(&m.topic);
                }
                fault
            }
        }
    }

    /// Whether the topics take these messages.
    async fn check(&self, m: &Messages) -> Result<(), Fault> {
        let headers: usize = m.headers.iter().map(|(k, v)| k.len() + v.len()).sum();
        let mut topic: Option<(&str, u32, u32)> = None;
        for one in each(m) {
            let (partitions, limit) = match topic {
                Some((name, partitions, limit)) if name == one.topic => (partitions, limit),
                _ => {
                    let facts = self.shared.topics.facts(one.topic).await?;
                    (facts.partitions, facts.max_message_bytes)
                }
            };
            topic = Some((one.topic, partitions, limit));
            let bytes = one.weight() + headers;
            if bytes > limit as usize {
                let reason = format!("it has {bytes} bytes, and the topic takes {limit}");
                return Err(Fault::new(FaultKind::TooLarge, about(&one), reason));
            }
            if one.partition.is_some_and(|p| p >= partitions) {
                let reason = format!("the topic has {partitions} partitions");
                return Err(Fault::new(FaultKind::Partitions, about(&one), reason));
            }
        }
        Ok(())
    }

    async fn take(&mut self, m: Messages) -> Result<(), Fault> {
        self.check(&m).await?;
        self.kept.has_room_for(&m)?;
        let wait = self.shared.target.write_timeout;
        let settled = self.ready().await?.settle(IN_FLIGHT_BYTES_MAX, wait).await;
        settled.map_err(|t| self.trouble(t))?;
        let link = self.ready().await?;
        let put = each(&m).try_for_each(|one| link.put(&one, &m.headers));
        if let Err(fault) = put {
            // Some of these are with the library: it is to send none of them.
            self.link = None;
            return Err(fault);
        }
        self.kept.push(m);
        Ok(())
    }

    /// Whether nothing is left to be done for a flush.
    fn is_done(&self, progress: Option<Position>) -> bool {
        let said = self.fence.is_none() || progress.is_none_or(|at| self.position() >= Some(at));
        self.kept.is_empty() && said
    }

    async fn acknowledge(&mut self, progress: Option<Position>) -> Result<(), Fault> {
        if self.is_done(progress) {
            return Ok(());
        }
        self.ready().await?;
        // A commit of unknown outcome may have turned out well.
        if self.is_done(progress) {
            return Ok(());
        }
        let target = Arc::clone(&self.shared.target);
        if let Some((name, epoch)) = self.fence.as_ref().map(|f| (f.name.clone(), f.epoch)) {
            let commit = self.last.map_or(0, |r| r.commit) + 1;
            let record = Record { epoch, commit, position: progress.or_else(|| self.position()) };
            if self.said != Some(record) {
                let record_of = own(&target.progress_topic, &name, record.write());
                let put = self.ready_link()?.put(&record_of, &[]);
                if let Err(fault) = put {
                    self.link = None;
                    return Err(fault);
                }
                self.said = Some(record);
            }
        }
        let settled = self.ready_link()?.settle(0, target.read_timeout).await;
        settled.map_err(|t| self.trouble(t))?;
        if let Some(record) = self.said.filter(|_| self.fence.is_some()) {
            self.open_commit = Some(record.commit);
            if let Err(fault) = self.ready_link()?.commit().await {
                self.link = None;
                let kind = if fault.kind == FaultKind::Away { FaultKind::Undone } else { fault.kind };
                return Err(Fault { kind, ..fault });
            }
            self.open_commit = None;
            self.last = self.said.take();
        }
        self.kept.clear();
        Ok(())
    }
}

/// A record of the progress topic as a message.
fn own<'a>(topic: &'a str, name: &str, record: Vec<u8>) -> One<'a> {
    let key = name.to_owned().into();
    One { topic, partition: Some(progress::partition(name)), key: Some(key), value: Some(record.into()) }
}

/// Which message it is, for errors.
fn about(one: &One<'_>) -> String {
    const SHOWN_BYTES: usize = 64;
    let key = one.key.as_ref().map(|k| String::from_utf8_lossy(k.get(..SHOWN_BYTES).unwrap_or(k)).into_owned());
    let key = key.filter(|k| !k.is_empty()).map_or_else(String::new, |k| format!(" with key {k:?}"));
    format!("a message{key} for topic {}, partition {:?}", one.topic, one.partition.unwrap_or_default())
}

impl Producer for KafkaProducer {
    fn durable_at_open(&self) -> Option<Position> {
        self.at_open
    }

    fn durable(&mut self) -> BoxFuture<'_, Result<Option<Position>, EndpointError>> {
        async move {
            if self.fence.is_some() {
                self.ready().await?;
            }
            Ok(self.position())
        }
        .boxed()
    }

    fn partitions<'a>(&'a mut self, topic: &'a str) -> BoxFuture<'a, Result<u32, EndpointError>> {
        async move { Ok(self.shared.topics.facts(topic).await?.partitions) }.boxed()
    }

    fn max_message_bytes<'a>(&'a mut self, topic: &'a str) -> BoxFuture<'a, Result<u32, EndpointError>> {
        async move { Ok(self.shared.topics.facts(topic).await?.max_message_bytes) }.boxed()
    }

    fn topics(&self) -> Vec<String> {
        self.shared.topics.names()
    }

    fn send(&mut self, messages: Messages) -> BoxFuture<'_, Result<(), EndpointError>> {
        async move { Ok(self.take(messages).await?) }.boxed()
    }

    fn flush(&mut self, progress: Option<Position>) -> BoxFuture<'_, Result<(), EndpointError>> {
        async move { Ok(self.acknowledge(progress).await?) }.boxed()
    }
}
