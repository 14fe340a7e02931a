//! Brokers that plugins may write to.

use crate::fault::{Fault, FaultKind};
use crate::oauth::Oauth;
use crate::producer::KafkaProducer;
use crate::progress::PARTITIONS;
use crate::target::{KafkaTarget, Sasl};
use crate::topics::{Making, Topics};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::sync::Arc;
use tg_plugin::grant::{EndpointError, LaneContext, Producer, ProducerEndpoint};
use tokio::sync::OnceCell;

/// Settings of the progress topic: only the last record of a lane counts, and reading all of them is to be quick.
const PROGRESS_SETTINGS: &[(&str, &str)] = &[
    ("cleanup.policy", "compact"),
    ("segment.bytes", "16777216"),
    ("segment.ms", "600000"),
    ("min.cleanable.dirty.ratio", "0.1"),
];

/// What all producers of an endpoint share.
pub(crate) struct Shared {
    pub(crate) target: Arc<KafkaTarget>,
    pub(crate) oauth: Option<Arc<Oauth>>,
    pub(crate) topics: Topics,
    progress: OnceCell<()>,
}

impl Shared {
    /// The progress topic is there and as it must be.
    pub(crate) async fn progress_topic(&self) -> Result<(), Fault> {
        let check = || async {
            let topic = &self.target.progress_topic;
            let making = Making { partitions: PARTITIONS, settings: PROGRESS_SETTINGS };
            let there = self.topics.there(topic, &making, FaultKind::Progress).await?;
            if there < PARTITIONS {
                let reason = format!("it has {there} partitions, and needs {PARTITIONS}");
                return Err(Fault::new(FaultKind::Progress, format!("using topic {topic}"), reason));
            }
            Ok(())
        };
        self.progress.get_or_try_init(check).await.copied()
    }
}

/// Brokers; connects when it is first used.
pub struct KafkaEndpoint {
    shared: Arc<Shared>,
}

impl KafkaEndpoint {
    /// Checks the settings. To be called within a runtime.
    ///
    /// # Errors
    /// When the client library does not take them.
    pub fn new(target: KafkaTarget) -> Result<Self, Fault> {
        let oauth = match &target.sasl {
            Some(Sasl::Oauth(oauth)) => Some(Arc::new(Oauth::new(oauth))),
            _ => None,
        };
        let target = Arc::new(target);
        let topics = Topics::new(Arc::clone(&target), oauth.clone())?;
        Ok(Self { shared: Arc::new(Shared { target, oauth, topics, progress: OnceCell::new() }) })
    }

    /// Where it is, for messages.
    #[must_use]
    pub fn target(&self) -> &KafkaTarget {
        &self.shared.target
    }

    /// Partitions of a topic, which is made if it is not there and may be. Fences nobody.
    ///
    /// # Errors
    /// When the brokers do not answer, or the topic is not there, cannot be made, or has fewer partitions than are asked for.
    pub async fn partitions(&self, topic: &str) -> Result<u32, Fault> {
        Ok(self.shared.topics.facts(topic).await?.partitions)
    }
}

impl std::fmt::Debug for KafkaEndpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KafkaEndpoint").field("target", &self.shared.target).finish_non_exhaustive()
    }
}

impl ProducerEndpoint for KafkaEndpoint {
    fn open(&self, lane: LaneContext) -> BoxFuture<'_, Result<Box<dyn Producer>, EndpointError>> {
        async move {
            let opened = KafkaProducer::open(Arc::clone(&self.shared), &lane).await?;
            Ok(Box::new(opened) as Box<dyn Producer>)
        }
        .boxed()
    }
}
