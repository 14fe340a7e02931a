//! What an owner must not conclude.

use crate::hand::*;
use std::sync::Arc;
use tg_cluster::*;
use tg_model::{Position, SlotId, TableId, Ts};

pub(crate) const REV: u64 = 30;

pub(crate) fn feed(fence: Fence) -> FeedRecord {
    FeedRecord {
        whole: false,
        run: RUN,
        wanted: true,
        state: FeedState::Normal,
        slots: 1,
        fence,
        target: None,
        syncpoint_ms: 0,
        checkpoint: start(),
        ddls: Vec::new(),
    }
}

pub(crate) fn snapshot(rev: u64, record: FeedRecord) -> Arc<Snapshot> {
    let capture = |n| Arc::new(CaptureRecord { node: NodeId(n), state: NodeState::Up, zone: String::new() });
    let mut s = Snapshot { rev, ..Snapshot::default() };
    s.captures.extend([(A, capture(2)), (B, capture(3))]);
    // The owner itself takes no slots here, so that they go where a test looks.
    s.captures.insert(ME, Arc::new(CaptureRecord { state: NodeState::Draining, ..CaptureRecord::clone(&capture(1)) }));
    s.feeds.insert(FEED, record.into());
    s.into()
}

/// An owner whose captures have nothing yet.
fn owner(without: Option<Rule>, fence: Fence) -> Hand {
    owner_of(without, feed(fence))
}

pub(crate) fn owner_of(without: Option<Rule>, feed: FeedRecord) -> Hand {
    let mut hand = registered(rules(without));
    let before = Snapshot { rev: 25, ..Snapshot::clone(&snapshot(25, feed.clone())) };
    hand.step(Input::Snapshot(before.into()));
    for _ in 0..100 {
        let out = hand.pass(10);
        for o in &out {
            if let Output::Send(peer, Message { body: Body::PreVote, .. }) = o {
                hand.hear(*peer, ME, 0, Body::PreVoteGranted);
            }
        }
        hand.answer(&out, |r| {
            matches!(r, MetaRequest::TakeOwner { .. }).then_some(MetaReply::Owner(Some(OwnerRev(REV))))
        });
        if hand.node.owner_rev().is_some() {
            break;
        }
    }
    assert_eq!(hand.node.owner_rev(), Some(OwnerRev(REV)));
    let mut after = Snapshot::clone(&snapshot(REV + 1, feed));
    after.owner = Some((ME, OwnerRev(REV)));
    hand.step(Input::Snapshot(after.into()));
    // It hears itself, as a capture among others.
    hand.pass(120);
    hand
}

fn started(hand: &mut Hand) -> Vec<Output> {
    hand.step(Input::Feed(FEED, RUN, vec![FeedInput::Started, FeedInput::DdlResolved(start().ts)]))
}

pub(crate) fn status(epoch: Epoch, phase: Phase) -> SlotStatus {
    SlotStatus {
        key: SLOT,
        run: RUN,
        epoch,
        phase,
        checkpoint: start(),
        resolved: start().ts,
        cap: start(),
        members: Digest::default(),
        executed: None,
        bytes_per_s: 0,
    }
}

/// Both captures report nothing; says where the slot was told to be prepared, and under which epoch.
fn prepared(hand: &mut Hand) -> (Peer, u64, Epoch) {
    hand.report(A, 0, Vec::new());
    hand.report(B, 0, Vec::new());
    let mut out = started(hand);
    out.extend(hand.pass(60));
    let found = [A, B].into_iter().find_map(|p| commands(&out, p, SLOT).first().map(|(seq, c)| (p, *seq, c.epoch)));
    found.expect("the slot is prepared somewhere")
}

fn slot(hand: &Hand) -> SlotView {
    hand.node.feeds()[0].slots.iter().find(|s| s.slot == SlotId(0)).unwrap().clone()
}

