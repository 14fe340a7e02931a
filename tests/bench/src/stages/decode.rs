//! Decoding the messages of a change feed.

use super::Limits;
use crate::args::Options;
use crate::fixture;
use crate::measure::{Work, compare};
use crate::table::Line;
use bytes::Bytes;
use prost::Message;
use tg_proto::cdcpb::{ChangeDataEvent, Entries, Event, Row, event};

/// Changes in one message; each is a prewrite and a commit.
const CHANGES: u64 = 512;

fn message() -> Bytes {
    let value = fixture::row_value();
    let mut entries = Vec::new();
    for change in fixture::inserts(0, CHANGES, &value) {
        let row = Row {
            start_ts: change.start_ts.get(),
            op_type: tg_proto::cdcpb::OpType::Put.into(),
            key: change.key,
            ..Row::default()
        };
        let (prewrite, commit) = (tg_proto::cdcpb::LogType::Prewrite, tg_proto::cdcpb::LogType::Commit);
        entries.push(Row { r#type: prewrite.into(), value: change.value, ..row.clone() });
        entries.push(Row { r#type: commit.into(), commit_ts: change.commit_ts.get(), ..row });
    }
    let event = Event {
        region_id: 2,
        request_id: 1,
        event: Some(event::Event::Entries(Entries { entries })),
        ..Event::default()
    };
    ChangeDataEvent { events: vec![event], ..ChangeDataEvent::default() }.encode_to_vec().into()
}

/// Measures it.
pub(crate) fn run(options: &Options, limits: &Limits, lines: &mut Vec<Line>) -> anyhow::Result<()> {
    if !options.wants("stage: feed decode") {
        return Ok(());
    }
    let wire = message();
    let rounds = options.scaled(1000);
    let work: Work<'_> = Box::new(|| {
        for _ in 0..rounds {
            let decoded = ChangeDataEvent::decode(wire.clone())?;
            anyhow::ensure!(decoded.events.len() == 1, "the event is lost");
            std::hint::black_box(decoded);
        }
        Ok(rounds * CHANGES)
    });
    let bytes = wire.len() as f64 / CHANGES as f64;
    for cost in compare(options.samples, &mut [work])? {
        let line = Line::per_row("stage: feed decode (protobuf)", cost, bytes);
        lines.push(line.ratio(limits.copies(cost.cpu_ns, bytes)));
    }
    Ok(())
}
