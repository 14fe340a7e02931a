//! Writers that die, hang and come back over a store that loses requests and answers, in many seeds: in the end every row is in one
//! line of all files, in order, and the indexes name them all.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod world;

use std::rc::Rc;
use std::sync::Arc;
use tg_format_common::{ChangeEvent, Datum};
use tg_format_fixtures::plain_table;
use tg_format_storage::{DataPath, FileName};
use tg_plugin_storage::Storage;
use tgr1::{BatchWriter, ColumnSpec, ImageKind, Logical, Op};
use tidegate_sdk::native::scope;
use tidegate_sdk::{Barrier, BarrierKind, Context, Failure, Position, RowBatch, Sink, TableRef, TableSchema};
use world::{Rng, World};

/// Rows of one run.
const ROWS: u64 = 120;
/// Runs; `TIDEGATE_SEEDS` asks for more.
const SEEDS: u64 = 150;
/// Of them so many also in parquet.
const PARQUET_SHARE: u64 = 5;
/// Commit timestamp of the first row.
const FIRST_TS: u64 = 1_000;

struct Rows(TableRef);

impl RowBatch for Rows {
    fn table(&self) -> TableRef {
        self.0
    }

    fn row_count(&self) -> u32 {
        0
    }

    fn byte_size(&self) -> u32 {
        0
    }

    fn read(&self, _: Option<&[u32]>, _: u32, _: u32) -> Result<Vec<u8>, String> {
        Err("not asked for".to_owned())
    }
}

fn table() -> Arc<TableSchema> {
    let mut table = plain_table();
    table.columns.truncate(1);
    table.indexes.clear();
    table.row_key = None;
    Arc::new(table)
}

fn batch(schema: &TableSchema, rows: std::ops::Range<u64>) -> Vec<u8> {
    let column = &schema.columns[0];
    let logical = Logical::from_u8(column.logical as u8).unwrap();
    let mut out = BatchWriter::new(schema.id.table, schema.id.version, &[ColumnSpec::new(0, logical)], 0);
    for n in rows {
        out.begin_row(FIRST_TS + n, FIRST_TS + n - 1, Op::Insert, 0);
        out.begin_image(ImageKind::After);
        out.put_i64(0, i64::try_from(n).unwrap());
        out.end_row().unwrap();
    }
    out.finish()
}

fn context(protocol: &str, epoch: u64) -> Context {
    Context {
        changefeed: "default/f".to_owned(),
        lanes: 1,
        epoch: (1, epoch),
        config: format!(
            r#"{{"protocol":"{protocol}","file-size":1024,"date-separator":"none","csv":{{"include-commit-ts":true}}}}"#
        ),
        endpoints: vec!["downstream".to_owned()],
        ..Context::default()
    }
}

/// The rows that a position covers.
fn covered(at: Option<Position>) -> u64 {
    at.map_or(0, |at| at.ts.saturating_sub(FIRST_TS) + u64::from(at.stage > 0))
}

/// One life of an instance, driven as the host drives it. How far it got; an error: the host starts another.
fn live(sink: &mut Storage, schema: &Arc<TableSchema>, from: u64, rng: &mut Rng, upto: u64) -> Result<u64, Failure> {
    let mut done = from;
    sink.on_schema(Arc::clone(schema), &[])?;
    while done < upto {
        let end = (done + rng.between(1, 40)).min(upto);
        let mut at = done;
        while at < end {
            let next = (at + rng.between(1, 20)).min(end);
            let data = batch(schema, at..next);
            retry(|| sink.write(&Rows(schema.id), &data))?;
            at = next;
        }
        let barrier =
            Barrier { id: 1, kind: BarrierKind::Checkpoint, at: Position { ts: FIRST_TS + end - 1, stage: 1, seq: 0 } };
        flush(sink, barrier)?;
        done = end;
        if rng.permille(100) {
            sink.on_tick()?;
        }
    }
    Ok(done)
}

/// The host tries again what may be tried again.
fn retry<T>(mut call: impl FnMut() -> Result<T, Failure>) -> Result<T, Failure> {
    for _ in 0..6 {
        match call() {
            Err(Failure::Retryable { .. }) => {}
            other => return other,
        }
    }
    call()
}

/// As a lane does it: after an unknown outcome it asks.
fn flush(sink: &mut Storage, barrier: Barrier) -> Result<(), Failure> {
    for _ in 0..10 {
        match retry(|| sink.flush(barrier)) {
            Ok(_) => return Ok(()),
            Err(Failure::Unknown { .. }) => {
                if retry(|| sink.status())?.is_some_and(|at| at >= barrier.at) {
                    return Ok(());
                }
            }
            Err(e) => return Err(e),
        }
    }
    Err(Failure::retryable("given up"))
}

