//! From the protocol to the wire.

use bytes::Bytes;
use tg_cluster::{
    Away, Body, CommandKind, Digest, Epoch, Header, Members, Message, Peer, Phase, Publish, Report, SlotCap,
    SlotCommand, SlotKey, SlotStatus,
};
use tg_model::Position;
use tg_proto::tgpeer as pb;

pub(crate) fn id(n: u128) -> Bytes {
    Bytes::copy_from_slice(&n.to_be_bytes())
}

pub(super) fn message(m: &Message) -> pb::Message {
    use pb::message::Body as To;
    let body = match &m.body {
        Body::Announce => To::Announce(pb::Nothing {}),
        Body::Publish(p) => To::Publish(publish(p)),
        Body::Report(r) => To::Report(report(r)),
        Body::Stale => To::Stale(pb::Nothing {}),
        Body::PreVote => To::PreVote(pb::Nothing {}),
        Body::PreVoteGranted => To::PreVoteGranted(pb::Nothing {}),
        Body::Relay(inner) => To::Relay(Box::new(message(inner))),
    };
    pb::Message { head: Some(header(&m.head)), body: Some(body) }
}

fn header(h: &Header) -> pb::Header {
    pb::Header {
        cluster: id(h.cluster.0),
        from: Some(process(h.from)),
        to: Some(process(h.to)),
        owner_rev: h.owner_rev.0,
        proto: u32::from(h.proto),
    }
}

fn process(p: Peer) -> pb::Process {
    pb::Process { capture: id(p.capture.0), inc: p.inc.0 }
}

fn slot(key: SlotKey) -> pb::Slot {
    pb::Slot { feed: id(key.feed.0), slot: u32::from(key.slot.0) }
}

fn epoch(e: Epoch) -> pb::Epoch {
    pb::Epoch { owner_rev: e.owner_rev().0, n: e.n() }
}

fn position(p: Position) -> pb::Position {
    pb::Position { ts: p.ts.get(), stage: p.stage as u32, seq: p.seq }
}

fn digest(d: Digest) -> pb::Digest {
    pb::Digest { count: d.count, sum: id(d.sum) }
}

fn members(m: &Members) -> pb::Members {
    pb::Members { tables: m.iter().map(|(t, _)| t.0).collect(), starts: m.iter().map(|(_, s)| s.get()).collect() }
}

fn publish(p: &Publish) -> pb::Publish {
    pb::Publish {
        seq: p.seq,
        valid: p.valid,
        standbys: p.standbys.iter().copied().map(process).collect(),
        commands: p.commands.iter().map(command).collect(),
        caps: p.caps.iter().map(cap).collect(),
        emits: p.emits.iter().map(|(f, ts)| pb::Emit { feed: id(f.0), ts: ts.get() }).collect(),
        grant: p.grant.map(|g| pb::Grant { echo: g.echo.0, ttl: g.ttl }),
        ack_report: p.ack_report,
        away: p.away.as_ref().map(|nodes| pb::Absences { nodes: nodes.iter().map(away).collect() }),
    }
}

fn away(a: &Away) -> pb::Away {
    pb::Away { node: id(a.node.0), micros: a.micros, at_least: a.at_least }
}

fn cap(c: &SlotCap) -> pb::Cap {
    pb::Cap {
        slot: Some(slot(c.key)),
        epoch: Some(epoch(c.epoch)),
        cap: Some(position(c.cap)),
        members: Some(digest(c.members)),
    }
}

fn command(c: &SlotCommand) -> pb::Command {
    use pb::command::Kind as To;
    let begin = |at, of: &Members| pb::Begin { start: Some(position(at)), members: Some(members(of)) };
    let nothing = pb::Nothing {};
    let kind = match &c.kind {
        CommandKind::Prepare { start, members } => To::Prepare(begin(*start, members)),
        CommandKind::Activate { start, members } => To::Activate(begin(*start, members)),
        CommandKind::Refence => To::Refence(nothing),
        CommandKind::SetMembers(m) => To::SetMembers(members(m)),
        CommandKind::Stop => To::Stop(nothing),
        CommandKind::Drop => To::Drop(nothing),
        CommandKind::Execute { ts, seq, maybe_done } => {
            To::Execute(pb::Execute { ts: ts.get(), seq: *seq, maybe_done: *maybe_done })
        }
    };
    pb::Command { slot: Some(slot(c.key)), run: c.run.0, epoch: Some(epoch(c.epoch)), kind: Some(kind) }
}

fn report(r: &Report) -> pb::Report {
    pb::Report {
        seq: r.seq,
        acked: r.acked,
        sent_at: r.sent_at.0,
        slots: r.slots.iter().map(status).collect(),
        load: Some(pb::Load { bytes_per_s: r.load.bytes_per_s, full: r.load.full }),
        away: r.away.iter().map(away).collect(),
    }
}

fn status(s: &SlotStatus) -> pb::Status {
    let phase = match s.phase {
        Phase::Preparing => pb::Phase::Preparing,
        Phase::Prepared => pb::Phase::Prepared,
        Phase::Fencing => pb::Phase::Fencing,
        Phase::Active => pb::Phase::Active,
        Phase::Stopping => pb::Phase::Stopping,
        Phase::Stopped => pb::Phase::Stopped,
    };
    pb::Status {
        slot: Some(slot(s.key)),
        run: s.run.0,
        epoch: Some(epoch(s.epoch)),
        phase: phase.into(),
        checkpoint: Some(position(s.checkpoint)),
        resolved: s.resolved.get(),
        cap: Some(position(s.cap)),
        members: Some(digest(s.members)),
        executed: s.executed.map(|(ts, seq)| pb::Executed { ts: ts.get(), seq }),
        bytes_per_s: s.bytes_per_s,
    }
}
