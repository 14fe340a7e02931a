//! The controller against slots that do as they are told, in every order of reports.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::sync::Arc;
use tg_cluster::{Controller, Effect, Event, slot_of};
use tg_model::{DdlEvent, DdlKind, Position, SlotId, TableId, TableKey, TableVersion, Ts};

const SLOTS: u16 = 4;

fn version(table: i64, since: u64) -> Arc<TableVersion> {
    Arc::new(TableVersion {
        table: TableId(table),
        since: Ts::new(since),
        update_ts: Ts::new(since),
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

fn ddl(ts: u64, kind: DdlKind, before: Option<i64>, after: Option<i64>) -> Arc<DdlEvent> {
    let ids = |t: Option<i64>| t.map(TableId).into_iter().collect::<Vec<_>>();
    let (old, new) = (ids(before), ids(after));
    Arc::new(DdlEvent {
        commit_ts: Ts::new(ts),
        seq: 0,
        job_id: ts as i64,
        action: 0,
        kind,
        schema: "s".into(),
        table: String::new(),
        query: "…".into(),
        charset: String::new(),
        collation: String::new(),
        sql_mode: 0,
        before: before.map(|t| version(t, 1)),
        after: after.map(|t| version(t, ts)),
        blocks: old.clone(),
        removes: old.iter().copied().filter(|t| !new.contains(t)).collect(),
        adds: new.iter().copied().filter(|t| !old.contains(t)).collect(),
    })
}

/// Slots that have no rows: whatever they may emit is durable at once, as far as their spans are resolved.
struct World {
    controller: Controller,
    applied: [u64; SLOTS as usize],
    cap: [Position; SLOTS as usize],
    spans: BTreeMap<TableId, (SlotId, Ts)>,
    done: [Position; SLOTS as usize],
    log: Vec<Effect>,
}

impl World {
    fn new(start: Position, tables: &[i64], target: Option<u64>) -> Self {
        let n = SLOTS as usize;
        let mut w = Self {
            controller: Controller::new(SLOTS, start, target.map(Ts::new)),
            applied: [0; 4],
            cap: vec![start; n].try_into().unwrap(),
            spans: BTreeMap::new(),
            done: vec![start; n].try_into().unwrap(),
            log: Vec::new(),
        };
        for t in tables {
            w.event(Event::Table(version(*t, 1)));
        }
        w.event(Event::Started);
        w
    }

    fn event(&mut self, e: Event) {
        let mut effects = Vec::new();
        self.controller.step(e, &mut effects);
        for e in &effects {
            match e {
                Effect::AddSpan { slot, table, start, .. } => {
                    assert!(
                        *start >= self.done[slot.0 as usize].checkpoint_ts(),
                        "{table} starts below its slot's position"
                    );
                    self.spans.insert(*table, (*slot, *start));
                    self.applied[slot.0 as usize] += 1;
                }
                Effect::RemoveSpan { slot, table } => {
                    self.spans.remove(table);
                    self.applied[slot.0 as usize] += 1;
                }
                Effect::Emit { slot, upto } => self.cap[slot.0 as usize] = *upto,
                _ => {}
            }
        }
        self.log.extend(effects);
    }

    fn resolve(&mut self, ts: u64) {
        self.spans.values_mut().for_each(|(_, r)| *r = (*r).max(Ts::new(ts)));
        self.report_all();
    }

    fn report_all(&mut self) {
        for i in 0..SLOTS {
            self.report(i);
        }
    }

    fn report(&mut self, i: u16) {
        let resolved = self.spans.values().filter(|(s, _)| s.0 == i).map(|(_, r)| *r).min().unwrap_or(Ts::MAX);
        let n = i as usize;
        self.done[n] = self.done[n].max(self.cap[n].min(Position::rows(resolved)));
        self.event(Event::Slot { slot: SlotId(i), applied: self.applied[n], resolved, checkpoint: self.done[n] });
    }

    fn executed(&self) -> Vec<u64> {
        let ts = |e: &Effect| if let Effect::Execute(d) = e { Some(d.commit_ts.get()) } else { None };
        self.log.iter().filter_map(ts).collect()
    }
}

#[test]
fn the_gate_is_the_slowest_span_and_the_ddl_stream() {
    let mut w = World::new(Position::rows(Ts::new(10)), &[100, 101, 102, 103], None);
    w.event(Event::DdlResolved(Ts::new(50)));
    w.resolve(40);
    w.report_all();
    assert_eq!(w.controller.emit_ts(), Ts::new(40));
    assert_eq!(w.controller.checkpoint(), Position::rows(Ts::new(40)));
    w.resolve(90);
    w.report_all();
    assert_eq!(w.controller.checkpoint(), Position::rows(Ts::new(50)), "the DDL stream holds");
}

#[test]
fn a_ddl_waits_for_its_rows_and_only_its_slot_waits_for_it() {
    let mut w = World::new(Position::rows(Ts::new(10)), &[100, 101, 102, 103], None);
    w.event(Event::Ddl(ddl(60, DdlKind::AddColumn, Some(100), Some(100))));
    w.event(Event::DdlResolved(Ts::new(100)));
    assert_eq!(w.executed(), [] as [u64; 0], "rows below it are not written");
    w.resolve(100);
    w.report_all();
    assert_eq!(w.executed(), [60]);
    assert_eq!(w.controller.checkpoint(), Position::rows(Ts::new(60)));
    let held = slot_of(TableId(100), SLOTS).0 as usize;
    for (i, done) in w.done.iter().enumerate() {
        let want = if i == held { 60 } else { 100 };
        assert_eq!(done.ts, Ts::new(want), "slot {i}");
    }
    w.event(Event::DdlDone { ts: Ts::new(60), seq: 0 });
    assert!(w.log.iter().any(|e| matches!(e, Effect::SetVersion { table: TableId(100), .. })));
    w.report_all();
    assert_eq!(w.controller.checkpoint(), Position::rows(Ts::new(100)));
}

#[test]
fn a_new_table_starts_at_its_ddl_although_others_are_ahead() {
    let mut w = World::new(Position::rows(Ts::new(10)), &[100, 101], None);
    w.event(Event::Ddl(ddl(60, DdlKind::CreateTable, None, Some(200))));
    w.event(Event::Ddl(ddl(70, DdlKind::DropTable, Some(200), None)));
    w.event(Event::DdlResolved(Ts::new(500)));
    w.resolve(500);
    w.report_all();
    assert_eq!(w.executed(), [60]);
    w.event(Event::DdlDone { ts: Ts::new(60), seq: 0 });
    assert_eq!(w.spans[&TableId(200)].1, Ts::new(60));
    w.report_all();
    assert_eq!(w.executed(), [60], "the new table's rows up to 70 come first");
    w.resolve(500);
    w.report_all();
    assert_eq!(w.executed(), [60, 70]);
    w.event(Event::DdlDone { ts: Ts::new(70), seq: 0 });
    w.report_all();
    assert!(!w.spans.contains_key(&TableId(200)));
    assert_eq!(w.controller.checkpoint(), Position::rows(Ts::new(500)));
}

#[test]
fn a_report_over_another_set_of_spans_does_not_lift_the_gate() {
    let mut w = World::new(Position::rows(Ts::new(10)), &[100], None);
    w.event(Event::DdlResolved(Ts::new(90)));
    let slot = slot_of(TableId(100), SLOTS);
    let stale = Event::Slot { slot, applied: 0, resolved: Ts::MAX, checkpoint: Position::rows(Ts::new(10)) };
    w.event(stale);
    assert_eq!(w.controller.emit_ts(), Ts::new(10));
}

#[test]
fn a_restart_repeats_a_ddl_only_when_it_was_not_done() {
    for (start, want) in [(Position::rows(Ts::new(60)), vec![60]), (Position::ddl(Ts::new(60)), vec![])] {
        let mut w = World::new(start, &[100], None);
        w.event(Event::Ddl(ddl(60, DdlKind::AddColumn, Some(100), Some(100))));
        w.event(Event::DdlResolved(Ts::new(80)));
        w.resolve(80);
        assert_eq!(w.executed(), want, "from {start}");
    }
}

#[test]
fn the_target_ends_the_feed_with_the_ddl_at_it_and_not_above() {
    let mut w = World::new(Position::rows(Ts::new(10)), &[100], Some(60));
    w.event(Event::Ddl(ddl(60, DdlKind::AddColumn, Some(100), Some(100))));
    w.event(Event::Ddl(ddl(61, DdlKind::AddColumn, Some(100), Some(100))));
    w.event(Event::DdlResolved(Ts::new(100)));
    w.resolve(100);
    w.report_all();
    assert!(!w.log.contains(&Effect::Finished));
    w.event(Event::DdlDone { ts: Ts::new(60), seq: 0 });
    w.report_all();
    assert_eq!(w.executed(), [60]);
    assert_eq!(w.log.iter().filter(|e| **e == Effect::Finished).count(), 1);
    assert_eq!(w.controller.checkpoint().checkpoint_ts(), Ts::new(60));
}

/// Random DDLs and random report orders: every DDL runs once, in order, and the checkpoint gets to the end.
#[test]
fn random_histories_keep_the_order_and_arrive() {
    for seed in 1..400u64 {
        let mut x = seed.wrapping_mul(0x2545_f491_4f6c_dd1d);
        let mut rand = move |n: u64| {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            x % n
        };
        let mut w = World::new(Position::rows(Ts::new(10)), &[100, 101, 102, 103, 104], None);
        let mut live: Vec<i64> = vec![100, 101, 102, 103, 104];
        let mut wanted = Vec::new();
        let mut ts = 20;
        for next in 200..220 {
            ts += 1 + rand(30);
            let pick = rand(live.len() as u64) as usize;
            let event = match rand(3) {
                0 => {
                    live.push(next);
                    ddl(ts, DdlKind::CreateTable, None, Some(next))
                }
                1 if live.len() > 1 => ddl(ts, DdlKind::DropTable, Some(live.swap_remove(pick)), None),
                _ => {
                    let old = std::mem::replace(&mut live[pick], next);
                    ddl(ts, DdlKind::TruncateTable, Some(old), Some(next))
                }
            };
            wanted.push(ts);
            w.event(Event::Ddl(event));
        }
        let (mut told, mut answered) = (10, 0);
        for _ in 0..5_000 {
            match rand(4) {
                0 => {
                    told = (told + rand(40)).min(ts + 50);
                    w.event(Event::DdlResolved(Ts::new(told)));
                }
                1 => {
                    let up = told + rand(20);
                    if let Some(k) = w.spans.keys().nth(rand(w.spans.len() as u64) as usize).copied() {
                        let r = &mut w.spans.get_mut(&k).unwrap().1;
                        *r = (*r).max(Ts::new(up));
                    }
                }
                2 => w.report(rand(u64::from(SLOTS)) as u16),
                _ => {
                    if let Some(&at) = w.executed().get(answered) {
                        answered += 1;
                        w.event(Event::DdlDone { ts: Ts::new(at), seq: 0 });
                    }
                }
            }
        }
        w.event(Event::DdlResolved(Ts::new(ts + 50)));
        for _ in 0..60 {
            w.resolve(ts + 50);
            if let Some(&at) = w.executed().get(answered) {
                answered += 1;
                w.event(Event::DdlDone { ts: Ts::new(at), seq: 0 });
            }
        }
        assert_eq!(w.executed(), wanted, "seed {seed}");
        assert_eq!(w.controller.checkpoint(), Position::rows(Ts::new(ts + 50)), "seed {seed}");
        let mut left: Vec<_> = w.spans.keys().map(|t| t.0).collect();
        left.sort_unstable();
        live.sort_unstable();
        assert_eq!(left, live, "seed {seed}");
    }
}

/// A table that a pending DDL makes belongs to a slot that the drop of its schema must wait for.
#[test]
fn a_ddl_waits_for_tables_that_are_still_to_be_made() {
    let (old, new) = (100, (200..300).find(|t| slot_of(TableId(*t), SLOTS) != slot_of(TableId(100), SLOTS)).unwrap());
    let mut w = World::new(Position::rows(Ts::new(10)), &[old], None);
    w.event(Event::Ddl(ddl(60, DdlKind::CreateTable, None, Some(new))));
    let mut drop_schema = DdlEvent::clone(&ddl(70, DdlKind::DropSchema, None, None));
    drop_schema.removes = vec![TableId(old), TableId(new)];
    drop_schema.blocks = drop_schema.removes.clone();
    w.event(Event::Ddl(Arc::new(drop_schema)));
    w.event(Event::DdlResolved(Ts::new(500)));
    w.resolve(500);
    w.report_all();
    w.event(Event::DdlDone { ts: Ts::new(60), seq: 0 });
    w.report_all();
    assert_eq!(w.executed(), [60], "rows of the new table up to 70 come first");
    w.resolve(500);
    w.report_all();
    assert_eq!(w.executed(), [60, 70]);
}

/// Two tables change an id between them in two events of one job: each id ends in its old slot and begins in its new one.
#[test]
fn ids_that_change_tables_change_slots() {
    let other = (200..300).find(|t| slot_of(TableId(*t), SLOTS) != slot_of(TableId(100), SLOTS)).unwrap();
    let mut w = World::new(Position::rows(Ts::new(10)), &[100, other], None);
    let mut first = DdlEvent::clone(&ddl(60, DdlKind::ExchangePartition, Some(100), Some(other)));
    first.removes = vec![TableId(100), TableId(other)];
    let mut second = DdlEvent::clone(&ddl(60, DdlKind::ExchangePartition, Some(other), Some(100)));
    (second.seq, second.removes) = (1, Vec::new());
    w.event(Event::Ddl(Arc::new(first)));
    w.event(Event::Ddl(Arc::new(second)));
    w.event(Event::DdlResolved(Ts::new(500)));
    w.resolve(500);
    w.report_all();
    w.event(Event::DdlDone { ts: Ts::new(60), seq: 0 });
    w.event(Event::DdlDone { ts: Ts::new(60), seq: 1 });
    for id in [100, other] {
        assert_eq!(w.spans[&TableId(id)], (slot_of(TableId(id), SLOTS), Ts::new(60)));
    }
    w.resolve(500);
    w.report_all();
    assert_eq!(w.controller.checkpoint(), Position::rows(Ts::new(500)));
}

#[test]
fn with_gates_of_their_own_slots_wait_for_their_own_tables() {
    let table = |slot| (100..).find(|t| slot_of(TableId(*t), 2) == SlotId(slot)).unwrap();
    let start = Position::ddl(Ts::new(1));
    let mut c = Controller::new(2, start, None).with_own_gates(true);
    let mut effects = Vec::new();
    for slot in 0..2 {
        c.step(Event::Table(version(table(slot), 1)), &mut effects);
    }
    c.step(Event::Started, &mut effects);
    c.step(Event::DdlResolved(Ts::new(40)), &mut effects);
    let report = |slot, resolved, checkpoint| {
        let (resolved, checkpoint) = (Ts::new(resolved), Position::rows(Ts::new(checkpoint)));
        Event::Slot { slot: SlotId(slot), applied: 1, resolved, checkpoint }
    };
    c.step(report(0, 5, 5), &mut effects);
    c.step(report(1, 50, 40), &mut effects);
    let emit = |slot| Effect::Emit { slot: SlotId(slot), upto: Position::rows(Ts::new(40)) };
    assert!(effects.contains(&emit(0)) && effects.contains(&emit(1)), "{effects:?}");
    assert_eq!(c.checkpoint(), Position::rows(Ts::new(5)), "the checkpoint stays with the slowest");
    // A DDL is a barrier all the same.
    effects.clear();
    c.step(Event::Ddl(ddl(45, DdlKind::AddColumn, Some(table(1)), Some(table(1)))), &mut effects);
    c.step(Event::DdlResolved(Ts::new(60)), &mut effects);
    let upto = |slot, ts| Effect::Emit { slot: SlotId(slot), upto: Position::rows(Ts::new(ts)) };
    assert!(effects.contains(&upto(0, 60)) && effects.contains(&upto(1, 45)), "{effects:?}");
}
