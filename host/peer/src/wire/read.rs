//! From the wire to the protocol: everything is checked, nothing is assumed.

use super::{DEPTH_MAX, WireError};
use std::sync::Arc;
use tg_cluster::{
    Away, Body, CaptureId, ClusterId, CommandKind, Digest, Epoch, FeedId, Grant, Header, Incarnation, Load, Members,
    Message, Mono, NodeId, OwnerRev, Peer, Phase, Publish, Report, RunId, SlotCap, SlotCommand, SlotKey, SlotStatus,
};
use tg_model::{Position, SlotId, Stage, TableId, Ts};
use tg_proto::tgpeer as pb;

type Read<T> = Result<T, WireError>;

pub(crate) fn id(bytes: &[u8], what: &'static str) -> Read<u128> {
    bytes.try_into().map(u128::from_be_bytes).map_err(|_| WireError::Bad(what))
}

fn some<T>(field: Option<T>, what: &'static str) -> Read<T> {
    field.ok_or(WireError::Missing(what))
}

fn small(n: u32, what: &'static str) -> Read<u16> {
    u16::try_from(n).map_err(|_| WireError::Bad(what))
}

pub(super) fn message(m: pb::Message, depth: usize) -> Read<Message> {
    use pb::message::Body as From;
    let head = header(&some(m.head, "header")?)?;
    let body = match some(m.body, "body")? {
        From::Announce(_) => Body::Announce,
        From::Publish(p) => Body::Publish(publish(&p)?),
        From::Report(r) => Body::Report(report(&r)?),
        From::Stale(_) => Body::Stale,
        From::PreVote(_) => Body::PreVote,
        From::PreVoteGranted(_) => Body::PreVoteGranted,
        From::Relay(_) if depth + 1 >= DEPTH_MAX => return Err(WireError::Bad("depth")),
        From::Relay(inner) => Body::Relay(Box::new(message(*inner, depth + 1)?)),
    };
    Ok(Message { head, body })
}

fn header(h: &pb::Header) -> Read<Header> {
    Ok(Header {
        cluster: ClusterId(id(&h.cluster, "cluster")?),
        from: process(h.from.as_ref())?,
        to: process(h.to.as_ref())?,
        owner_rev: OwnerRev(h.owner_rev),
        proto: small(h.proto, "version")?,
    })
}

fn process(p: Option<&pb::Process>) -> Read<Peer> {
    let p = some(p, "process")?;
    Ok(Peer { capture: CaptureId(id(&p.capture, "capture")?), inc: Incarnation(p.inc) })
}

fn slot(s: Option<&pb::Slot>) -> Read<SlotKey> {
    let s = some(s, "slot")?;
    Ok(SlotKey { feed: FeedId(id(&s.feed, "changefeed")?), slot: SlotId(small(s.slot, "slot")?) })
}

fn epoch(e: Option<&pb::Epoch>) -> Read<Epoch> {
    let e = some(e, "epoch")?;
    if e.owner_rev == 0 || e.n == 0 {
        return Err(WireError::Bad("epoch"));
    }
    Ok(Epoch::new(OwnerRev(e.owner_rev), e.n))
}

fn position(p: Option<&pb::Position>) -> Read<Position> {
    let p = some(p, "position")?;
    let stage = u8::try_from(p.stage).ok().and_then(Stage::from_u8).ok_or(WireError::Bad("stage"))?;
    Ok(Position { ts: Ts::new(p.ts), stage, seq: p.seq })
}

fn digest(d: Option<&pb::Digest>) -> Read<Digest> {
    let d = some(d, "digest")?;
    Ok(Digest { count: d.count, sum: id(&d.sum, "digest")? })
}

fn members(m: &pb::Members) -> Read<Arc<Members>> {
    if m.tables.len() != m.starts.len() {
        return Err(WireError::Bad("tables"));
    }
    let pairs = m.tables.iter().zip(&m.starts).map(|(t, s)| (TableId(*t), Ts::new(*s)));
    Ok(Arc::new(pairs.collect()))
}

