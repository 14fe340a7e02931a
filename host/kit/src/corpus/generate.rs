//! Corpora by seed.

use super::cell::Cell;
use super::event::{Change, Corpus, Event};
use super::table::TableDef;
use super::values;
use crate::KitError;
use crate::rng::Rng;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tg_model::{DdlEvent, DdlKind, TableId, TableVersion, Ts};
use tgr1::{Op, row_flags};

/// Timestamps as they are today, beyond what a double holds exactly.
const FIRST_TS: u64 = 459_000_000_000_000_001;
/// Every type, as SQL spells it.
pub(crate) const KINDS: &[&str] = &[
    "tinyint",
    "tinyint unsigned",
    "smallint",
    "mediumint unsigned",
    "int",
    "bigint",
    "bigint unsigned",
    "float",
    "double",
    "decimal(65,30)",
    "decimal(10,0)",
    "char(8)",
    "varchar(200)",
    "binary(4)",
    "varbinary(64)",
    "text",
    "blob",
    "json",
    "date",
    "datetime(6)",
    "timestamp(6)",
    "time(6)",
    "year",
    "enum('a','b c','it''s')",
    "set('x','y','z')",
    "bit(64)",
    "vector(3)",
];
/// Transactions of the plain corpus in checks.
pub(crate) const PLAIN_TXNS: usize = 120;
/// Keys that rows of the plain corpus take.
const KEYS: usize = 40;
/// Rows of a transaction at most.
const TXN_ROWS: usize = 6;
/// Longest text of an ordinary row.
const TEXT_BYTES: usize = 200;

fn row(table: &Arc<TableVersion>, ts: u64, before: Option<Vec<Cell>>, after: Option<Vec<Cell>>) -> Change {
    let op = match (&before, &after) {
        (None, _) => Op::Insert,
        (Some(_), None) => Op::Delete,
        (Some(_), Some(_)) => Op::Update,
    };
    Change { table: Arc::clone(table), commit_ts: ts, start_ts: ts - 1, op, flags: 0, before, after }
}

fn ddl(
    kind: DdlKind,
    query: String,
    ts: u64,
    before: Option<&Arc<TableVersion>>,
    after: Option<&Arc<TableVersion>>,
) -> Event {
    let of = after.or(before);
    let ids = |v: Option<&Arc<TableVersion>>| v.map(|v| v.table).into_iter().collect::<Vec<TableId>>();
    Event::Ddl(Arc::new(DdlEvent {
        commit_ts: Ts::new(ts),
        seq: 0,
        job_id: (ts % 1_000_000).cast_signed(),
        action: 0,
        kind,
        schema: of.map(|v| v.schema.clone()).unwrap_or_default(),
        table: of.map(|v| v.name.clone()).unwrap_or_default(),
        query,
        charset: "utf8mb4".to_owned(),
        collation: "utf8mb4_bin".to_owned(),
        sql_mode: 0,
        before: before.cloned(),
        after: after.cloned(),
        blocks: ids(before),
        removes: Vec::new(),
        adds: Vec::new(),
    }))
}

