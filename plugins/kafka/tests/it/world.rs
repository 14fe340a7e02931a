//! A producer that keeps what it is given, and a life of a sink before it.

use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use tg_plugin_kafka::Kafka;
use tgr1::{Batch, project};
use tidegate_sdk::native::{Bucket, Host, Producer, Upload, scope};
use tidegate_sdk::object_store::{ObjectMeta, PutError, PutMode};
use tidegate_sdk::producer::Messages;
use tidegate_sdk::{Barrier, BarrierKind, Blocks, Context, Failure, Position, RowBatch, Sink, TableRef, TableSchema};

/// A record as the broker would have it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Record {
    pub(crate) partition: u32,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
}

#[derive(Default)]
struct State {
    records: Vec<Record>,
    /// Calls until one is refused.
    refuse_in: Option<usize>,
    /// Objects, and when they were written.
    objects: BTreeMap<String, u64>,
    now_ms: u64,
    store_is_away: bool,
    /// Requests for lists.
    lists: usize,
}

/// See the module.
#[derive(Clone, Default)]
pub(crate) struct World(Rc<RefCell<State>>);

impl World {
    pub(crate) fn records(&self) -> Vec<Record> {
        self.0.borrow().records.clone()
    }

    pub(crate) fn refuse_in(&self, calls: usize) {
        self.0.borrow_mut().refuse_in = Some(calls);
    }

    pub(crate) fn put(&self, path: &str, modified_ms: u64) {
        self.0.borrow_mut().objects.insert(path.to_owned(), modified_ms);
    }

    pub(crate) fn objects(&self) -> Vec<String> {
        self.0.borrow().objects.keys().cloned().collect()
    }

    pub(crate) fn set_time(&self, now_ms: u64) {
        self.0.borrow_mut().now_ms = now_ms;
    }

    pub(crate) fn set_away(&self, away: bool) {
        self.0.borrow_mut().store_is_away = away;
    }

    pub(crate) fn lists(&self) -> usize {
        self.0.borrow().lists
    }

    /// Runs `life` with a sink that is told this.
    pub(crate) fn life<R>(&self, config: &Value, life: impl FnOnce(&mut Kafka) -> R) -> Result<R, Failure> {
        scope(Rc::new(self.clone()), || {
            let endpoints = vec!["downstream".to_owned()];
            let changefeed = "default/f".to_owned();
            // The instance that runs DDL, which does all that a lane does.
            let context =
                Context { changefeed, lane: 1, lanes: 1, config: config.to_string(), endpoints, ..Context::default() };
            let (mut sink, _) = Kafka::open(context)?;
            Ok(life(&mut sink))
        })
    }
}

impl Host for World {
    fn producer_open(&self, _: &str) -> Result<Box<dyn Producer>, Failure> {
        Ok(Box::new(self.clone()))
    }

    fn object_store_open(&self, _: &str) -> Result<Box<dyn Bucket>, Failure> {
        Ok(Box::new(self.clone()))
    }

    fn wall_ms(&self) -> u64 {
        self.0.borrow().now_ms
    }
}

impl Bucket for World {
    fn put(&self, path: &str, data: &[u8], _: &PutMode) -> Result<ObjectMeta, PutError> {
        let modified_ms = self.0.borrow().now_ms;
        World::put(self, path, modified_ms);
        Ok(ObjectMeta { path: path.to_owned(), size: data.len() as u64, etag: None, modified_ms })
    }

    fn get(&self, _: &str, _: u64, _: u64) -> Result<Option<Vec<u8>>, Failure> {
        Err(Failure::unsupported("test", "not asked for"))
    }

    fn head(&self, _: &str) -> Result<Option<ObjectMeta>, Failure> {
        Err(Failure::unsupported("test", "not asked for"))
    }

    fn list(&self, prefix: &str, after: &str, limit: u32) -> Result<Vec<ObjectMeta>, Failure> {
        let mut state = self.0.borrow_mut();
        state.lists += 1;
        if state.store_is_away {
            return Err(Failure::retryable("away"));
        }
        let found = state.objects.iter().filter(|(path, _)| path.starts_with(prefix) && path.as_str() > after);
        let meta = |(path, modified): (&String, &u64)| ObjectMeta {
            path: path.clone(),
            size: 1,
            etag: None,
            modified_ms: *modified,
        };
        Ok(found.take(limit as usize).map(meta).collect())
    }

    fn delete(&self, path: &str) -> Result<(), Failure> {
        self.0.borrow_mut().objects.remove(path);
        Ok(())
    }

    fn upload(&self, _: &str) -> Result<Box<dyn Upload>, Failure> {
        Err(Failure::unsupported("test", "not asked for"))
    }
}

impl Producer for World {
    fn partitions(&self, _: &str) -> Result<u32, Failure> {
        Ok(3)
    }

    fn max_message_bytes(&self, _: &str) -> Result<u32, Failure> {
        Ok(10 << 20)
    }

    fn send(&self, m: &Messages) -> Result<(), Failure> {
        let mut state = self.0.borrow_mut();
        if let Some(left) = &mut state.refuse_in {
            if *left == 0 {
                state.refuse_in = None;
                return Err(Failure::retryable("not now"));
            }
            *left -= 1;
        }
        let all = |blocks: &Blocks| blocks.iter().map(<[u8]>::to_vec).collect::<Vec<_>>();
        let (keys, values) = (all(&m.keys), all(&m.values));
        for i in 0..m.len() {
            let (key, value) = (keys.get(i).cloned(), values.get(i).cloned());
            let record = Record { partition: m.partitions[i], key, value, headers: m.headers.clone() };
            state.records.push(record);
        }
        Ok(())
    }

    fn flush(&self) -> Result<(), Failure> {
        Ok(())
    }
}

struct Rows(TableRef, u32);

impl RowBatch for Rows {
    fn table(&self) -> TableRef {
        self.0
    }

    fn row_count(&self) -> u32 {
        self.1
    }

    fn byte_size(&self) -> u32 {
        0
    }

    fn read(&self, _: Option<&[u32]>, _: u32, _: u32) -> Result<Vec<u8>, String> {
        Err("not asked for".to_owned())
    }
}

/// What a sink is told, and more.
pub(crate) fn config(protocol: &str, more: &Value) -> Value {
    let mut config = json!({"protocol": protocol, "topic": "t"});
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    config
}

/// Announces the table and gives the rows of a batch, so many at a time, then flushes.
pub(crate) fn give(sink: &mut Kafka, schema: &Arc<TableSchema>, data: &[u8], at_once: u32) -> Result<(), Failure> {
    let plan = sink.on_schema(Arc::clone(schema), &[])?;
    let batch = Batch::parse(data).unwrap();
    let all: Vec<u32> = (0..schema.columns.len() as u32).collect();
    let wanted = plan.columns.unwrap_or(all);
    let rows = batch.len() as u32;
    for start in (0..rows).step_by(at_once as usize) {
        let piece = project(&batch, &wanted, start, at_once).unwrap();
        let outcome = sink.write(&Rows(schema.id, at_once.min(rows - start)), &piece)?;
        assert_eq!(outcome.quarantined, []);
    }
    let barrier = Barrier { id: 1, kind: BarrierKind::Checkpoint, at: Position::default() };
    sink.flush(barrier).map(drop)
}