/// Activated, and a report from before the Activate does not have the slot.
fn absent_too_early(without: Option<Rule>) -> bool {
    let mut hand = owner(without, Fence::Token);
    let (at, seq, epoch) = prepared(&mut hand);
    hand.report(at, seq, vec![status(epoch, Phase::Prepared)]);
    assert_eq!(slot(&hand).holder, Some(at), "it was activated");
    hand.report(at, seq, Vec::new());
    slot(&hand).holder.is_none()
}

#[test]
fn absence_is_believed_only_of_who_has_seen_the_last_command() {
    assert!(!absent_too_early(None));
    assert!(absent_too_early(Some(Rule::AbsenceNeedsAck)));
}

/// The capture has a copy of an epoch before the one it was told.
fn told_again(without: Option<Rule>) -> bool {
    let mut hand = owner(without, Fence::Token);
    let (at, _, _) = prepared(&mut hand);
    hand.report(at, 0, vec![status(Epoch::new(OwnerRev(12), 1), Phase::Preparing)]);
    let out = hand.pass(400);
    commands(&out, at, SLOT).iter().any(|(_, c)| matches!(c.kind, CommandKind::Prepare { .. }))
}

#[test]
fn a_copy_of_an_older_epoch_is_not_what_was_asked_for() {
    assert!(told_again(None));
    assert!(!told_again(Some(Rule::ResendByEpoch)));
}

/// Active without the table it should have, and far ahead.
fn resolved_over_other_tables_counts(without: Option<Rule>) -> bool {
    let mut hand = owner(without, Fence::Token);
    hand.report(A, 0, Vec::new());
    hand.report(B, 0, Vec::new());
    let inputs = vec![FeedInput::Table(table(100)), FeedInput::Started, FeedInput::DdlResolved(start().ts)];
    let mut out = hand.step(Input::Feed(FEED, RUN, inputs));
    out.extend(hand.pass(60));
    let told = |p| commands(&out, p, SLOT).first().map(|(seq, c)| (p, *seq, c.epoch));
    let (at, seq, epoch) = [A, B].into_iter().find_map(told).expect("the slot is prepared somewhere");
    let out = hand.report(at, seq, vec![status(epoch, Phase::Prepared)]);
    let (seq, activate) = commands(&out, at, SLOT).last().cloned().expect("an Activate");
    let far = Ts::compose(9_000, 0);
    hand.step(Input::Feed(FEED, RUN, vec![FeedInput::DdlResolved(far)]));
    hand.report(at, seq, vec![SlotStatus { resolved: far, ..status(activate.epoch, Phase::Active) }]);
    hand.node.feeds()[0].emit_ts > start().ts
}

#[test]
fn a_minimum_over_other_tables_does_not_count() {
    assert!(!resolved_over_other_tables_counts(None));
    assert!(resolved_over_other_tables_counts(Some(Rule::DigestMatches)));
}

pub(crate) fn table(id: i64) -> Arc<tg_model::TableVersion> {
    Arc::new(tg_model::TableVersion {
        table: TableId(id),
        since: Ts::ZERO,
        update_ts: Ts::ZERO,
        schema_id: 1,
        schema: "s".into(),
        name: "t".into(),
        charset: String::new(),
        collation: String::new(),
        columns: Vec::new(),
        by_id: std::collections::BTreeMap::new(),
        indexes: Vec::new(),
        row_key: None,
        handle: tg_model::TableKey::RowId,
        partitions: Vec::new(),
        is_view: false,
        is_sequence: false,
    })
}

/// Longest time until a request to the sink has landed, in microseconds.
const INFLIGHT: u64 = 2_000_000;
const LEASE: Fence = Fence::Lease { inflight: INFLIGHT };

