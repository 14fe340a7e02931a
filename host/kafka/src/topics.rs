//! What topics there are, and making those that are not.

use crate::classify::{fault, kind_of, told};
use crate::client;
use crate::fault::{Fault, FaultKind};
use crate::link::blocking;
use crate::oauth::Oauth;
use crate::target::{KafkaTarget, PARTITIONS_NEW, Sasl};
use crate::watch::Watch;
use parking_lot::Mutex;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Topics that are remembered; above it all are forgotten and asked for anew.
const TOPICS_MAX: usize = 10_000;
/// Longest wait until a topic that was made can be written to.
const READY_TIMEOUT: Duration = Duration::from_secs(30);
/// Between two looks.
const READY_INTERVAL: Duration = Duration::from_millis(100);
/// Events that are looked through after an error.
const EVENTS_HEARD_MAX: u32 = 20;
/// How long the first token may take.
const TOKEN_WAIT: Duration = Duration::from_secs(5);

/// What is known of a topic.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct TopicFacts {
    /// Partitions to be used.
    pub(crate) partitions: u32,
    /// Largest message.
    pub(crate) max_message_bytes: u32,
}

/// How a topic is made.
pub(crate) struct Making<'a> {
    pub(crate) partitions: u32,
    pub(crate) settings: &'a [(&'a str, &'a str)],
}

/// Asks for topics, and remembers.
pub(crate) struct Topics {
    target: Arc<KafkaTarget>,
    oauth: Option<Arc<Oauth>>,
    pub(crate) asker: Arc<BaseConsumer<Watch>>,
    known: Mutex<BTreeMap<String, TopicFacts>>,
    /// One asks, the others wait for what it learns.
    asking: tokio::sync::Mutex<()>,
}

impl Topics {
    pub(crate) fn new(target: Arc<KafkaTarget>, oauth: Option<Arc<Oauth>>) -> Result<Self, Fault> {
        let asker = client::asker(&target).create_with_context(Watch::new(oauth.clone()));
        let asker: BaseConsumer<Watch> = asker.map_err(|e| client::not_made(&target, &e))?;
        Ok(Self {
            target,
            oauth,
            asker: Arc::new(asker),
            known: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
        })
    }

    /// Names of the topics that were asked for.
    pub(crate) fn names(&self) -> Vec<String> {
        self.known.lock().keys().cloned().collect()
    }

    /// What was learnt of a topic may be wrong.
    pub(crate) fn forget(&self, topic: &str) {
        self.known.lock().remove(topic);
    }

    /// What a topic is like; it is made if it may be.
    pub(crate) async fn facts(&self, topic: &str) -> Result<TopicFacts, Fault> {
        if let Some(facts) = self.known.lock().get(topic) {
            return Ok(*facts);
        }
        let _asking = self.asking.lock().await;
        if let Some(facts) = self.known.lock().get(topic) {
            return Ok(*facts);
        }
        let wanted = self.target.partition_num;
        let making = Making { partitions: wanted.unwrap_or(PARTITIONS_NEW), settings: &[] };
        let there = self.there(topic, &making, FaultKind::NoTopic).await?;
        let partitions = match wanted {
            Some(n) if n > there => {
                let reason = format!("partition-num is {n}, and the topic has {there} partitions");
                return Err(Fault::new(FaultKind::Partitions, self.doing("using", topic), reason));
            }
            Some(n) => n,
            None => there,
        };
        let facts = TopicFacts { partitions, max_message_bytes: self.max_message_bytes(topic).await };
        let mut known = self.known.lock();
        if known.len() >= TOPICS_MAX {
            known.clear();
        }
        known.insert(topic.to_owned(), facts);
        Ok(facts)
    }

    /// Partitions of a topic, which is made if it is not there and may be.
    pub(crate) async fn there(&self, topic: &str, making: &Making<'_>, absent: FaultKind) -> Result<u32, Fault> {
        if let Some(partitions) = self.look(topic).await? {
            return Ok(partitions);
        }
        if !self.target.auto_create_topic {
            let reason = "the topic does not exist, and auto-create-topic is false";
            return Err(Fault::new(absent, self.doing("using", topic), reason));
        }
        self.make(topic, making).await?;
        let until = Instant::now() + READY_TIMEOUT;
        loop {
            match self.look(topic).await {
                Ok(Some(partitions)) => return Ok(partitions),
                Ok(None) if Instant::now() > until => {
                    let reason = "it was made, and is not there yet";
                    return Err(Fault::new(FaultKind::Away, self.doing("using", topic), reason));
                }
                Err(e) if e.kind != FaultKind::Away || Instant::now() > until => return Err(e),
                Ok(None) | Err(_) => tokio::time::sleep(READY_INTERVAL).await,
            }
        }
    }

    fn doing(&self, what: &str, topic: &str) -> String {
        format!("{what} topic {topic} of {}", self.target.display_name())
    }

