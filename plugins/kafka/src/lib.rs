//! A sink that writes changes to Kafka in the formats that TiCDC's users read.
//!
//! Does: encode rows, DDL and watermarks with the format crates; send them to the topics and partitions that the dispatcher
//! chose; describe tables to those who read `simple`; register schemas for the avro formats.
//! Does not: connect, make topics, keep what is not acknowledged, write in transactions (the producer is the host's); compute
//! partitions (that is the dispatcher's).
//!
//! Invariants:
//! - Messages of one partition leave in the order in which their rows came.
//! - A row that cannot be encoded is refused by itself, and nothing of it is sent.
//! - A DDL is handed to the producer once, however often its flush is tried.
//! - A change has the same id whenever it is sent, and no other change has it.
//! - A watermark names a timestamp up to which everything of the changefeed has been acknowledged.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod bootstrap;
mod claims;
mod config;
mod encoders;
mod ids;
mod outbox;
mod registry;
mod retention;

pub use config::Config;

use bootstrap::Bootstrap;
use claims::Claims;
use config::LargeOption;
use encoders::Protocol;
use ids::Ids;
use outbox::{Outbox, Place};
use registry::Trouble;
use retention::{Mark, Retention};
use std::collections::BTreeMap;
use std::sync::Arc;
use tg_format_common::{EncodeError, Encoder, Messages};
use tg_format_rules::Rules;
use tgr1::{Batch, Row};
use tidegate_sdk::producer::Producer;
use tidegate_sdk::{
    Ack, BadEvent, Barrier, Capability, Context, DdlEvent, Failure, Manifest, Position, RowBatch, Sink, TablePlan,
    TableRef, TableSchema, WriteOutcome, clock, log,
};

/// Rows and bytes before a flush: with exactly-once a flush is a transaction.
const BATCH_ROWS: u32 = 32_768;
const BATCH_BYTES: u32 = 8 << 20;

/// A table version that rows may come of.
struct Known {
    /// Full name, for errors.
    name: String,
    /// Topics that the dispatcher's targets are, as the outbox counts them.
    topics: Vec<u32>,
    bootstrap: Bootstrap,
}

/// See the crate.
pub struct Kafka {
    config: Config,
    protocol: Protocol,
    rules: Rules,
    encoder: Box<dyn Encoder>,
    trouble: Trouble,
    producer: Producer,
    claims: Option<Claims>,
    /// On the instance that runs DDL.
    retention: Option<Retention>,
    ids: Option<Ids>,
    outbox: Outbox,
    tables: BTreeMap<TableRef, Known>,
    /// Bytes that a message may have.
    limit: usize,
    /// Messages of one call, and where each goes; `None`: nowhere, its row is refused.
    made: Messages,
    places: Vec<Option<Place>>,
    /// Of which DDL the messages are with the producer already.
    taken_ddl: Option<(u64, String)>,
    /// The last watermark that was sent.
    watermark: u64,
}

impl Kafka {
    fn encoding_failed(&self, e: &EncodeError) -> Failure {
        self.trouble.take().unwrap_or_else(|| Failure::fatal(e.code(), e.to_string()))
    }

    /// Hands over what waits, then waits until all of it is acknowledged.
    fn acknowledged(&mut self) -> Result<(), Failure> {
        self.outbox.send(&self.producer)?;
        self.producer.flush()
    }

    /// Messages of another call are made from here on.
    fn clear(&mut self) {
        self.made.clear();
        self.ids.iter_mut().for_each(Ids::clear);
    }

    /// Puts the one message that was made into these partitions of a topic.
    fn spread(&mut self, topic: &str, partitions: u32) {
        let topic = self.outbox.topic(topic);
        for partition in 0..partitions {
            for i in 0..self.made.len() {
                let header = self.ids.as_ref().and_then(|ids| ids.header(i));
                self.outbox.push(&self.made, i, Place { topic, partition }, header);
            }
        }
    }

    /// Tells those who read a topic what the table is like, when it is time.
    fn describe(&mut self, table: TableRef, rows: u32, now: u64) -> Result<(), Failure> {
        let Some(known) = self.tables.get_mut(&table) else { return Ok(()) };
        if !known.bootstrap.is_due(now) {
            known.bootstrap.sent(rows);
            return Ok(());
        }
        let topics = known.topics.clone();
        self.clear();
        self.encoder.bootstrap(table, now, &mut self.made).map_err(|e| self.encoding_failed(&e))?;
        for topic in topics {
            let name = self.outbox.name(topic).to_owned();
            let all = self.producer.partitions(&name)?;
            self.spread(&name, if self.config.send_bootstrap_to_all_partition { all } else { 1 });
        }
        if let Some(known) = self.tables.get_mut(&table) {
            known.bootstrap.described(now);
            known.bootstrap.sent(rows);
        }
        Ok(())
    }

