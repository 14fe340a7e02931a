//! Changefeeds that run whole on one node: placed, moved and fenced like slots, and left alone in everything else.

use crate::hand::*;
use crate::owner::{REV, feed, owner_of, snapshot, status};
use tg_cluster::*;
use tg_model::{Position, Ts};

fn whole(fence: Fence) -> FeedRecord {
    FeedRecord { whole: true, ..feed(fence) }
}

fn commanded(out: &[Output]) -> Option<(Peer, u64, SlotCommand)> {
    [A, B].into_iter().find_map(|p| commands(out, p, SLOT).first().map(|(seq, c)| (p, *seq, c.clone())))
}

/// What follows from an input, at once and soon.
fn then(hand: &mut Hand, mut out: Vec<Output>) -> Vec<Output> {
    out.extend(hand.pass(60));
    out
}

/// An owner whose changefeed runs on the peer.
fn runs(fence: Fence) -> (Hand, Peer, Epoch) {
    let mut hand = owner_of(None, whole(fence));
    hand.report(A, 0, Vec::new());
    let out = hand.report(B, 0, Vec::new());
    let out = then(&mut hand, out);
    assert!(!out.iter().any(|o| matches!(o, Output::StartSource(..))), "it reads its schema itself");
    let (at, seq, told) = commanded(&out).expect("it is placed at once");
    assert!(matches!(told.kind, CommandKind::Prepare { .. }));
    let out = hand.report(at, seq, vec![status(told.epoch, Phase::Prepared)]);
    let (_, seq, told) = commanded(&then(&mut hand, out)).unwrap();
    assert!(matches!(told.kind, CommandKind::Activate { .. }));
    hand.report(at, seq, vec![status(told.epoch, Phase::Active)]);
    (hand, at, told.epoch)
}

#[test]
fn it_is_placed_once_and_not_held_back() {
    let (mut hand, at, epoch) = runs(Fence::Token);
    let out = hand.pass(100);
    let cap = out.iter().find_map(|o| match o {
        Output::Send(peer, Message { body: Body::Publish(p), .. }) if *peer == at => p.caps.first().copied(),
        _ => None,
    });
    assert_eq!(cap.map(|c| (c.cap, c.epoch)), Some((Position::rows(Ts::MAX), epoch)));
    let far = Position::rows(Ts::compose(9_000, 0));
    hand.report(at, 9, vec![SlotStatus { checkpoint: far, ..status(epoch, Phase::Active) }]);
    let out = hand.pass(2_000);
    assert!(!out.iter().any(|o| matches!(o, Output::Meta(_, MetaRequest::PutStatus { .. }))), "it stores its own");
    let view = &hand.node.feeds()[0];
    assert_eq!((view.slots.len(), view.checkpoint), (1, far), "there is no executor beside it");
}

#[test]
fn it_is_stopped_when_it_is_not_wanted() {
    let (mut hand, at, epoch) = runs(Fence::Token);
    let stopped = FeedRecord { wanted: false, state: FeedState::Failed, ..whole(Fence::Token) };
    let mut after = Snapshot::clone(&snapshot(REV + 2, stopped));
    after.owner = Some((ME, OwnerRev(REV)));
    let out = hand.step(Input::Snapshot(after.into()));
    let (to, seq, told) = commanded(&then(&mut hand, out)).unwrap();
    assert_eq!((to, told.kind), (at, CommandKind::Stop));
    let mut out = hand.report(at, seq, vec![status(epoch, Phase::Stopped)]);
    out.extend(hand.pass(1_000));
    assert_eq!(commanded(&out).map(|(to, _, c)| (to, c.kind)), Some((at, CommandKind::Drop)));
    assert!(!out.iter().any(|o| matches!(o, Output::Meta(_, MetaRequest::PutState { .. }))), "its own word stands");
}

#[test]
fn a_node_that_is_gone_is_replaced_and_with_a_token_nobody_waits() {
    let (mut hand, at, _) = runs(Fence::Token);
    let other = if at == A { B } else { A };
    let out = hand.step(Input::PeerDown(at));
    let told = commands(&out, other, SLOT);
    assert!(
        matches!(told.first(), Some((_, SlotCommand { kind: CommandKind::Prepare { .. }, .. }))),
        "at once: {told:?}"
    );
}

#[test]
fn whoever_was_refused_before_the_takeover_is_not_waited_for() {
    let mut hand = registered(rules(None));
    hand.step(Input::Snapshot(snapshot(25, whole(Fence::Token))));
    hand.step(Input::PeerDown(A));
    for _ in 0..200 {
        let out = hand.pass(10);
        if out.iter().any(|o| matches!(o, Output::Send(_, Message { body: Body::PreVote, .. }))) {
            hand.hear(B, ME, 0, Body::PreVoteGranted);
        }
        hand.answer(&out, |r| {
            matches!(r, MetaRequest::TakeOwner { .. }).then_some(MetaReply::Owner(Some(OwnerRev(REV))))
        });
        if hand.node.owner_rev().is_some() {
            break;
        }
    }
    let mut after = Snapshot::clone(&snapshot(REV + 1, whole(Fence::Token)));
    after.owner = Some((ME, OwnerRev(REV)));
    hand.step(Input::Snapshot(after.into()));
    let out = hand.report(B, 0, Vec::new());
    let (to, _, _) = commanded(&then(&mut hand, out)).expect("what A may have is known to be over");
    assert_eq!(to, B);
}

#[test]
fn limits_are_obeyed_as_soon_as_they_are_set() {
    let (mut hand, at, epoch) = runs(Fence::Token);
    let other = if at == A { B } else { A };
    let set = |hand: &mut Hand, moves| {
        let limits = Limits { moves, ..Limits::default() };
        hand.step(Input::Pace(Pace { limits, ..Pace::default() }));
        assert_eq!(hand.node.limits(), limits);
    };
    set(&mut hand, 0);
    let mut drained = Snapshot::clone(&snapshot(REV + 2, whole(Fence::Token)));
    drained.owner = Some((ME, OwnerRev(REV)));
    for (peer, record) in &mut drained.captures {
        let state = if *peer == other { NodeState::Up } else { NodeState::Draining };
        *record = CaptureRecord { state, ..CaptureRecord::clone(record) }.into();
    }
    hand.step(Input::Snapshot(drained.into()));
    let moved = |hand: &mut Hand| {
        let mut out = Vec::new();
        for _ in 0..3 {
            out.extend(hand.report(at, 9, vec![status(epoch, Phase::Active)]));
            out.extend(hand.report(other, 9, Vec::new()));
            out.extend(hand.pass(100));
        }
        commanded(&out).map(|(to, _, c)| (to, c.kind))
    };
    assert_eq!(moved(&mut hand), None, "no move is allowed, not even that of a drain");
    set(&mut hand, 1);
    let (to, told) = moved(&mut hand).expect("now it is");
    assert!(to == other && matches!(told, CommandKind::Prepare { .. }), "{to} {told:?}");
}
