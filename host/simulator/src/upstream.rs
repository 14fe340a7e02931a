//! The database that is followed: tables, rows, DDLs, and how far all of it is resolved.

use crate::rng::Rng;
use crate::scenario::{MS, Scenario};
use std::collections::BTreeMap;
use std::sync::Arc;
use tg_model::{DdlEvent, DdlKind, Position, Stage, TableId, TableKey, TableVersion, Ts};

/// Physical milliseconds when the run begins.
const EPOCH_MS: u64 = 1_000_000;
/// Regions tell their resolved-ts this much later.
const RESOLVED_LAG_MS: u64 = 20;

/// The upstream's clock at a time of the run.
pub(crate) fn ts_at(at: u64) -> Ts {
    Ts::compose(EPOCH_MS + at / MS, 0)
}

pub(crate) struct Table {
    /// Made by the DDL at this ts; [`Ts::ZERO`]: was there before.
    pub(crate) made: Ts,
    /// Dropped by the DDL at this ts.
    pub(crate) dropped: Ts,
    /// Commit-ts of its rows.
    pub(crate) rows: Vec<Ts>,
}

impl Table {
    /// How many of its rows are done at a position.
    pub(crate) fn rows_at(&self, at: Position) -> usize {
        let whole = at.stage != Stage::Before;
        self.rows.partition_point(|ts| *ts < at.ts || whole && *ts == at.ts)
    }
}

pub(crate) struct Upstream {
    pub(crate) tables: BTreeMap<TableId, Table>,
    pub(crate) ddls: Vec<Arc<DdlEvent>>,
    /// Tables that do not resolve, and since when.
    pub(crate) stuck: BTreeMap<TableId, u64>,
}

impl Upstream {
    pub(crate) fn of(scenario: &Scenario) -> Self {
        let mut rng = Rng::new(scenario.seed ^ 0x7570_5354);
        let mut up = Self { tables: BTreeMap::new(), ddls: Vec::new(), stuck: BTreeMap::new() };
        for id in 0..scenario.tables {
            up.tables.insert(TableId(100 + id as i64), new_table(Ts::ZERO));
        }
        let quiet = scenario.heal + 2_000 * MS;
        up.make_ddls(scenario, quiet, &mut rng);
        up.make_rows(scenario, quiet, &mut rng);
        up
    }

    fn make_ddls(&mut self, scenario: &Scenario, quiet: u64, rng: &mut Rng) {
        let (mut at, mut next) = (500 * MS, 1_000);
        if scenario.ddl_every == 0 {
            return;
        }
        loop {
            at += rng.between(1, 2 * scenario.ddl_every);
            if at >= quiet {
                break;
            }
            let ts = Ts::new(ts_at(at).get() + rng.below(3));
            if self.ddls.last().is_some_and(|d| d.commit_ts >= ts) {
                continue;
            }
            let live: Vec<_> = self.tables.iter().filter(|(_, t)| t.dropped == Ts::MAX).map(|(id, _)| *id).collect();
            let pick = live.get(rng.below(live.len() as u64) as usize).copied();
            let event = match (rng.below(4), pick) {
                (0, Some(old)) if live.len() > 1 => ddl(ts, DdlKind::DropTable, Some(old), None),
                (1, Some(old)) => ddl(ts, DdlKind::AddColumn, Some(old), Some(old)),
                (2, Some(old)) => {
                    next += 1;
                    ddl(ts, DdlKind::TruncateTable, Some(old), Some(TableId(next)))
                }
                _ => {
                    next += 1;
                    ddl(ts, DdlKind::CreateTable, None, Some(TableId(next)))
                }
            };
            for id in &event.removes {
                if let Some(t) = self.tables.get_mut(id) {
                    t.dropped = ts;
                }
            }
            event.adds.iter().for_each(|id| {
                self.tables.insert(*id, new_table(ts));
            });
            self.ddls.push(Arc::new(event));
        }
    }

    fn make_rows(&mut self, scenario: &Scenario, quiet: u64, rng: &mut Rng) {
        let ddls: Vec<_> = self.ddls.iter().map(|d| (d.commit_ts, d.blocks.clone())).collect();
        for (id, table) in &mut self.tables {
            let mut at = MS;
            while at < quiet {
                at += rng.between(1, 2 * scenario.row_every);
                table.rows.push(Ts::new(ts_at(at).get() + rng.below(3)));
            }
            // A row may commit at the very ts of a DDL of its table: it comes before it.
            table.rows.extend(ddls.iter().filter(|(_, b)| b.contains(id) && rng.permille(300)).map(|(ts, _)| *ts));
            table.rows.sort_unstable();
            table.rows.dedup();
            let (made, dropped) = (table.made, table.dropped);
            table.rows.retain(|ts| *ts > made && *ts <= dropped);
        }
    }

    /// How far a table is resolved at a time.
    pub(crate) fn resolved(&self, table: TableId, now: u64) -> Ts {
        let at = self.stuck.get(&table).map_or(now, |since| now.min(*since));
        ts_at(at.saturating_sub(RESOLVED_LAG_MS * MS))
    }

    /// How far DDLs are resolved at a time.
    pub(crate) fn ddl_resolved(now: u64) -> Ts {
        ts_at(now.saturating_sub(RESOLVED_LAG_MS * MS))
    }

    /// Tables at a position, as the schema there has them.
    pub(crate) fn tables_at(&self, at: Position) -> Vec<Arc<TableVersion>> {
        let done = |ts: Ts| ts == Ts::ZERO || Position::ddl(ts) <= at;
        let there = self.tables.iter().filter(|(_, t)| done(t.made) && !(t.dropped != Ts::MAX && done(t.dropped)));
        there.map(|(id, t)| version(*id, t.made)).collect()
    }

    /// Position after everything that will ever happen.
    pub(crate) fn last(&self) -> Ts {
        let rows = self.tables.values().filter_map(|t| t.rows.last());
        rows.copied().chain(self.ddls.iter().map(|d| d.commit_ts)).max().unwrap_or(Ts::ZERO)
    }
}

const fn new_table(made: Ts) -> Table {
    Table { made, dropped: Ts::MAX, rows: Vec::new() }
}

fn version(table: TableId, since: Ts) -> Arc<TableVersion> {
    Arc::new(TableVersion {
        table,
        since,
        update_ts: since,
        schema_id: 1,
        schema: "s".into(),
        name: format!("t{table}"),
        charset: String::new(),
        collation: String::new(),
        columns: Vec::new(),
        by_id: BTreeMap::new(),
        indexes: Vec::new(),
        row_key: None,
        handle: TableKey::RowId,
        partitions: Vec::new(),
        is_view: false,
        is_sequence: false,
    })
}

fn ddl(ts: Ts, kind: DdlKind, before: Option<TableId>, after: Option<TableId>) -> DdlEvent {
    let (old, new) = (before.into_iter().collect::<Vec<_>>(), after.into_iter().collect::<Vec<_>>());
    DdlEvent {
        commit_ts: ts,
        seq: 0,
        job_id: ts.get().cast_signed(),
        action: 0,
        kind,
        schema: "s".into(),
        table: after.or(before).map(|t| format!("t{t}")).unwrap_or_default(),
        query: format!("{kind:?}"),
        charset: String::new(),
        collation: String::new(),
        sql_mode: 0,
        before: before.map(|t| version(t, Ts::ZERO)),
        after: after.map(|t| version(t, ts)),
        blocks: old.clone(),
        removes: old.iter().copied().filter(|t| !new.contains(t)).collect(),
        adds: new.iter().copied().filter(|t| !old.contains(t)).collect(),
    }
}