/// A new run begins while the old run's writer is active: may another be activated?
fn activated_beside_the_old_run(without: Option<Rule>) -> bool {
    let mut hand = owner(without, LEASE);
    let old = Epoch::new(OwnerRev(12), 1);
    let held = |phase| vec![SlotStatus { run: RunId(4), ..status(old, phase) }];
    hand.report(B, 0, held(Phase::Active));
    hand.report(A, 0, Vec::new());
    let mut out = started(&mut hand);
    // Leases of the time before this owner run out; reports keep both captures alive.
    for _ in 0..60 {
        out.extend(hand.report(B, 0, held(Phase::Stopping)));
        out.extend(hand.report(A, 0, Vec::new()));
        out.extend(hand.pass(100));
    }
    let (seq, told) = commands(&out, A, SLOT).last().cloned().expect("it is prepared where it is not held");
    let mut out = hand.report(A, seq, vec![status(told.epoch, Phase::Prepared)]);
    out.extend(hand.pass(60));
    commands(&out, A, SLOT).iter().any(|(_, c)| matches!(c.kind, CommandKind::Activate { .. }))
}

#[test]
fn nobody_is_activated_beside_a_writer() {
    assert!(!activated_beside_the_old_run(None));
    assert!(activated_beside_the_old_run(Some(Rule::NoOtherHolder)));
    assert!(activated_beside_the_old_run(Some(Rule::OnlyStoppedReleases)), "Stopping is not Stopped");
}

/// How often time passes here, in microseconds.
const STEP: u64 = 10_000;

/// How long after a silent capture's registration is gone its slot is activated elsewhere, in microseconds.
fn wait_for_a_fence(without: Option<Rule>) -> u64 {
    let mut hand = owner(without, LEASE);
    let old = Epoch::new(OwnerRev(12), 1);
    started(&mut hand);
    // What was granted before this owner came is over.
    for _ in 0..=(timing::FENCE_WAIT + INFLIGHT) / 100_000 {
        hand.report(A, 0, vec![status(old, Phase::Active)]);
        hand.report(B, 0, Vec::new());
        hand.pass(100);
    }
    // A is heard no more; B is, and gets the slot prepared.
    let (mut revoked, mut at_b, mut seq_b) = (None, None, 0);
    for _ in 0..1_000 {
        let slots = at_b.map(|e| vec![status(e, Phase::Prepared)]).unwrap_or_default();
        let mut out = hand.report(B, seq_b, slots);
        out.extend(hand.pass(STEP / 1_000));
        if out.iter().any(|o| matches!(o, Output::Meta(_, MetaRequest::Revoke { .. }))) {
            revoked.get_or_insert(hand.now);
        }
        for (seq, c) in commands(&out, B, SLOT) {
            match c.kind {
                CommandKind::Prepare { .. } => (at_b, seq_b) = (Some(c.epoch), seq),
                CommandKind::Activate { .. } => return hand.now - revoked.expect("revoked first"),
                _ => {}
            }
        }
    }
    panic!("it is never activated")
}

#[test]
fn a_lease_is_waited_out_and_so_are_late_requests() {
    let waits = |without, full: u64| {
        let wait = wait_for_a_fence(without);
        assert!((full..=full + 2 * STEP).contains(&wait), "without {without:?} {wait} us, not {full}");
    };
    waits(None, timing::FENCE_WAIT + INFLIGHT);
    waits(Some(Rule::InFlightGrace), timing::FENCE_WAIT);
    waits(Some(Rule::WaitAfterRevoke), INFLIGHT);
}

/// The longest pause between two words of an owner that grant something, and when the last one came, in microseconds, when the
/// metadata answers nothing for a while.
fn grants_when_answers_are_lost_for(micros: u64) -> (u64, u64) {
    let mut hand = owner(None, LEASE);
    let (begun, mut last, mut pause) = (hand.now, hand.now, 0);
    for _ in 0..300 {
        hand.report(A, 0, Vec::new());
        hand.now += STEP;
        let out = hand.step(Input::Tick);
        if hand.now - begun >= micros {
            hand.answer(&out, |r| matches!(r, MetaRequest::ConfirmOwner(_)).then_some(MetaReply::Confirmed(true)));
        }
        let grants =
            |o: &Output| matches!(o, Output::Send(A, Message { body: Body::Publish(p), .. }) if p.grant.is_some());
        if out.iter().any(grants) {
            pause = pause.max(hand.now - last);
            last = hand.now;
        }
    }
    (pause, last - begun)
}