/// Rows with the ends of every type, NULL in every column, and a table without a key.
pub(crate) fn types(seed: u64) -> Result<Corpus, KitError> {
    let mut rng = Rng::part(seed, "types");
    let columns: Vec<String> = std::iter::once("id bigint primary key".to_owned())
        .chain(KINDS.iter().enumerate().map(|(i, k)| format!("c{i} {k}")))
        .collect();
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let def = TableDef::new("kit", "types", &columns);
    let mut ts = FIRST_TS;
    let table = def.version(101, ts)?;
    let mut events = vec![ddl(DdlKind::CreateTable, def.create_sql(), ts, None, Some(&table))];
    let ends: Vec<Vec<Cell>> = table.columns.iter().map(values::ends).collect();
    let most = ends.iter().map(Vec::len).max().unwrap_or(0);
    let mut live = Vec::new();
    for n in 0..most + 20 {
        ts += 1;
        let mut cells = vec![Cell::Int(n as i64)];
        for (column, ends) in table.columns.iter().zip(&ends).skip(1) {
            cells.push(match n {
                0 => Cell::Null,
                n if n <= most => ends.get((n - 1) % ends.len().max(1)).cloned().unwrap_or(Cell::Null),
                _ if rng.permille(100) => Cell::Null,
                _ => values::any(&mut rng, column, TEXT_BYTES),
            });
        }
        events.push(Event::Row(row(&table, ts, None, Some(cells.clone()))));
        live.push(cells);
    }
    for (i, before) in live.iter().enumerate() {
        ts += 1;
        let next = live.get((i + 1) % live.len());
        let after =
            (i % 3 != 0).then(|| before.iter().take(1).chain(next.into_iter().flatten().skip(1)).cloned().collect());
        events.push(Event::Row(row(&table, ts, Some(before.clone()), after)));
    }
    let notes = TableDef::new("kit", "notes", &["k int", "v varchar(200)"]);
    ts += 1;
    let table = notes.version(102, ts)?;
    events.push(ddl(DdlKind::CreateTable, notes.create_sql(), ts, None, Some(&table)));
    for n in 0..5 {
        ts += 1;
        events.push(Event::Row(row(&table, ts, None, Some(vec![Cell::Int(n), Cell::Null]))));
    }
    Ok(Corpus { events })
}

/// Few large rows and one table of many columns.
pub(crate) fn large() -> Result<Corpus, KitError> {
    let def = TableDef::new("kit", "large", &["id bigint primary key", "body longtext", "raw longblob"]);
    let mut ts = FIRST_TS;
    let table = def.version(103, ts)?;
    let mut events = vec![ddl(DdlKind::CreateTable, def.create_sql(), ts, None, Some(&table))];
    let long = |c: u8, bytes: usize| Cell::Bytes(vec![c; bytes]);
    for n in 0..6 {
        ts += 1;
        let bytes = if n == 3 { 3 << 20 } else { 1 << 20 };
        events.push(Event::Row(row(
            &table,
            ts,
            None,
            Some(vec![Cell::Int(n), long(b'x', bytes), long(0xff, 1 << 18)]),
        )));
    }
    let columns: Vec<String> =
        std::iter::once("id bigint primary key".to_owned()).chain((1..1000).map(|n| format!("c{n} int"))).collect();
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let wide = TableDef::new("kit", "broad", &columns);
    ts += 1;
    let table = wide.version(104, ts)?;
    events.push(ddl(DdlKind::CreateTable, wide.create_sql(), ts, None, Some(&table)));
    for n in 0..3 {
        ts += 1;
        events.push(Event::Row(row(&table, ts, None, Some((0..1000).map(|c| Cell::Int(c * n + n)).collect()))));
    }
    Ok(Corpus { events })
}

/// Inserts into a table of the shape that sysbench uses, about 200 bytes of values each.
pub(crate) fn bench_rows(rows: usize) -> Result<(Arc<TableVersion>, Vec<Change>), KitError> {
    let def = TableDef::new("kit", "bench", &["id bigint primary key", "k int", "c char(120)", "pad char(60)"]);
    let table = def.version(105, FIRST_TS)?;
    let long = |c: u8, bytes: usize| Cell::Bytes(vec![c; bytes]);
    let cells = |n: usize| vec![Cell::Int(n as i64), Cell::Int(n as i64 % 7), long(b'c', 120), long(b'p', 60)];
    let changes = (0..rows).map(|n| row(&table, FIRST_TS + 1 + n as u64, None, Some(cells(n)))).collect();
    Ok((table, changes))
}

/// The rows that a check with several schedules is run with.
///
/// # Errors
/// Never, unless the tables of the kit itself are wrong.
pub fn generated(seed: u64) -> Result<Corpus, KitError> {
    plain(seed, PLAIN_TXNS)
}