    /// Partitions of a topic; `None`: it is not there. Asking makes no topic.
    async fn look(&self, topic: &str) -> Result<Option<u32>, Fault> {
        let (asker, name) = (Arc::clone(&self.asker), topic.to_owned());
        let (timeout, first_token) = (self.target.read_timeout, self.oauth.is_some());
        let found = blocking(move || {
            serve(&asker, first_token);
            let metadata = asker.client().fetch_metadata(Some(&name), timeout);
            if metadata.is_err() {
                hear(&asker);
            }
            let metadata = metadata?;
            let topic = metadata.topics().iter().find(|t| t.name() == name);
            Ok::<_, KafkaError>(topic.map(|t| (t.error().map(RDKafkaErrorCode::from), t.partitions().len())))
        });
        let doing = self.doing("looking for", topic);
        let watch = self.asker.context();
        let found = found.await?.map_err(|e| fault(&e, watch, &doing))?;
        watch.well();
        match found {
            None | Some((Some(RDKafkaErrorCode::UnknownTopicOrPartition), _)) => Ok(None),
            Some((Some(code), _)) => Err(told(code, code.to_string(), watch, &doing)),
            Some((None, 0)) => Err(Fault::new(FaultKind::Away, doing, "it has no partitions yet")),
            Some((None, partitions)) => Ok(Some(u32::try_from(partitions).unwrap_or(u32::MAX))),
        }
    }

    /// A client for requests to the controller. It serves no events of its own, so that it gets no tokens.
    fn admin(&self) -> Result<AdminClient<Watch>, Fault> {
        let made = client::admin(&self.target).create_with_context(Watch::new(None));
        made.map_err(|e| client::not_made(&self.target, &e))
    }

    fn has_tokens(&self) -> bool {
        matches!(self.target.sasl, Some(Sasl::Oauth(_)))
    }

    async fn make(&self, topic: &str, making: &Making<'_>) -> Result<(), Fault> {
        let doing = self.doing("making", topic);
        if self.has_tokens() {
            let reason = "topics cannot be made over OAUTHBEARER: make it by hand";
            return Err(Fault::new(FaultKind::NotMade, doing, reason));
        }
        let admin = self.admin()?;
        let partitions = i32::try_from(making.partitions).unwrap_or(i32::MAX);
        let mut new = NewTopic::new(topic, partitions, TopicReplication::Fixed(self.target.replication_factor));
        for (name, value) in making.settings {
            new = new.set(name, value);
        }
        let wait = Some(self.target.read_timeout);
        let options = AdminOptions::new().request_timeout(wait).operation_timeout(wait);
        let answered = admin.create_topics([&new], &options).await;
        drop_aside(admin);
        let watch = self.asker.context();
        let answered = answered.map_err(|e| fault(&e, watch, &doing))?;
        match answered.into_iter().next() {
            Some(Err((_, code))) if code != RDKafkaErrorCode::TopicAlreadyExists => {
                Err(Fault::new(kind_of(code), doing, code.to_string()))
            }
            _ => {
                tracing::info!(topic, partitions, "made a topic");
                Ok(())
            }
        }
    }

    /// Largest message of a topic: what is configured, or less if the topic takes less.
    async fn max_message_bytes(&self, topic: &str) -> u32 {
        let configured = self.target.max_message_bytes;
        if self.has_tokens() {
            return configured;
        }
        let Ok(admin) = self.admin() else { return configured };
        let options = AdminOptions::new().request_timeout(Some(self.target.read_timeout));
        let answered = admin.describe_configs([&ResourceSpecifier::Topic(topic)], &options).await;
        drop_aside(admin);
        let described = answered.ok().and_then(|all| all.into_iter().next()).and_then(Result::ok);
        let limit = described.and_then(|d| d.get("max.message.bytes").and_then(|e| e.value.clone()));
        let limit = limit.and_then(|text| text.parse::<u32>().ok());
        if limit.is_none() {
            tracing::debug!(topic, "the topic's max.message.bytes cannot be read; the configured limit counts");
        }
        limit.map_or(configured, |limit| limit.min(configured))
    }
}

/// Takes what the library wants to tell a client that consumes nothing.
fn serve(asker: &BaseConsumer<Watch>, first_token: bool) {
    // With tokens, asking before the first of them came is in vain.
    let wait = if first_token { TOKEN_WAIT } else { Duration::ZERO };
    let until = Instant::now() + wait;
    while asker.poll(Duration::from_millis(if first_token { 10 } else { 0 })).is_some() {}
    while first_token && asker.context().last().is_some() && Instant::now() < until {
        let _ = asker.poll(READY_INTERVAL);
    }
}

/// What went wrong with connections meanwhile waits to be heard.
fn hear(asker: &BaseConsumer<Watch>) {
    for _ in 0..EVENTS_HEARD_MAX {
        let _ = asker.poll(Duration::from_millis(5));
    }
}

/// Dropping a client waits for its threads.
pub(crate) fn drop_aside<T: Send + 'static>(client: T) {
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => drop(runtime.spawn_blocking(move || drop(client))),
        Err(_) => drop(client),
    }
}