#[test]
fn a_lost_confirmation_costs_nothing_and_silence_ends_the_lease() {
    let (pause, last) = grants_when_answers_are_lost_for(2 * timing::CONFIRM_EVERY);
    assert!(pause <= 2 * timing::PUBLISH_EVERY && last >= 299 * STEP - timing::PUBLISH_EVERY, "{pause} {last}");
    let (_, last) = grants_when_answers_are_lost_for(u64::MAX);
    assert!(last <= timing::LEASE, "{last}");
}

/// An owner that cannot confirm itself: does it still grant?
fn grants_when_unconfirmed(without: Option<Rule>) -> bool {
    let mut hand = owner(without, LEASE);
    let mut granted = false;
    for _ in 0..60 {
        hand.report(A, 0, Vec::new());
        hand.now += 50_000;
        // Nothing answers.
        let out = hand.step(Input::Tick);
        let mut grants = out.iter().filter_map(|o| match o {
            Output::Send(A, Message { body: Body::Publish(p), .. }) => Some(p.grant.is_some()),
            _ => None,
        });
        granted = grants.next_back().unwrap_or(granted);
    }
    granted
}

#[test]
fn grants_end_with_the_owners_own_validity() {
    assert!(!grants_when_unconfirmed(None));
    assert!(grants_when_unconfirmed(Some(Rule::GrantsBounded)));
}

/// A capture that hears nothing while all others hear the owner.
fn runs_alone(without: Option<Rule>) -> bool {
    let mut hand = registered(rules(without));
    let mut s = Snapshot::clone(&snapshot(40, feed(Fence::Token)));
    s.owner = Some((A, OwnerRev(30)));
    hand.step(Input::Snapshot(s.into()));
    let out = hand.pass(3_000);
    out.iter().any(|o| matches!(o, Output::Meta(_, MetaRequest::TakeOwner { .. })))
}

#[test]
fn an_owner_that_others_hear_is_not_challenged() {
    assert!(!runs_alone(None));
    assert!(runs_alone(Some(Rule::PreVote)));
}

/// A slot runs with a table that a DDL brought, and the new owner's DDL stream has not come so far.
fn takes_tables_away(without: Option<Rule>) -> bool {
    let mut hand = owner(without, LEASE);
    let old = Epoch::new(OwnerRev(12), 1);
    let far = Position::rows(Ts::compose(5_000, 0));
    let mut members = Digest::default();
    members.add(TableId(100));
    let ahead = SlotStatus { members, checkpoint: far, cap: far, resolved: far.ts, ..status(old, Phase::Active) };
    hand.report(A, 0, vec![ahead]);
    hand.report(B, 0, Vec::new());
    let mut out = started(&mut hand);
    out.extend(hand.pass(60));
    commands(&out, A, SLOT).iter().any(|(_, c)| matches!(c.kind, CommandKind::SetMembers(_)))
}

#[test]
fn tables_of_a_slot_that_is_ahead_are_left_alone() {
    assert!(!takes_tables_away(None));
    assert!(takes_tables_away(Some(Rule::MembersNeedDdls)));
}

/// The writer that was cut off reports more than its successor has.
fn the_predecessors_progress_counts(without: Option<Rule>) -> bool {
    let mut hand = owner(without, Fence::Token);
    let (at, seq, epoch) = prepared(&mut hand);
    let out = hand.report(at, seq, vec![status(epoch, Phase::Prepared)]);
    let (_, first) = commands(&out, at, SLOT).last().cloned().expect("an Activate");
    let other = if at == A { B } else { A };
    // Its connection breaks, and the slot goes to the other.
    let mut out = hand.step(Input::PeerDown(at));
    out.extend(hand.pass(60));
    let (seq, c) = commands(&out, other, SLOT).last().cloned().expect("a Prepare");
    hand.report(other, seq, vec![status(c.epoch, Phase::Prepared)]);
    assert_eq!(slot(&hand).holder, Some(other));
    let far = Position::rows(Ts::compose(5_000, 0));
    hand.report(at, 0, vec![SlotStatus { checkpoint: far, cap: far, ..status(first.epoch, Phase::Active) }]);
    slot(&hand).checkpoint == far
}

