//! What a change costs from the bytes of its message to the batch: here, and the straightforward way.

use super::budget::Budget;
use super::effect::{RegionRef, Registration, StreamNo};
use super::plain_matcher::PlainMatcher;
use super::rows::{Harvest, Rows};
use crate::key::KeyRange;
use bytes::Bytes;
use prost::Message as _;
use std::time::Instant;
use tg_model::{SpanId, Ts};
use tg_proto::cdcpb::{self, LogType, OpType, Row};

const EVENTS_PER_MESSAGE: u64 = 16;
const ROWS_PER_EVENT: u64 = 128;
const MESSAGES: u64 = 40;
const VALUE_BYTES: usize = 200;

fn event(first: u64, kind: LogType, ts: u64) -> cdcpb::Event {
    let row = |id: u64| Row {
        start_ts: ts + 2 * id,
        commit_ts: if kind == LogType::Commit { ts + 2 * id + 1 } else { 0 },
        r#type: kind.into(),
        op_type: OpType::Put.into(),
        key: format!("t_______r{id:010}").into(),
        value: if kind == LogType::Commit { Bytes::new() } else { vec![7; VALUE_BYTES].into() },
        ..Row::default()
    };
    let entries = (first..first + ROWS_PER_EVENT).map(row).collect();
    let event = Some(cdcpb::event::Event::Entries(cdcpb::Entries { entries }));
    cdcpb::Event { region_id: 3, request_id: 9, event, ..Default::default() }
}

/// Pairs of events, prewrites and their commits, as a store sends them.
fn messages() -> Vec<Bytes> {
    let ts = 450_000_000_000_000_000;
    let message = |n: u64| {
        let firsts = (0..EVENTS_PER_MESSAGE / 2).map(|e| (n * EVENTS_PER_MESSAGE / 2 + e) * ROWS_PER_EVENT);
        let events = firsts.flat_map(|f| [event(f, LogType::Prewrite, ts), event(f, LogType::Commit, ts)]).collect();
        cdcpb::ChangeDataEvent { events, resolved_ts: None }.encode_to_vec().into()
    };
    (0..MESSAGES).map(message).collect()
}

fn here(messages: &[Bytes]) -> usize {
    let mut rows = Rows::new(StreamNo(1), 0, Budget::new(1 << 30, None));
    let epoch = tg_proto::metapb::RegionEpoch { conf_ver: 1, version: 1 };
    let range = KeyRange { start: Bytes::new(), end: Bytes::new() };
    let (span, region, checkpoint) = (SpanId(1), RegionRef { id: 3, epoch }, Ts::new(1));
    let registration = Registration { request: 9, span, region, range, checkpoint, filter_loop: false };
    assert!(rows.add(registration).is_ok());
    let start = cdcpb::Entries { entries: vec![Row { r#type: LogType::Initialized.into(), ..Row::default() }] };
    let start = Some(cdcpb::event::Event::Entries(start));
    let start = cdcpb::Event { region_id: 3, request_id: 9, event: start, ..Default::default() };
    let start = cdcpb::ChangeDataEvent { events: vec![start], resolved_ts: None }.encode_to_vec();
    let mut count = 0;
    for message in [&Bytes::from(start)].into_iter().chain(messages) {
        rows.put(message.clone());
        loop {
            let mut harvest = Harvest::default();
            let done = rows.step(&mut harvest).unwrap();
            count += harvest.batches.iter().map(|b| b.changes.len()).sum::<usize>();
            if done {
                break;
            }
        }
    }
    count
}

fn plainly(messages: &[Bytes]) -> usize {
    let mut matcher = PlainMatcher::new(Ts::new(1), 0);
    let mut out = Vec::new();
    matcher.row(Row { r#type: LogType::Initialized.into(), ..Row::default() }, &mut out).unwrap();
    let mut count = 0;
    for message in messages {
        for event in cdcpb::ChangeDataEvent::decode(message.clone()).unwrap().events {
            let Some(cdcpb::event::Event::Entries(list)) = event.event else { continue };
            for row in list.entries {
                matcher.row(row, &mut out).unwrap();
            }
        }
        count += out.len();
        out = Vec::new();
    }
    count
}

/// Best of several runs, in nanoseconds per change.
fn best(messages: &[Bytes], run: fn(&[Bytes]) -> usize) -> f64 {
    let timed = |_| {
        let begin = Instant::now();
        let changes = run(messages);
        assert_eq!(changes as u64, MESSAGES * EVENTS_PER_MESSAGE / 2 * ROWS_PER_EVENT);
        begin.elapsed().as_nanos() as f64 / changes as f64
    };
    (0..7).map(timed).fold(f64::MAX, f64::min)
}

#[test]
fn cost_of_a_change() {
    let messages = messages();
    let (theirs, ours) = (best(&messages, plainly), best(&messages, here));
    eprintln!(
        "message to batch: {ours:.0} ns per change; decoded and matched plainly: {theirs:.0} ns; ratio {:.2}",
        ours / theirs
    );
}
