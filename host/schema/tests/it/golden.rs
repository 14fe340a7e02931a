//! Recordings of a real cluster: after every snapshot's ts the store must have the tables that the cluster had.

use crate::common::{Recording, recording};
use std::collections::BTreeMap;
use tg_model::{DdlEvent, DdlKind, TableVersion, Ts};
use tg_schema::{Dialect, Job, SchemaStore, create_table_sql};

fn load(case: &str) -> Option<(Recording, SchemaStore)> {
    let prefix = tg_model::Span::of_table(tg_model::TableId(0x0000_ffff_ffff_fffe)).start().clone();
    let recording = recording(case, &prefix)?;
    let store = SchemaStore::from_snapshot(recording.start_ts, recording.meta.iter().cloned()).unwrap();
    assert!(store.ddl_spans()[0].start() == &prefix, "the job table is found");
    Some((recording, store))
}

/// Feeds all job rows up to `upto`, asking for the cap after every one if `capped`; returns the events.
fn replay(store: &mut SchemaStore, recording: &Recording, from: Ts, upto: Ts, capped: bool) -> Vec<DdlEvent> {
    let mut jobs: Vec<Job> = Vec::new();
    let mut events = Vec::new();
    for change in recording.changes.iter().filter(|c| c.commit_ts > from && c.commit_ts <= upto) {
        jobs.extend(store.decode_job(change).unwrap());
        jobs.sort_by_key(|j| j.commit_ts);
        let resolved = if capped { store.cap_resolved(change.commit_ts) } else { change.commit_ts };
        let rest = jobs.split_off(jobs.partition_point(|j| j.commit_ts <= resolved));
        for job in std::mem::replace(&mut jobs, rest) {
            events.extend(store.apply(&job).unwrap());
            assert_eq!(store.apply(&job).unwrap(), [], "a job is applied once");
        }
    }
    assert!(jobs.is_empty(), "every job is released");
    events
}

/// Column and key lines of a CREATE TABLE, without comments and commas.
fn lines(create: &str) -> Vec<String> {
    let plain = |line: &str| {
        let mut line = line.trim().trim_end_matches(',').to_owned();
        while let (Some(a), Some(b)) = (line.find("/*"), line.find("*/")) {
            line.replace_range(a..b + 2, "");
        }
        // Said outright by us, since a server may take NOT NULL for meant.
        line.trim().replace(" NULL DEFAULT CURRENT", " DEFAULT CURRENT")
    };
    create
        .lines()
        .skip(1)
        .take_while(|l| !l.starts_with(')'))
        .map(plain)
        .filter(|l| !l.starts_with("CONSTRAINT"))
        .collect()
}

fn check_tables(store: &SchemaStore, ts: Ts, snapshot: &serde_json::Value, case: &str) {
    let database = case.rsplit('/').next().unwrap();
    let mut have: BTreeMap<String, &TableVersion> = BTreeMap::new();
    for t in store.tables().filter(|t| !t.is_view && !t.is_sequence && t.schema == database) {
        have.insert(format!("{}.{}", t.schema, t.name), t);
        for id in t.physical_ids() {
            assert_eq!(store.table_at(id, ts.next()).as_deref(), Some(&**t), "{} is found by its ids", t.name);
        }
    }
    let want = snapshot["tables"].as_object().unwrap();
    assert_eq!(have.keys().collect::<Vec<_>>(), want.keys().collect::<Vec<_>>(), "tables at {ts}");
    for (name, table) in want {
        let version = have[name];
        let columns: Vec<&str> = table["columns"].as_array().unwrap().iter().map(|c| c.as_str().unwrap()).collect();
        assert_eq!(
            version.columns.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(),
            columns,
            "columns of {name} at {ts}"
        );
        let ours = create_table_sql(version, Dialect::TiDb);
        assert_eq!(lines(&ours), lines(table["create"].as_str().unwrap()), "{name} at {ts}");
    }
}

fn check_case(case: &str, capped: bool) -> Vec<DdlEvent> {
    let Some((recording, mut store)) = load(case) else {
        return Vec::new();
    };
    let mut from = recording.start_ts;
    let mut events = Vec::new();
    for (ts, snapshot) in &recording.snapshots {
        events.extend(replay(&mut store, &recording, from, *ts, capped));
        check_tables(&store, *ts, snapshot, case);
        from = *ts;
    }
    events.extend(replay(&mut store, &recording, from, Ts::MAX, capped));
    events
}

#[test]
fn every_recording_ends_with_the_clusters_tables() {
    for case in ["types", "bank", "modes", "regions", "formats/types", "formats/ddl", "formats/modes"] {
        check_case(case, true);
    }
}

#[test]
fn the_ddl_recording_gives_the_clusters_tables_and_these_statements() {
    for capped in [false, true] {
        let events = check_case("ddl", capped);
        if events.is_empty() {
            return;
        }
        let got: Vec<&str> = events.iter().map(|e| e.query.as_str()).collect();
        let want: Vec<&str> = include_str!("../ddl_statements.sql").lines().collect();
        for (i, (g, w)) in got.iter().zip(&want).enumerate() {
            assert_eq!(g, w, "statement {i}");
        }
        assert_eq!(got.len(), want.len());
        check_ids(&events);
        check_order(&events, capped);
    }
}