#[test]
fn progress_is_the_newest_writers() {
    assert!(!the_predecessors_progress_counts(None));
    assert!(the_predecessors_progress_counts(Some(Rule::NewestTenureCounts)));
}

/// A writer of an older owner's epoch, under a token that the older owner could still raise.
fn an_older_owners_epoch_counts(without: Option<Rule>) -> bool {
    let mut hand = owner(without, Fence::Token);
    let far = Position::rows(Ts::compose(5_000, 0));
    let old = status(Epoch::new(OwnerRev(12), 1), Phase::Active);
    hand.report(A, 0, vec![SlotStatus { checkpoint: far, cap: far, ..old }]);
    slot(&hand).checkpoint == far
}

#[test]
fn progress_counts_under_epochs_of_this_owner() {
    assert!(!an_older_owners_epoch_counts(None));
    assert!(an_older_owners_epoch_counts(Some(Rule::OwnEpochCounts)));
}

/// A writer of an older owner's epoch was told a newer one that did not reach it, and then to stop, since the changefeed is paused; it
/// stops as what it was. Who has the slot then, when the writer's reports say whether it has seen the order to stop.
fn holder_after_a_stop_under_an_older_epoch(has_seen_it: bool) -> Option<Peer> {
    let mut hand = owner(None, Fence::Token);
    let old = Epoch::new(OwnerRev(12), 1);
    let mut out = started(&mut hand);
    for _ in 0..4 {
        hand.report(A, 0, vec![status(old, Phase::Active)]);
        hand.report(B, 0, Vec::new());
        out.extend(hand.pass(50));
    }
    let refenced = |(_, c): &(u64, SlotCommand)| matches!(c.kind, CommandKind::Refence) && c.epoch > old;
    assert!(commands(&out, A, SLOT).iter().any(refenced), "it is told a newer epoch");
    let mut paused = Snapshot::clone(&snapshot(REV + 2, FeedRecord { wanted: false, ..feed(Fence::Token) }));
    paused.owner = Some((ME, OwnerRev(REV)));
    let mut out = hand.step(Input::Snapshot(paused.into()));
    out.extend(hand.pass(60));
    let stop = commands(&out, A, SLOT).into_iter().find(|(_, c)| matches!(c.kind, CommandKind::Stop));
    let (seq, _) = stop.expect("it is told to stop");
    for _ in 0..10 {
        hand.report(A, if has_seen_it { seq } else { seq - 1 }, vec![status(old, Phase::Stopped)]);
        hand.report(B, 0, Vec::new());
        hand.pass(50);
    }
    slot(&hand).holder
}

#[test]
fn who_stopped_under_an_older_epoch_than_it_was_told_has_stopped() {
    assert_eq!(holder_after_a_stop_under_an_older_epoch(true), None);
    assert_eq!(holder_after_a_stop_under_an_older_epoch(false), Some(A), "the newer epoch may be on its way");
}

/// A report to an earlier tenure of this process arrives late.
fn a_report_to_an_earlier_tenure_counts(without: Option<Rule>) -> bool {
    let mut hand = owner(without, LEASE);
    let told = |n| status(Epoch::new(OwnerRev(12), n), Phase::Active);
    hand.hear(A, ME, 12, Body::Report(Report { seq: 1, slots: vec![told(1)], ..Report::default() }));
    let believed = slot(&hand).holder.is_some();
    hand.report(A, 0, vec![told(1)]);
    assert_eq!(slot(&hand).holder, Some(A), "what is said to this owner counts");
    believed
}

#[test]
fn reports_count_for_the_tenure_that_they_were_sent_to() {
    assert!(!a_report_to_an_earlier_tenure_counts(None));
    assert!(a_report_to_an_earlier_tenure_counts(Some(Rule::ReportsOfThisTenure)));
}