    /// Makes the messages of a row; those of a row that failed are not to be sent.
    fn encode(&mut self, table: TableRef, row: &Row<'_>, now: u64) -> Result<(), EncodeError> {
        if let Some(claims) = &self.claims {
            claims.row(row);
        }
        if let Some(ids) = &mut self.ids {
            ids.row(table, row, &mut self.made)?;
        }
        let first = self.made.len();
        self.encoder.row(table, row, now, &mut self.made)?;
        if let Some(ids) = &mut self.ids {
            ids.made(&self.made);
        }
        // Some formats know no limit. Those that join changes count what they make themselves.
        let bytes = (first..self.made.len()).filter_map(|i| self.made.get(i)).map(|m| m.weight()).max().unwrap_or(0);
        if bytes <= self.limit || self.encoder.packs() {
            return Ok(());
        }
        let table = self.tables.get(&table).map_or_else(String::new, |known| known.name.clone());
        Err(EncodeError::TooLarge { table, commit_ts: row.commit_ts(), bytes, limit: self.limit })
    }

    /// Removes some stored messages that are old. That a store refuses is no reason to stop.
    fn remove_old(&mut self) {
        let (Some(retention), Some(claims)) = (&mut self.retention, &self.claims) else { return };
        match retention.pass(&claims.bucket, clock::wall_ms()) {
            Ok(0) => {}
            Ok(n) => log::info(&format!("{n} large messages were stored long enough and are removed"), &[]),
            Err(e) => log::warn(&format!("old large messages are not removed for now: {e}"), &[]),
        }
    }

    /// Moves what was made into the outbox; formats that join changes do so here, partition by partition.
    fn hand_on(&mut self) -> Result<(), Failure> {
        if !self.encoder.packs() {
            for (i, place) in self.places.iter().enumerate() {
                if let Some(place) = place {
                    let header = self.ids.as_ref().and_then(|ids| ids.header(i));
                    self.outbox.push(&self.made, i, *place, header);
                }
            }
            return Ok(());
        }
        let mut by_place: BTreeMap<Place, Vec<u32>> = BTreeMap::new();
        for (place, i) in self.places.iter().zip(0..) {
            if let Some(place) = place {
                by_place.entry(*place).or_default().push(i);
            }
        }
        let mut joined = Messages::new();
        for (place, numbers) in by_place {
            joined.clear();
            self.encoder.pack(&self.made, &numbers, &mut joined).map_err(|e| self.encoding_failed(&e))?;
            let mut rest = numbers.as_slice();
            for i in 0..joined.len() {
                let rows = joined.get(i).map_or(0, |message| message.rows as usize);
                let (these, others) = rest.split_at(rows.min(rest.len()));
                rest = others;
                let header = self.ids.as_ref().and_then(|ids| ids.joined(these));
                self.outbox.push(&joined, i, place, header.as_deref());
            }
        }
        Ok(())
    }
}

impl Sink for Kafka {
    fn manifest() -> Manifest {
        let optional =
            |name: &str, reason: &str| Capability { name: name.to_owned(), required: false, reason: reason.to_owned() };
        Manifest {
            config_schema: Config::SCHEMA.to_owned(),
            capabilities: vec![
                Capability::required("producer", "sends changes to the topics"),
                optional("http", "registers schemas of the avro formats"),
                optional("object-store", "keeps messages that are too large for a topic"),
                optional("clock", "messages say when they were made"),
            ],
            ..Manifest::new("kafka", env!("CARGO_PKG_VERSION"))
        }
    }

    fn open(ctx: Context) -> Result<(Self, Option<Position>), Failure> {
        let config = Config::parse(&ctx.config)?;
        let rules = Rules::new(&config.rules()).map_err(|e| Failure::fatal("rules", e.to_string()))?;
        let producer = Producer::open(&config.endpoint(&ctx.endpoints)?)?;
        let limit = producer.max_message_bytes(rules.default_topic())?.min(config.max_message_bytes) as usize;
        let limit = limit.saturating_sub(if config.event_id.in_header() { ids::HEADER_BYTES } else { 0 });
        let trouble = Trouble::default();
        let protocol = config.protocol;
        let keep = config.claim_check_retention_ms.map(|ms| (Mark::of(&ctx.changefeed), ms));
        let claims = match (config.large_message_handle_option, &config.claim_check_endpoint) {
            (LargeOption::ClaimCheck, Some(endpoint)) => Some(Claims::open(endpoint, keep.map(|(mark, _)| mark))?),
            (LargeOption::ClaimCheck, None) => {
                return Err(Failure::fatal("config", "`claim-check` needs `claim-check-endpoint`"));
            }
            (LargeOption::None | LargeOption::HandleKeyOnly, _) => None,
        };
        let encoder = encoders::make(&config, limit, &trouble, claims.as_ref())
            .map_err(|e| Failure::fatal(e.code(), e.to_string()))?;
        let sink = Self {
            protocol,
            rules,
            encoder,
            trouble,
            producer,
            claims,
            retention: keep.filter(|_| ctx.lane == ctx.lanes).map(|(mark, ms)| Retention::new(mark, ms)),
            ids: Ids::new(&config),
            outbox: Outbox::default(),
            tables: BTreeMap::new(),
            made: Messages::new(),
            places: Vec::new(),
            taken_ddl: None,
            watermark: 0,
            limit,
            config,
        };
        Ok((sink, None))
    }

