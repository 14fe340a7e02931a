//! Source, product and broker together; reading topics.

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedHeaders, Headers as _};
use rdkafka::{Message as _, Offset, TopicPartitionList};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tg_format_common::{ChangeEvent, Datum, Field, RowChange};
use tg_test_servers::Kafka;
use tg_testkit::{Api, CATCH_UP, Sql, Tidegate, UpstreamTidb};
use tgr1::Op;

static SHARED: Mutex<Weak<Rig>> = Mutex::new(Weak::new());

/// What the tests stand on. In this order: the product ends first.
pub(crate) struct Rig {
    pub(crate) tidegate: Tidegate,
    pub(crate) upstream: UpstreamTidb,
    pub(crate) kafka: Kafka,
    _folder: TempDir,
}

impl Rig {
    pub(crate) fn start() -> Self {
        let folder = TempDir::with_prefix("tidegate-kafka-system-").unwrap();
        let kafka = Kafka::start().unwrap();
        let upstream = UpstreamTidb::start_with(&[]).unwrap();
        let tidegate = Tidegate::start(&upstream.pd(), folder.path()).unwrap();
        Self { tidegate, upstream, kafka, _folder: folder }
    }

    /// The rig that all tests of this process share; it stops when the last of them lets it go.
    pub(crate) fn shared() -> Arc<Self> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let started = Arc::new(Self::start());
            *shared = Arc::downgrade(&started);
            started
        })
    }

    /// Creates database `name` upstream, and a changefeed of that name for it into the topic of that name.
    pub(crate) async fn feed(&self, name: &str, params: &str, config: Value) -> Feed {
        let mut up = Sql::connect(&self.upstream.url()).await.unwrap();
        let start_ts = up.now_ts().await.unwrap();
        up.all(&[&format!("CREATE DATABASE {name}"), &format!("USE {name}")]).await.unwrap();
        let feed = Feed { name: name.to_owned(), up, api: self.tidegate.api(), address: self.kafka.address() };
        let created = feed.create(start_ts, params, config).await;
        created.unwrap_or_else(|e| panic!("{e:#}\n{}", self.tidegate.log_tail()));
        feed
    }
}

/// A changefeed into a topic of its name.
pub(crate) struct Feed {
    pub(crate) name: String,
    pub(crate) up: Sql,
    pub(crate) api: Api,
    pub(crate) address: String,
}

impl Feed {
    pub(crate) async fn create(&self, start_ts: u64, params: &str, mut config: Value) -> anyhow::Result<Value> {
        config["filter"] = json!({"rules": [format!("{}.*", self.name)]});
        let uri = format!("kafka://{}/{}?{params}", self.address, self.name);
        let body = json!({"changefeed_id": self.name, "start_ts": start_ts, "sink_uri": uri, "replica_config": config});
        self.api.create(&body).await
    }

    /// Waits until everything that is committed upstream now is in the topics.
    pub(crate) async fn catch_up(&mut self, rig: &Rig) -> u64 {
        let now = self.up.now_ts().await.unwrap();
        let caught = self.api.wait_checkpoint(&self.name, now, CATCH_UP).await;
        caught.unwrap_or_else(|e| panic!("{e:#}\n{}", rig.tidegate.log_tail()));
        now
    }

    pub(crate) fn read(&self) -> Vec<Read> {
        read(&self.address, &self.name)
    }
}

/// A message as it is read.
#[derive(Clone, Debug)]
pub(crate) struct Read {
    pub(crate) partition: i32,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
}

fn headers(of: &BorrowedHeaders) -> Vec<(String, Vec<u8>)> {
    of.iter().map(|header| (header.key.to_owned(), header.value.unwrap_or_default().to_vec())).collect()
}

/// Everything in a topic that is committed, by partition and offset.
pub(crate) fn read(address: &str, topic: &str) -> Vec<Read> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", address).set("group.id", "reader").set("enable.auto.commit", "false");
    config.set("isolation.level", "read_committed").set("enable.partition.eof", "true");
    let consumer: BaseConsumer = config.create().unwrap();
    let metadata = consumer.fetch_metadata(Some(topic), Duration::from_secs(30)).unwrap();
    let partitions = metadata.topics()[0].partitions().len();
    assert!(partitions > 0, "there is no topic {topic}");
    let mut all = TopicPartitionList::new();
    for p in 0..partitions {
        all.add_partition_offset(topic, p as i32, Offset::Beginning).unwrap();
    }
    consumer.assign(&all).unwrap();
    let (mut out, mut ended) = (Vec::new(), 0);
    let deadline = Instant::now() + Duration::from_secs(60);
    while Instant::now() < deadline {
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(m)) => out.push(Read {
                partition: m.partition(),
                key: m.key().map(<[u8]>::to_vec),
                value: m.payload().map(<[u8]>::to_vec),
                headers: m.headers().map_or_else(Vec::new, headers),
            }),
            Some(Err(KafkaError::PartitionEOF(_))) => ended += 1,
            Some(Err(_)) | None => {}
        }
        if ended == partitions {
            out.sort_by_key(|m| m.partition);
            return out;
        }
    }
    panic!("{topic} was not read to its end: {} messages", out.len())
}

/// Values of a row by column, as text; `None`: NULL.
pub(crate) type Row = BTreeMap<String, Option<String>>;

/// What a reader of changes has in the end: rows by the text of `id`.
pub(crate) fn applied<'a>(events: impl IntoIterator<Item = &'a ChangeEvent>) -> BTreeMap<String, Row> {
    let mut rows = BTreeMap::new();
    for event in events {
        let ChangeEvent::Row(change) = event else { continue };
        match change.op {
            Op::Delete => {
                rows.remove(&id(change.before.as_deref().unwrap()));
            }
            Op::Insert | Op::Update => {
                let after = change.after.as_deref().unwrap();
                rows.insert(id(after), after.iter().map(|f| (f.name.clone(), text(&f.value))).collect());
            }
        }
    }
    rows
}

/// The id of the row that an event is about.
pub(crate) fn row_id(change: &RowChange) -> String {
    id(change.after.as_deref().or(change.before.as_deref()).unwrap())
}

fn id(fields: &[Field]) -> String {
    text(&fields.iter().find(|f| f.name == "id").unwrap().value).unwrap()
}

fn text(value: &Datum) -> Option<String> {
    Some(match value {
        Datum::Null => return None,
        Datum::Int(n) => n.to_string(),
        Datum::UInt(n) => n.to_string(),
        Datum::Float(n) => n.to_string(),
        Datum::Text(s) => s.clone(),
        Datum::Bytes(b) => String::from_utf8_lossy(b).into_owned(),
    })
}

/// The rows of table `t` of a feed's database as the source has them.
pub(crate) async fn source(up: &mut Sql, table: &str) -> BTreeMap<String, Row> {
    type Columns = (i64, Option<i64>, Option<String>);
    let all: Vec<Columns> = up.rows(&format!("SELECT id, v, name FROM {table}")).await.unwrap();
    let row = |(id, v, name): Columns| {
        let id = id.to_string();
        let fields = [("id", Some(id.clone())), ("v", v.map(|v| v.to_string())), ("name", name)];
        (id, fields.into_iter().map(|(n, v)| (n.to_owned(), v)).collect())
    };
    all.into_iter().map(row).collect()
}