fn run(protocol: &str, seed: u64) -> u64 {
    let world = World::new(seed);
    let schema = table();
    let mut rng = Rng::new(seed ^ 0x5eed);
    // What the host knows to be acknowledged.
    let mut acked = 0;
    let mut zombies: Vec<(Storage, u64)> = Vec::new();
    let mut lives = 0;
    for epoch in 1.. {
        assert!(epoch < 2_000, "seed {seed}: it never gets through");
        lives = epoch;
        world.set_faults(rng.permille(850));
        let opened = scope(Rc::new(world.clone()), || Storage::open(context(protocol, epoch)));
        let Ok((mut sink, durable)) = opened else {
            world.pass(&mut rng);
            continue;
        };
        let from = covered(durable);
        assert!(from >= acked, "seed {seed}: {acked} rows are acknowledged and {from} are there");
        let upto = if rng.permille(300) { ROWS } else { (from + rng.between(0, 60)).min(ROWS) };
        world.die_after(rng.permille(500).then(|| rng.between(1, 30)));
        let lived = scope(Rc::new(world.clone()), || live(&mut sink, &schema, from, &mut rng, upto));
        world.die_after(None);
        if let Ok(done) = lived {
            acked = done;
            if done == ROWS {
                world.set_faults(false);
                finish(&world, &mut sink, &mut rng);
                break;
            }
            // Some live on and do not know that others have taken over.
            if rng.permille(600) {
                zombies.push((sink, done));
            }
        }
        if let Some((mut zombie, at)) = zombies.pop_if(|_| rng.permille(500)) {
            // It goes on as soon as somebody else has begun, or has tried to.
            let taken = scope(Rc::new(world.clone()), || Storage::open(context(protocol, epoch)));
            let upto = (at + 30).min(ROWS);
            let went_on = scope(Rc::new(world.clone()), || live(&mut zombie, &schema, at, &mut rng, upto));
            match (taken, went_on) {
                (Ok(_), Ok(_)) => panic!("seed {seed}: a writer that was replaced acknowledged rows"),
                (Err(_), Ok(done)) => acked = acked.max(done),
                (_, Err(_)) => {}
            }
        }
        world.pass(&mut rng);
    }
    check(seed, &world);
    lives
}

/// Late requests arrive, time passes, the last writer sets right what they did.
fn finish(world: &World, sink: &mut Storage, rng: &mut Rng) {
    world.arrive_all(rng);
    for _ in 0..3 {
        world.sleep_secs(200);
        scope(Rc::new(world.clone()), || sink.on_tick()).unwrap();
    }
}

/// The rows of a file, by their only column.
fn numbers(file: &str, content: &[u8]) -> Vec<u64> {
    if file == "csv" {
        let text = std::str::from_utf8(content).unwrap();
        return text.lines().map(|l| l.rsplit(',').next().unwrap().trim_matches('"').parse().unwrap()).collect();
    }
    let number = |event| match event {
        ChangeEvent::Row(row) => match row.after.unwrap()[0].value {
            Datum::Int(n) => n.try_into().unwrap(),
            ref other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    tg_format_parquet::decode(content).unwrap().into_iter().map(number).collect()
}

fn check(seed: u64, world: &World) {
    let objects = world.objects();
    let mut rows: Vec<u64> = Vec::new();
    let (mut files, mut index) = (0, 0);
    for (path, content) in &objects {
        match DataPath::parse(path) {
            Some(DataPath::Data { file, extension, .. }) => {
                files += 1;
                assert_eq!(file.index, files, "seed {seed}: the numbers have a gap before {path}");
                rows.extend(numbers(&extension, content));
            }
            Some(DataPath::Index { .. }) => {
                let name = std::str::from_utf8(content).unwrap();
                index = FileName::parse(name.trim()).unwrap().0.index;
            }
            None => {}
        }
    }
    assert_eq!(rows, (0..ROWS).collect::<Vec<_>>(), "seed {seed}: rows by file and line");
    assert_eq!(index, files, "seed {seed}: the index names the newest file");
}

#[test]
fn rows_are_in_files_exactly_once_whatever_is_lost() {
    let seeds = std::env::var("TIDEGATE_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(SEEDS);
    let lives: u64 = (0..seeds).map(|seed| run("csv", seed)).sum();
    let of_parquet: u64 = (0..seeds / PARQUET_SHARE).map(|seed| run("parquet", seed)).sum();
    println!("{seeds} runs of {ROWS} rows, {lives} writers, and {of_parquet} of parquet");
    assert!(of_parquet > 0, "no run was of parquet");
    assert!(lives > seeds * 2, "too few writers died");
}