/// Many small tables, a few rows each, some with a second version.
pub(crate) fn many(seed: u64, tables: usize) -> Result<Corpus, KitError> {
    let mut rng = Rng::part(seed, "many");
    let mut ts = FIRST_TS;
    let mut events = Vec::new();
    for n in 0..tables {
        let def = TableDef::new("kit", &format!("t{n}"), &["id bigint primary key", "v varchar(20)"]);
        ts += 1;
        let mut table = def.version(1000 + n as i64, ts)?;
        events.push(ddl(DdlKind::CreateTable, def.create_sql(), ts, None, Some(&table)));
        for id in 0..3 {
            ts += 1;
            if id == 2 && rng.permille(300) {
                let next = def.version(1000 + n as i64, ts)?;
                let query = format!("ALTER TABLE `kit`.`t{n}` COMMENT = 'again'");
                events.push(ddl(DdlKind::AlterTable, query, ts, Some(&table), Some(&next)));
                table = next;
                ts += 1;
            }
            let cells = vec![Cell::Int(id), Cell::Bytes(format!("v{id}").into_bytes())];
            events.push(Event::Row(row(&table, ts, None, Some(cells))));
        }
    }
    Ok(Corpus { events })
}

/// Rows that are alive, by the text of their key.
type Live = BTreeMap<String, Vec<Cell>>;

/// A table while it is written to.
struct Writer {
    table: Arc<TableVersion>,
    live: Live,
    next_unique: i64,
}

impl Writer {
    fn key_text(&self, cells: &[Cell]) -> String {
        self.table.row_key_columns().iter().map(|i| format!("{:?}/", cells.get(*i as usize))).collect()
    }

    /// New cells whose key is drawn from few, so that keys come again.
    fn draw(&mut self, rng: &mut Rng) -> Vec<Cell> {
        let key = self.table.row_key_columns().to_vec();
        self.next_unique += 1;
        let unique = self.next_unique;
        let cell = |(i, c): (usize, &tg_model::Column)| match (key.contains(&(i as u32)), c.ty.code.is_string()) {
            (true, true) => Cell::Bytes(format!("k{}", rng.below(KEYS)).into_bytes()),
            (true, false) => Cell::Int(rng.below(KEYS) as i64),
            (false, _) if c.flags.unique => Cell::Int(unique),
            (false, _) if c.flags.nullable && rng.permille(150) => Cell::Null,
            (false, _) => values::any(rng, c, TEXT_BYTES),
        };
        self.table.columns.iter().enumerate().map(cell).collect()
    }

    /// One change of a key that the transaction has not touched yet.
    fn change(&mut self, rng: &mut Rng, ts: u64, touched: &mut BTreeSet<String>, out: &mut Vec<Change>) {
        let fresh = self.draw(rng);
        let key = self.key_text(&fresh);
        if !touched.insert(key.clone()) {
            return;
        }
        let Some(before) = self.live.get(&key).cloned() else {
            self.live.insert(key, fresh.clone());
            out.push(row(&self.table, ts, None, Some(fresh)));
            return;
        };
        if rng.permille(300) {
            self.live.remove(&key);
            out.push(row(&self.table, ts, Some(before), None));
            return;
        }
        let moved = self.draw(rng);
        let new_key = self.key_text(&moved);
        if rng.permille(300) && !self.live.contains_key(&new_key) && touched.insert(new_key.clone()) {
            self.live.remove(&key);
            self.live.insert(new_key, moved.clone());
            if rng.permille(500) {
                out.push(row(&self.table, ts, Some(before), Some(moved)));
            } else {
                let half = |change| Change { flags: row_flags::SPLIT_UPDATE, ..change };
                out.push(half(row(&self.table, ts, Some(before), None)));
                out.push(half(row(&self.table, ts, None, Some(moved))));
            }
            return;
        }
        self.live.insert(key, fresh.clone());
        out.push(row(&self.table, ts, Some(before), Some(fresh)));
    }

    /// The rows get a column, NULL in those that are there.
    fn widen(&mut self, table: Arc<TableVersion>) {
        let columns = table.columns.len();
        for cells in self.live.values_mut() {
            cells.resize(columns, Cell::Null);
        }
        self.table = table;
    }
}