    fn on_schema(&mut self, schema: Arc<TableSchema>, targets: &[String]) -> Result<TablePlan, Failure> {
        let columns = self.rules.columns(&schema).map_err(|e| Failure::fatal("column-selector", e.to_string()))?;
        let own = [self.rules.topic(&schema.database, &schema.name)];
        let names = if targets.is_empty() { &own[..] } else { targets };
        let topics = names.iter().map(|name| self.outbox.topic(name)).collect();
        let (id, name) = (schema.id, format!("{}.{}", schema.database, schema.name));
        let wanted = match &mut self.ids {
            Some(ids) => ids.table(&schema, columns.clone()).map_err(|e| Failure::fatal(e.code(), e.to_string()))?,
            None => columns.clone(),
        };
        self.encoder.table(schema, columns.as_deref()).map_err(|e| self.encoding_failed(&e))?;
        let bootstrap = Bootstrap::new(&self.config, self.protocol);
        self.tables.insert(id, Known { name, topics, bootstrap });
        Ok(TablePlan {
            columns: wanted,
            batch_rows: Some(BATCH_ROWS),
            batch_bytes: Some(BATCH_BYTES),
            ..TablePlan::default()
        })
    }

    fn drop_schema(&mut self, table: TableRef) {
        self.encoder.drop_table(table);
        self.ids.iter_mut().for_each(|ids| ids.drop_table(table));
        self.tables.remove(&table);
    }

    fn on_ddl(&mut self, ddl: &DdlEvent) -> Result<(), Failure> {
        let seq = ddl.attrs.iter().find(|(name, _)| name == "seq").map_or("", |(_, v)| v.as_str());
        let this = (ddl.at.ts, seq.to_owned());
        if self.taken_ddl.as_ref() != Some(&this) {
            self.clear();
            self.ids.iter_mut().for_each(|ids| ids.ddl(ddl, &mut self.made));
            self.encoder
                .ddl(ddl, clock::wall_ms(), &mut self.made)
                .map_err(|e| self.encoding_failed(&e).context(&ddl.query))?;
            self.ids.iter_mut().for_each(|ids| ids.made(&self.made));
            let topic = self.rules.ddl_topic(ddl);
            let all = self.producer.partitions(&topic)?;
            self.spread(&topic, if self.protocol.ddl_in_all_partitions() { all } else { 1 });
            self.taken_ddl = Some(this);
        }
        self.acknowledged().map_err(|e| e.context(&ddl.query))
    }

    fn write(&mut self, batch: &dyn RowBatch, data: &[u8]) -> Result<WriteOutcome, Failure> {
        // Before anything of this batch is taken, so that a failure means that nothing was.
        self.outbox.send(&self.producer)?;
        let table = batch.table();
        let now = clock::wall_ms();
        self.describe(table, batch.row_count(), now)?;
        let known = self.tables.get(&table);
        let known = known.ok_or_else(|| Failure::fatal("schema", "rows of a table that was not announced"))?;
        let topics = known.topics.clone();
        self.clear();
        self.places.clear();
        let mut outcome = WriteOutcome::default();
        for (row, at) in Batch::parse(data)?.iter().zip(0..) {
            match self.encode(table, &row, now) {
                Ok(()) => {
                    let target = topics.get(usize::from(row.target())).or(topics.first());
                    let place = Place { topic: target.copied().unwrap_or_default(), partition: row.partition() };
                    self.places.resize(self.made.len(), Some(place));
                }
                Err(e) => {
                    self.places.resize(self.made.len(), None);
                    outcome.quarantined.push(BadEvent { row: at, code: e.code().to_owned(), message: e.to_string() });
                }
            }
        }
        if let Some(claims) = &self.claims {
            claims.store(&self.made)?;
        }
        self.hand_on()?;
        outcome.buffered_bytes = self.outbox.len_bytes() as u64;
        Ok(outcome)
    }

    fn flush(&mut self, barrier: Barrier) -> Result<Ack, Failure> {
        self.acknowledged()?;
        Ok(Ack::complete(&barrier))
    }

    fn on_checkpoint(&mut self, at: Position) -> Result<(), Failure> {
        let ts = if at.stage == 0 { at.ts.saturating_sub(1) } else { at.ts };
        if ts > self.watermark {
            self.clear();
            self.encoder.watermark(ts, clock::wall_ms(), &mut self.made).map_err(|e| self.encoding_failed(&e))?;
            if !self.made.is_empty() {
                let mut topics: Vec<String> = self.rules.fixed_topics().chain(self.producer.topics()).collect();
                topics.sort_unstable();
                topics.dedup();
                for topic in topics {
                    let all = self.producer.partitions(&topic)?;
                    self.spread(&topic, all);
                }
            }
            self.watermark = ts;
        }
        self.acknowledged()?;
        self.remove_old();
        Ok(())
    }
}

tidegate_sdk::export_sink!(Kafka);
