//! A broker that the tests share, and a consumer that reads what there is.

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::{Message as _, Offset, TopicPartitionList};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};
use tg_kafka::{KafkaEndpoint, KafkaTarget};
use tg_model::{ChangefeedId, LaneId, SlotId};
use tg_plugin::grant::{LaneContext, Messages, Producer, ProducerEndpoint, Strings};
use tg_test_servers::Kafka;

static SHARED: Mutex<Weak<Kafka>> = Mutex::new(Weak::new());

/// The broker that all tests of this process share; it stops when the last of them lets it go.
pub(crate) fn shared() -> Arc<Kafka> {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    shared.upgrade().unwrap_or_else(|| {
        let started = Arc::new(Kafka::start().unwrap());
        *shared = Arc::downgrade(&started);
        started
    })
}

pub(crate) fn target(address: &str) -> KafkaTarget {
    KafkaTarget { brokers: vec![address.to_owned()], ..KafkaTarget::default() }
}

pub(crate) fn exact(address: &str) -> KafkaTarget {
    KafkaTarget { exactly_once: true, incarnation: "9f".to_owned(), ..target(address) }
}

pub(crate) fn lane(changefeed: &str, lane: u16, epoch: u64) -> LaneContext {
    LaneContext {
        changefeed: ChangefeedId::new("default", changefeed).unwrap(),
        slot: SlotId(0),
        lane: LaneId(lane),
        epoch: (1, epoch),
    }
}

pub(crate) async fn open(target: KafkaTarget, lane: LaneContext) -> Box<dyn Producer> {
    KafkaEndpoint::new(target).unwrap().open(lane).await.unwrap()
}

fn strings<'a>(all: impl Iterator<Item = &'a str>) -> Strings {
    let (mut data, mut ends) = (Vec::new(), Vec::new());
    for text in all {
        data.extend_from_slice(text.as_bytes());
        ends.push(data.len() as u32);
    }
    Strings { data: data.into(), ends }
}

/// Messages to partition 0 of a topic: key and value.
pub(crate) fn messages(topic: &str, all: &[(&str, &str)]) -> Messages {
    Messages {
        topics: vec![topic.to_owned()],
        partitions: vec![0; all.len()],
        keys: Some(strings(all.iter().map(|(k, _)| *k))),
        values: strings(all.iter().map(|(_, v)| *v)),
        ..Messages::default()
    }
}

/// A message as it is read: partition, key, value.
pub(crate) type Read = (i32, Option<String>, Option<String>);

/// Everything in a topic that is committed, by partition and offset.
pub(crate) fn read(address: &str, topic: &str) -> Vec<Read> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", address).set("group.id", "reader").set("enable.auto.commit", "false");
    config.set("isolation.level", "read_committed").set("enable.partition.eof", "true");
    let consumer: BaseConsumer = config.create().unwrap();
    let metadata = consumer.fetch_metadata(Some(topic), Duration::from_secs(30)).unwrap();
    let partitions = metadata.topics()[0].partitions().len();
    let mut all = TopicPartitionList::new();
    for p in 0..partitions {
        all.add_partition_offset(topic, p as i32, Offset::Beginning).unwrap();
    }
    consumer.assign(&all).unwrap();
    let text = |b: Option<&[u8]>| b.map(|b| String::from_utf8(b.to_vec()).unwrap());
    let (mut out, mut ended) = (Vec::new(), 0);
    let deadline = Instant::now() + Duration::from_secs(60);
    while Instant::now() < deadline {
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(m)) => out.push((m.partition(), text(m.key()), text(m.payload()))),
            Some(Err(KafkaError::PartitionEOF(_))) => ended += 1,
            Some(Err(_)) | None => {}
        }
        if ended == partitions {
            out.sort_by_key(|(p, _, _)| *p);
            return out;
        }
    }
    panic!("{topic} was not read to its end: {} messages", out.len())
}

/// The values of a topic of one partition.
pub(crate) fn values(address: &str, topic: &str) -> Vec<String> {
    read(address, topic).into_iter().map(|(_, _, v)| v.unwrap()).collect()
}