/// Two tables with keys under inserts, updates, deletes and changes of keys, with schema changes between. `txns`: transactions.
pub(crate) fn plain(seed: u64, txns: usize) -> Result<Corpus, KitError> {
    let mut rng = Rng::part(seed, "plain");
    let accounts = TableDef::new(
        "kit",
        "accounts",
        &["id bigint primary key", "owner varchar(40)", "balance decimal(18,2) not null", "seen datetime(6)"],
    );
    let mut with_tag = accounts.clone();
    with_tag.columns.push("tag varchar(10)".to_owned());
    let pairs =
        TableDef::new("kit", "pairs", &["a varchar(20) not null", "b int not null", "c int unique", "d double"])
            .key(&["a", "b"]);
    let mut ts = FIRST_TS;
    let mut events = Vec::new();
    let mut writers = Vec::new();
    for (id, def) in [(111, &accounts), (112, &pairs)] {
        ts += 1;
        let table = def.version(id, ts)?;
        events.push(ddl(DdlKind::CreateTable, def.create_sql(), ts, None, Some(&table)));
        writers.push(Writer { table, live: Live::new(), next_unique: 0 });
    }
    for n in 1..=txns {
        ts += 1 + rng.below(3) as u64;
        if n == txns / 2 {
            let table = with_tag.version(111, ts)?;
            let query = "ALTER TABLE `kit`.`accounts` ADD COLUMN `tag` varchar(10)".to_owned();
            if let Some(w) = writers.first_mut() {
                events.push(ddl(DdlKind::AddColumn, query, ts, Some(&w.table), Some(&table)));
                w.widen(table);
            }
            continue;
        }
        if n == txns * 3 / 4 {
            let table = pairs.version(113, ts)?;
            let query = "TRUNCATE TABLE `kit`.`pairs`".to_owned();
            if let Some(w) = writers.last_mut() {
                events.push(ddl(DdlKind::TruncateTable, query, ts, Some(&w.table), Some(&table)));
                (w.table, w.live) = (table, Live::new());
            }
            continue;
        }
        events.extend(transaction(&mut rng, &mut writers, ts).into_iter().map(Event::Row));
    }
    Ok(Corpus { events })
}

/// Rows of one commit, ordered as a changefeed orders them: by table, deletes first, then by key.
fn transaction(rng: &mut Rng, writers: &mut [Writer], ts: u64) -> Vec<Change> {
    let mut rows = Vec::new();
    for writer in writers {
        let mut touched = BTreeSet::new();
        let mut of_table = Vec::new();
        for _ in 0..rng.below(TXN_ROWS) {
            writer.change(rng, ts, &mut touched, &mut of_table);
        }
        of_table.sort_by_cached_key(|c| (c.op as u8, format!("{:?}", c.key())));
        rows.extend(of_table);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::{KINDS, large, plain, types};
    use crate::corpus::{Event, batch};
    use tgr1::Op;

    #[test]
    fn a_corpus_is_made_by_its_seed_and_rows_fit_their_tables() {
        assert_eq!(plain(3, 60).unwrap(), plain(3, 60).unwrap());
        assert_ne!(plain(3, 60).unwrap(), plain(4, 60).unwrap());
        for corpus in [plain(3, 60).unwrap(), types(1).unwrap(), large().unwrap()] {
            assert!(corpus.events.is_sorted_by_key(Event::commit_ts));
            for event in &corpus.events {
                if let Event::Row(row) = event {
                    batch(&row.table, &[(row, 0)]).unwrap();
                }
            }
        }
        assert!(types(1).unwrap().tables()[0].columns.len() > KINDS.len());
    }

    #[test]
    fn the_plain_corpus_has_every_kind_of_change() {
        let corpus = plain(1, 200).unwrap();
        let rows: Vec<_> =
            corpus.events.iter().filter_map(|e| if let Event::Row(r) = e { Some(r) } else { None }).collect();
        for op in [Op::Insert, Op::Update, Op::Delete] {
            assert!(rows.iter().any(|r| r.op == op), "{op:?}");
        }
        let moved = |r: &&super::Change| {
            let key = |image: &Option<Vec<super::Cell>>| image.as_ref().map(|c| c[0].clone());
            r.op == Op::Update && key(&r.before) != key(&r.after)
        };
        assert!(rows.iter().any(moved) && rows.iter().any(|r| r.flags != 0));
        assert_eq!(corpus.events.len() - rows.len(), 4, "two tables made, one widened, one emptied");
    }
}