fn publish(p: &pb::Publish) -> Read<Publish> {
    let commands: Read<Vec<_>> = p.commands.iter().filter_map(|c| command(c).transpose()).collect();
    let emit = |e: &pb::Emit| -> Read<_> { Ok((FeedId(id(&e.feed, "changefeed")?), Ts::new(e.ts))) };
    Ok(Publish {
        seq: p.seq,
        valid: p.valid,
        standbys: p.standbys.iter().map(|s| process(Some(s))).collect::<Read<_>>()?,
        commands: commands?,
        caps: p.caps.iter().map(cap).collect::<Read<_>>()?,
        emits: p.emits.iter().map(emit).collect::<Read<_>>()?,
        grant: p.grant.as_ref().map(|g| Grant { echo: Mono(g.echo), ttl: g.ttl }),
        ack_report: p.ack_report,
        away: p.away.as_ref().map(|a| a.nodes.iter().map(away).collect::<Read<_>>()).transpose()?,
    })
}

fn away(a: &pb::Away) -> Read<Away> {
    Ok(Away { node: NodeId(id(&a.node, "node")?), micros: a.micros, at_least: a.at_least })
}

fn cap(c: &pb::Cap) -> Read<SlotCap> {
    Ok(SlotCap {
        key: slot(c.slot.as_ref())?,
        epoch: epoch(c.epoch.as_ref())?,
        cap: position(c.cap.as_ref())?,
        members: digest(c.members.as_ref())?,
    })
}

/// `None`: a kind that a later version knows. Commands are repeated until they are seen to work, so leaving one out is no loss.
fn command(c: &pb::Command) -> Read<Option<SlotCommand>> {
    use pb::command::Kind as From;
    let Some(kind) = &c.kind else { return Ok(None) };
    let begin =
        |b: &pb::Begin| -> Read<_> { Ok((position(b.start.as_ref())?, members(some(b.members.as_ref(), "tables")?)?)) };
    let kind = match kind {
        From::Prepare(b) => begin(b).map(|(start, members)| CommandKind::Prepare { start, members })?,
        From::Activate(b) => begin(b).map(|(start, members)| CommandKind::Activate { start, members })?,
        From::Refence(_) => CommandKind::Refence,
        From::SetMembers(m) => CommandKind::SetMembers(members(m)?),
        From::Stop(_) => CommandKind::Stop,
        From::Drop(_) => CommandKind::Drop,
        From::Execute(e) => CommandKind::Execute { ts: Ts::new(e.ts), seq: e.seq, maybe_done: e.maybe_done },
    };
    Ok(Some(SlotCommand { key: slot(c.slot.as_ref())?, run: RunId(c.run), epoch: epoch(c.epoch.as_ref())?, kind }))
}

fn report(r: &pb::Report) -> Read<Report> {
    let load = r.load.as_ref().map_or_else(Load::default, |l| Load { bytes_per_s: l.bytes_per_s, full: l.full });
    Ok(Report {
        seq: r.seq,
        acked: r.acked,
        sent_at: Mono(r.sent_at),
        slots: r.slots.iter().map(status).collect::<Read<_>>()?,
        load,
        away: r.away.iter().map(away).collect::<Read<_>>()?,
    })
}

fn status(s: &pb::Status) -> Read<SlotStatus> {
    let phase = match s.phase() {
        pb::Phase::Unknown => return Err(WireError::Bad("phase")),
        pb::Phase::Preparing => Phase::Preparing,
        pb::Phase::Prepared => Phase::Prepared,
        pb::Phase::Fencing => Phase::Fencing,
        pb::Phase::Active => Phase::Active,
        pb::Phase::Stopping => Phase::Stopping,
        pb::Phase::Stopped => Phase::Stopped,
    };
    Ok(SlotStatus {
        key: slot(s.slot.as_ref())?,
        run: RunId(s.run),
        epoch: epoch(s.epoch.as_ref())?,
        phase,
        checkpoint: position(s.checkpoint.as_ref())?,
        resolved: Ts::new(s.resolved),
        cap: position(s.cap.as_ref())?,
        members: digest(s.members.as_ref())?,
        executed: s.executed.as_ref().map(|e| (Ts::new(e.ts), e.seq)),
        bytes_per_s: s.bytes_per_s,
    })
}
