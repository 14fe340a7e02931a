//! What a capture must not obey.

use crate::hand::*;
use tg_cluster::*;

/// The holder says that everything is subscribed.
fn caught_up(hand: &mut Hand, tenure: u64) {
    let resolved = start().ts;
    let event = HolderEvent::Progress { resolved, checkpoint: start(), members: Digest::default() };
    hand.step(Input::Holder(SLOT, Tenure(tenure), event));
}

fn opens(out: &[Output]) -> bool {
    orders(out).iter().any(|o| matches!(o, SlotOrder::Open { .. }))
}

/// Prepared, then given up and dropped; the messages before come again, and with them an Activate that never arrived.
fn revived(without: Option<Rule>) -> bool {
    let mut hand = registered(rules(without));
    hand.told(30, 1, 1, prepare());
    caught_up(&mut hand, 1);
    assert_eq!(hand.node.holds(SLOT), Some(Phase::Prepared));
    hand.told(30, 3, 2, CommandKind::Drop);
    assert_eq!(hand.node.holds(SLOT), None);
    hand.told(30, 1, 1, prepare());
    caught_up(&mut hand, 2);
    opens(&hand.told(30, 2, 2, activate()))
}

#[test]
fn late_commands_do_not_revive_a_slot_that_was_given_up() {
    assert!(!revived(None));
    assert!(revived(Some(Rule::CommandHighWater)));
}

fn obeys_an_older_owner(without: Option<Rule>) -> bool {
    let mut hand = registered(rules(without));
    hand.hear(B, ME, 40, Body::Announce);
    let out = hand.told(30, 1, 1, prepare());
    !orders(&out).is_empty()
}

#[test]
fn the_newest_owner_is_the_only_one() {
    assert!(!obeys_an_older_owner(None));
    assert!(obeys_an_older_owner(Some(Rule::NewestOwnerOnly)));
}

fn obeys_words_for_an_earlier_incarnation(without: Option<Rule>) -> bool {
    let mut hand = registered(rules(without));
    let before = Peer { inc: Incarnation(11), ..ME };
    let epoch = Epoch::new(OwnerRev(30), 1);
    let commands = vec![SlotCommand { key: SLOT, run: RUN, epoch, kind: prepare() }];
    let publish = Publish { seq: 1, valid: true, commands, ..Publish::default() };
    !orders(&hand.hear(A, before, 30, Body::Publish(publish))).is_empty()
}

#[test]
fn words_for_an_earlier_incarnation_are_nobodys() {
    assert!(!obeys_words_for_an_earlier_incarnation(None));
    assert!(obeys_words_for_an_earlier_incarnation(Some(Rule::IncarnationChecked)));
}

fn dropped_by_an_older_epoch(without: Option<Rule>) -> bool {
    let mut hand = registered(rules(without));
    hand.told(30, 1, 5, prepare());
    hand.told(30, 2, 3, CommandKind::Drop);
    hand.node.holds(SLOT).is_none()
}

#[test]
fn an_older_epoch_changes_nothing() {
    assert!(!dropped_by_an_older_epoch(None));
    assert!(dropped_by_an_older_epoch(Some(Rule::EpochsRise)));
}

/// The registration is revoked while the slot is active and a lease is good.
fn may_still_write_after_a_revoke(without: Option<Rule>) -> bool {
    let mut hand = registered(rules(without));
    hand.told(30, 1, 1, prepare());
    caught_up(&mut hand, 1);
    hand.told(30, 2, 2, activate());
    hand.step(Input::Holder(SLOT, Tenure(1), HolderEvent::Opened(None)));
    assert_eq!(hand.node.holds(SLOT), Some(Phase::Active));
    let gone = Snapshot { rev: 50, ..Snapshot::default() };
    let out = hand.step(Input::Snapshot(gone.into()));
    !orders(&out).contains(&&SlotOrder::Drop)
}

#[test]
fn without_registration_nothing_is_held() {
    assert!(!may_still_write_after_a_revoke(None));
    assert!(may_still_write_after_a_revoke(Some(Rule::DropWhenUnregistered)));
}

fn caps_for_other_tables_count(without: Option<Rule>) -> bool {
    let mut hand = registered(rules(without));
    hand.told(30, 1, 1, prepare());
    caught_up(&mut hand, 1);
    hand.told(30, 2, 2, activate());
    hand.step(Input::Holder(SLOT, Tenure(1), HolderEvent::Opened(None)));
    let mut members = Digest::default();
    members.add(tg_model::TableId(100));
    let cap = tg_model::Position::rows(tg_model::Ts::compose(2_000, 0));
    let caps = vec![SlotCap { key: SLOT, epoch: Epoch::new(OwnerRev(30), 2), cap, members }];
    let publish = Publish { seq: 3, valid: true, caps, ..Publish::default() };
    orders(&hand.hear(A, ME, 30, Body::Publish(publish))).contains(&&SlotOrder::Cap(cap))
}

#[test]
fn a_cap_for_other_tables_is_no_cap() {
    assert!(!caps_for_other_tables_count(None));
    assert!(caps_for_other_tables_count(Some(Rule::CapsCarryDigest)));
}
