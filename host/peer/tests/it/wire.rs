//! Messages survive the wire, those of past versions load, and bytes from anywhere never panic.

use std::sync::Arc;
use tg_cluster::{
    Away, Body, CaptureId, ClusterId, CommandKind, Digest, Epoch, FeedId, Grant, Header, Incarnation, Load, Members,
    Message, Mono, NodeId, OwnerRev, Peer, Phase, Publish, Report, RunId, SlotCap, SlotCommand, SlotStatus, slot_key,
};
use tg_model::{Position, TableId, Ts};
use tg_peer::{decode, encode};

fn peer(n: u128) -> Peer {
    Peer { capture: CaptureId(n << 100 | n), inc: Incarnation(n as u64 + 40) }
}

fn message(body: Body) -> Message {
    let head =
        Header { cluster: ClusterId(u128::MAX - 3), from: peer(1), to: peer(2), owner_rev: OwnerRev(99), proto: 1 };
    Message { head, body }
}

fn members() -> Arc<Members> {
    Arc::new([(TableId(-7), Ts::new(1)), (TableId(112), Ts::MAX)].into_iter().collect())
}

fn publish() -> Body {
    let (key, run, epoch) = (slot_key(FeedId(5), 3), RunId(8), Epoch::new(OwnerRev(99), 7));
    let at = Position::within(Ts::new(450), 12);
    let kinds = [
        CommandKind::Prepare { start: at, members: members() },
        CommandKind::Activate { start: Position::ddl(Ts::new(9)), members: Arc::default() },
        CommandKind::Refence,
        CommandKind::SetMembers(members()),
        CommandKind::Stop,
        CommandKind::Drop,
        CommandKind::Execute { ts: Ts::new(77), seq: u32::MAX, maybe_done: true },
    ];
    Body::Publish(Publish {
        seq: 4,
        valid: true,
        standbys: vec![peer(3), peer(4)],
        commands: kinds.map(|kind| SlotCommand { key, run, epoch, kind }).into(),
        caps: vec![SlotCap { key, epoch, cap: Position::rows(Ts::MAX), members: members().digest() }],
        emits: vec![(FeedId(5), Ts::new(600))],
        grant: Some(Grant { echo: Mono(1_000), ttl: 2_000 }),
        ack_report: 6,
        away: None,
    })
}

fn report() -> Body {
    let phases = [Phase::Preparing, Phase::Prepared, Phase::Fencing, Phase::Active, Phase::Stopping, Phase::Stopped];
    let status = |(i, phase): (usize, Phase)| SlotStatus {
        key: slot_key(FeedId(u128::MAX), i as u16),
        run: RunId(1),
        epoch: Epoch::new(OwnerRev(2), 3),
        phase,
        checkpoint: Position::before(Ts::new(10)),
        resolved: Ts::new(20),
        cap: Position::rows(Ts::new(15)),
        members: Digest { count: u32::MAX, sum: 1 << 127 },
        executed: (i % 2 == 0).then_some((Ts::new(5), 1)),
        bytes_per_s: 1 << 40,
    };
    Body::Report(Report {
        seq: 1,
        acked: 2,
        sent_at: Mono(3),
        slots: phases.into_iter().enumerate().map(status).collect(),
        load: Load { bytes_per_s: 9, full: true },
        away: Vec::new(),
    })
}

fn away() -> Vec<Away> {
    let away = |node, micros, at_least| Away { node: NodeId(node), micros, at_least };
    vec![away(6, 1 << 33, true), away(u128::MAX, 0, false)]
}

fn all() -> Vec<(&'static str, Message)> {
    vec![
        ("announce", message(Body::Announce)),
        ("publish", message(publish())),
        ("report", message(report())),
        ("stale", message(Body::Stale)),
        ("pre-vote", message(Body::PreVote)),
        ("pre-vote-granted", message(Body::PreVoteGranted)),
        ("relay", message(Body::Relay(Box::new(message(report()))))),
        ("empty-publish", message(Body::Publish(Publish::default()))),
        ("empty-report", message(Body::Report(Report::default()))),
        ("publish-away", message(Body::Publish(Publish { away: Some(away()), ..Publish::default() }))),
        ("publish-nobody-away", message(Body::Publish(Publish { away: Some(Vec::new()), ..Publish::default() }))),
        ("report-away", message(Body::Report(Report { away: away(), ..Report::default() }))),
    ]
}

/// What version 1 wrote is kept as it was written.
const V1: &str = include_str!("../golden/v1.txt");

#[test]
fn every_message_comes_back() {
    for (name, message) in all() {
        assert_eq!(decode(&encode(&message)).as_ref(), Ok(&message), "{name}");
    }
}

#[test]
fn messages_of_version_1_load() {
    let kept: Vec<(&str, &str)> = V1.lines().filter_map(|line| line.split_once(' ')).collect();
    for (name, message) in all() {
        let bytes = kept.iter().find(|(n, _)| *n == name).map(|(_, hex)| hex::decode(hex).unwrap());
        let bytes = bytes.unwrap_or_else(|| panic!("no `{name}` is kept; now it is {}", hex::encode(encode(&message))));
        assert_eq!(decode(&bytes).as_ref(), Ok(&message), "{name}");
    }
    assert_eq!(kept.len(), all().len());
}

#[test]
fn a_later_version_is_read_as_far_as_it_is_known() {
    // An unknown field, 1000, in a known message.
    let mut bytes = encode(&message(Body::Announce)).to_vec();
    bytes.extend([0xc0, 0x3e, 0x01]);
    assert_eq!(decode(&bytes), Ok(message(Body::Announce)));
}

#[test]
fn damaged_bytes_are_errors_and_never_panic() {
    for (name, message) in all() {
        let whole = encode(&message).to_vec();
        for end in 0..whole.len() {
            // Cut in the middle of a list it may still be a message.
            let _ = decode(&whole[..end]);
        }
        for at in 0..whole.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut bytes = whole.clone();
                bytes[at] ^= flip;
                let _ = decode(&bytes);
            }
        }
        assert!(decode(&whole[..whole.len() - 1]).is_err() || whole.is_empty(), "{name}");
    }
    assert!(decode(&[]).is_err());
    let twice = message(Body::Relay(Box::new(message(Body::Relay(Box::new(message(Body::Stale)))))));
    assert!(decode(&encode(&twice)).is_err(), "a relayed message is not relayed again");
}