/// Ids that begin and end, followed through all events, never end twice or begin while they live.
fn check_ids(events: &[DdlEvent]) {
    let mut live = std::collections::BTreeSet::new();
    for e in events {
        for id in &e.removes {
            assert!(live.remove(id), "{id} ends in {}", e.query);
            assert!(e.blocks.contains(id), "{id} is waited for in {}", e.query);
        }
        for id in &e.adds {
            assert!(live.insert(*id), "{id} begins in {}", e.query);
        }
        assert!(
            e.kind == DdlKind::DropSchema || e.blocks.iter().all(|id| live.contains(id) || e.removes.contains(id)),
            "{}",
            e.query
        );
    }
}

/// Multi schema changes count from when their columns were public, if that was asked for.
fn check_order(events: &[DdlEvent], capped: bool) {
    assert!(events.is_sorted_by_key(|e| (e.commit_ts, e.seq)));
    let multi: Vec<u64> =
        events.iter().filter(|e| e.kind == DdlKind::MultiSchemaChange).map(|e| e.commit_ts.get()).collect();
    let want = if capped {
        [470_608_165_638_766_594, 470_608_170_423_156_737]
    } else {
        [470_608_165_638_766_601, 470_608_170_501_537_801]
    };
    assert_eq!(multi, want);
}

#[test]
fn a_multi_schema_change_counts_from_its_public_columns() {
    let Some((recording, mut store)) = load("ddl") else {
        return;
    };
    let done = Ts::new(470_608_170_501_537_801);
    let public = Ts::new(470_608_170_423_156_737);
    replay(&mut store, &recording, recording.start_ts, public.prev(), true);
    let held = recording.changes.iter().filter(|c| c.commit_ts >= public && c.commit_ts < done);
    for change in held {
        assert!(store.decode_job(change).unwrap().is_none());
        assert_eq!(store.cap_resolved(change.commit_ts), public.prev(), "held below the public columns");
    }
    let change = recording.changes.iter().find(|c| c.commit_ts == done).unwrap();
    let job = store.decode_job(change).unwrap().unwrap();
    assert_eq!((job.commit_ts, job.finished_ts), (public, done));
    assert_eq!(store.cap_resolved(done), done, "let go");
    let event = store.apply(&job).unwrap().remove(0);
    let id = event.after.as_ref().unwrap().table;
    let names = |ts: Ts| store.table_at(id, ts).unwrap().columns.iter().map(|c| c.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(public), ["id", "v"]);
    assert_eq!(names(public.next()), ["id", "c1", "c2"], "rows before the job was done have the new columns");
}

#[test]
fn old_versions_stay_until_no_row_can_need_them() {
    let Some((recording, mut store)) = load("ddl") else {
        return;
    };
    let events = replay(&mut store, &recording, recording.start_ts, Ts::MAX, true);
    let truncate = events.iter().find(|e| e.kind == DdlKind::TruncateTable).unwrap();
    let (old, new) = (truncate.removes[0], truncate.adds[0]);
    let ts = truncate.commit_ts;
    assert_eq!(store.table_at(old, ts).unwrap().name, "b");
    assert!(
        store.table_at(old, ts.next()).is_none()
            && store.table_at(new, ts).is_none()
            && store.table_at(new, ts.next()).is_some()
    );
    let before = store.version_count();
    store.gc(ts.prev());
    assert!(store.table_at(old, ts).is_some(), "a row may still come");
    assert!(store.version_count() < before);
    store.gc(ts);
    assert!(store.table_at(old, ts).is_none());
    store.gc(Ts::MAX);
    let live: usize = store.tables().filter(|t| !t.is_view && !t.is_sequence).map(|t| t.physical_ids().count()).sum();
    assert_eq!(store.version_count(), live);
}

/// A start at any moment: the meta data as of then, and the jobs behind it, give the same tables in the end.
#[test]
fn a_start_in_the_middle_ends_with_the_same_tables() {
    let Some((recording, _)) = load("ddl") else {
        return;
    };
    let meta = crate::common::recording("ddl", b"m").unwrap();
    let (last, snapshot) = recording.snapshots.last().unwrap();
    let (public, done) = (Ts::new(470_608_170_423_156_737), Ts::new(470_608_170_501_537_801));
    let mut moments: Vec<Ts> = recording.changes.iter().map(|c| c.commit_ts).filter(|ts| ts < last).collect();
    moments.dedup();
    for start in moments.into_iter().step_by(3).chain([public, done.prev(), done]) {
        let mut pairs: BTreeMap<_, _> = meta.meta.iter().cloned().collect();
        for change in meta.changes.iter().filter(|c| c.commit_ts <= start) {
            match change.op {
                tg_model::ChangeOp::Delete => pairs.remove(&change.key),
                _ => pairs.insert(change.key.clone(), change.value.clone()),
            };
        }
        let mut store = SchemaStore::from_snapshot(start, pairs).unwrap();
        store.cap_resolved(start);
        let events = replay(&mut store, &recording, start, *last, true);
        check_tables(&store, *last, snapshot, "ddl");
        let multi = events
            .iter()
            .filter(|e| e.kind == DdlKind::MultiSchemaChange && e.before.as_ref().is_some_and(|b| b.name == "t2"));
        assert_eq!(
            multi.count(),
            usize::from(start < public),
            "the statement counts as run from {public} on, started at {start}"
        );
    }
}
