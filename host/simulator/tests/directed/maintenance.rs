//! A node in maintenance keeps what it has, gets nothing new, and is waited for no longer than was said.

use crate::hand::*;
use crate::owner::{REV, feed, owner_of, snapshot, status};
use std::sync::Arc;
use tg_cluster::*;

/// How long it may be away, in milliseconds.
const AWAY_MAX: u64 = 3_000;
/// Another process on the node that runs the changefeed.
const AGAIN: Peer = Peer { capture: CaptureId(9), inc: Incarnation(40) };

fn whole(fence: Fence) -> FeedRecord {
    FeedRecord { whole: true, ..feed(fence) }
}

/// The node of a process.
fn node_of(peer: Peer) -> NodeId {
    if peer == A { NodeId(2) } else { NodeId(3) }
}

/// The metadata with a node in maintenance that had the changefeed; `registered`: its processes.
fn maintained(rev: u64, fence: Fence, at: Peer, registered: &[Peer]) -> Arc<Snapshot> {
    let mut s = Snapshot::clone(&snapshot(rev, whole(fence)));
    s.owner = Some((ME, OwnerRev(REV)));
    s.captures.remove(&at);
    let record = CaptureRecord { node: node_of(at), state: NodeState::Maintenance, zone: String::new() };
    s.captures.extend(registered.iter().map(|p| (*p, Arc::new(record.clone()))));
    s.maintenance.insert(node_of(at), AWAY_MAX * 1_000);
    s.homes.insert(FEED, node_of(at));
    s.into()
}

fn other(at: Peer) -> Peer {
    if at == A { B } else { A }
}

/// Time passes, and a process goes on reporting; what was commanded meanwhile to each of two.
fn while_reporting(hand: &mut Hand, who: Peer, ms: u64, to: [Peer; 2]) -> [Vec<(u64, SlotCommand)>; 2] {
    let mut out = Vec::new();
    for _ in 0..ms / 100 {
        out.extend(hand.pass(100));
        out.extend(hand.report(who, 0, Vec::new()));
    }
    to.map(|peer| commands(&out, peer, SLOT))
}

/// An owner whose changefeed runs on a peer whose node is then put into maintenance.
fn runs(fence: Fence) -> (Hand, Peer) {
    let mut hand = owner_of(None, whole(fence));
    hand.report(A, 0, Vec::new());
    let mut out = hand.report(B, 0, Vec::new());
    out.extend(hand.pass(60));
    let found = [A, B].into_iter().find_map(|p| commands(&out, p, SLOT).first().map(|(seq, c)| (p, *seq, c.clone())));
    let (at, seq, told) = found.expect("it is placed at once");
    let mut out = hand.report(at, seq, vec![status(told.epoch, Phase::Prepared)]);
    out.extend(hand.pass(60));
    let (seq, told) = commands(&out, at, SLOT).first().cloned().expect("it is activated");
    hand.report(at, seq, vec![status(told.epoch, Phase::Active)]);
    hand.step(Input::Snapshot(maintained(REV + 2, fence, at, &[at])));
    (hand, at)
}

#[test]
fn what_it_runs_waits_for_it_and_then_goes_elsewhere() {
    let fence = Fence::Token;
    let (mut hand, at) = runs(fence);
    hand.step(Input::PeerDown(at));
    // Its registration ends, as it does when it is stopped.
    hand.step(Input::Snapshot(maintained(REV + 3, fence, at, &[])));
    let [elsewhere, _] = while_reporting(&mut hand, other(at), AWAY_MAX - 200, [other(at), at]);
    assert!(elsewhere.is_empty(), "it is waited for: {elsewhere:?}");
    let [elsewhere, _] = while_reporting(&mut hand, other(at), 400, [other(at), at]);
    let prepared = elsewhere.iter().any(|(_, c)| matches!(c.kind, CommandKind::Prepare { .. }));
    assert!(prepared, "not for ever: {elsewhere:?}");
}

#[test]
fn another_process_of_the_node_goes_on_with_it() {
    let (mut hand, at) = runs(Fence::Token);
    hand.step(Input::Snapshot(maintained(REV + 3, Fence::Token, at, &[])));
    while_reporting(&mut hand, other(at), 1_000, [other(at), at]);
    hand.step(Input::Snapshot(maintained(REV + 4, Fence::Token, at, &[AGAIN])));
    hand.report(AGAIN, 0, Vec::new());
    let [elsewhere, here] = while_reporting(&mut hand, AGAIN, 300, [other(at), AGAIN]);
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
    assert!(matches!(here.first(), Some((_, SlotCommand { kind: CommandKind::Prepare { .. }, .. }))), "{here:?}");
}

#[test]
fn another_owner_waits_for_it_too() {
    let mut hand = owner_of(None, whole(Fence::Token));
    hand.step(Input::Snapshot(maintained(REV + 2, Fence::Token, A, &[])));
    let [elsewhere, _] = while_reporting(&mut hand, B, AWAY_MAX - 200, [B, A]);
    assert!(elsewhere.is_empty(), "the metadata says who had it: {elsewhere:?}");
    let [elsewhere, _] = while_reporting(&mut hand, B, 400, [B, A]);
    assert!(!elsewhere.is_empty(), "its time is over");
}

#[test]
fn it_gets_nothing_that_it_did_not_have() {
    let mut hand = owner_of(None, whole(Fence::Token));
    let mut s = Snapshot::clone(&maintained(REV + 2, Fence::Token, A, &[A]));
    s.homes.clear();
    hand.step(Input::Snapshot(s.into()));
    hand.report(A, 0, Vec::new());
    let [here, _] = while_reporting(&mut hand, A, 500, [A, B]);
    assert!(here.is_empty(), "{here:?}");
    hand.report(B, 0, Vec::new());
    let [elsewhere, here] = while_reporting(&mut hand, B, 500, [B, A]);
    assert!(!elsewhere.is_empty() && here.is_empty(), "{elsewhere:?} {here:?}");
}
