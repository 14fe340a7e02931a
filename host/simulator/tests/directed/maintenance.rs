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

/// What an owner that takes over while a node is away is told of it by a capture.
fn told(micros: u64) -> Report {
    Report { away: vec![Away { node: node_of(A), micros, at_least: false }], ..Report::default() }
}

/// How long such an owner waits, in milliseconds, to the tenth of a second.
fn waits_after_a_takeover(without: Option<Rule>, known_ms: u64) -> u64 {
    let mut hand = owner_of(without, whole(Fence::Token));
    hand.step(Input::Snapshot(maintained(REV + 2, Fence::Token, A, &[])));
    let begun = hand.now;
    while hand.now < begun + 10_000_000 {
        let mut out = hand.reported(B, told(known_ms * 1_000 + hand.now - begun));
        out.extend(hand.pass(100));
        if !commands(&out, B, SLOT).is_empty() {
            return (hand.now - begun) / 1_000;
        }
    }
    panic!("it is waited for for ever")
}

#[test]
fn another_owner_counts_on() {
    let waits = [0, 1_000, AWAY_MAX - 500, AWAY_MAX].map(|known| waits_after_a_takeover(None, known));
    let left = [AWAY_MAX, AWAY_MAX - 1_000, 500, 0];
    assert!(waits.iter().zip(left).all(|(w, left)| (left..=left + 200).contains(w)), "{waits:?}");
    let anew = waits_after_a_takeover(Some(Rule::AbsenceCarried), AWAY_MAX - 500);
    assert!(anew >= AWAY_MAX, "{anew}");
}

/// What an owner's words to a capture say of absences, and what that capture says to the owner.
fn says(out: &[Output], to: Peer) -> Vec<Vec<Away>> {
    let said = |o: &Output| match o {
        Output::Send(peer, Message { body: Body::Publish(p), .. }) if *peer == to => p.away.clone(),
        Output::Send(peer, Message { body: Body::Report(r), .. }) if *peer == to => Some(r.away.clone()),
        _ => None,
    };
    out.iter().filter_map(said).collect()
}

#[test]
fn an_absence_is_told_to_all_and_by_all_and_its_end_too() {
    let (mut hand, at) = runs(Fence::Token);
    hand.step(Input::PeerDown(at));
    hand.step(Input::Snapshot(maintained(REV + 3, Fence::Token, at, &[])));
    let mut out = hand.pass(1_000);
    out.extend(hand.report(other(at), 0, Vec::new()));
    let told = says(&out, other(at)).pop().expect("it publishes");
    assert_eq!(told.iter().map(|a| (a.node, a.at_least)).collect::<Vec<_>>(), [(node_of(at), false)]);
    assert!((900_000..=1_100_000).contains(&told[0].micros), "{told:?}");

    // A capture keeps it over the end of that owner.
    let mut capture = registered(rules(None));
    let publish = |seq, away| Body::Publish(Publish { seq, valid: true, away, ..Publish::default() });
    capture.hear(A, ME, REV, publish(1, Some(told.clone())));
    capture.hear(A, ME, REV, publish(2, None));
    capture.pass(500);
    capture.hear(B, ME, REV + 9, Body::Announce);
    let known = says(&capture.pass(100), B).pop().expect("it reports");
    assert_eq!(known.len(), 1);
    assert!((590_000..=610_000).contains(&(known[0].micros - told[0].micros)), "{known:?} after {told:?}");
    capture.hear(B, ME, REV + 9, publish(1, Some(Vec::new())));
    assert_eq!(says(&capture.pass(100), B).pop(), Some(Vec::new()), "it is back");
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
