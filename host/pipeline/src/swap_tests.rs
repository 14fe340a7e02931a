use super::{SwapEffect as Do, SwapEvent as On, SwapMachine, SwapParts};
use std::time::Duration;
use tg_model::{Position, SlotId, Ts};

const STAGES: SwapParts = SwapParts { sink: false, stages: true };
const SINKS: SwapParts = SwapParts { sink: true, stages: false };
const MS: Duration = Duration::from_millis(1);

fn at(ts: u64) -> Position {
    Position::rows(Ts::new(ts))
}

fn steps(m: &mut SwapMachine, events: impl IntoIterator<Item = On>) -> Vec<Do> {
    let mut effects = Vec::new();
    events.into_iter().for_each(|e| m.step(e, &mut effects));
    effects
}

fn part(ok: bool) -> On {
    On::Part { ok, stall: MS }
}

fn drained(slot: u16, ts: u64) -> On {
    On::Drained { slot: SlotId(slot), at: at(ts) }
}

#[test]
fn stages_change_only_behind_the_drain_of_all_slots_and_a_record_of_it() {
    let mut m = SwapMachine::new(2, 3);
    assert_eq!(steps(&mut m, [On::Begin(STAGES), On::Opened]), [Do::Open { back: false }, Do::Drain]);
    assert_eq!(steps(&mut m, [drained(1, 7)]), []);
    assert_eq!(steps(&mut m, [drained(0, 5)]), [Do::Record { floors: vec![at(5), at(7)] }]);
    assert!(m.is_busy());
    assert_eq!(steps(&mut m, [On::Recorded, part(true), part(true)]), [Do::Switch]);
    assert_eq!(steps(&mut m, [part(true)]), [Do::Done { stall: MS }]);
    assert!(!m.is_busy());
    assert_eq!(steps(&mut m, [On::Settle, On::Broken]), [Do::Settled]);
}

#[test]
fn sinks_change_without_a_drain() {
    let mut m = SwapMachine::new(2, 3);
    let effects = steps(&mut m, [On::Begin(SINKS), On::Opened, On::Recorded]);
    assert_eq!(effects, [Do::Open { back: false }, Do::Record { floors: vec![] }, Do::Switch]);
    assert_eq!(steps(&mut m, (0..6).map(|_| part(true))), []);
    assert_eq!(steps(&mut m, [part(true)]), [Do::Done { stall: MS }]);
}

#[test]
fn what_fails_on_probation_is_taken_back_over_the_same_steps() {
    let mut m = SwapMachine::new(1, 1);
    steps(&mut m, [On::Begin(STAGES), On::Opened, drained(0, 5), On::Recorded, part(true), part(true)]);
    // The slot that failed has drained before anybody told it to.
    let effects = steps(&mut m, [drained(0, 9), On::Broken, On::Opened]);
    assert_eq!(effects, [Do::Open { back: true }, Do::Drain, Do::Record { floors: vec![at(9)] }]);
    let effects = steps(&mut m, [On::Recorded, On::Broken, part(true), part(true)]);
    assert_eq!(effects, [Do::Switch, Do::RolledBack { stall: MS }]);
}

#[test]
fn a_part_that_cannot_change_takes_all_back() {
    let mut m = SwapMachine::new(1, 2);
    steps(&mut m, [On::Begin(SINKS), On::Opened, On::Recorded]);
    assert_eq!(steps(&mut m, [part(true), part(false), part(true)]), [Do::Open { back: true }]);
    assert_eq!(steps(&mut m, [On::Opened, On::Recorded]), [Do::Record { floors: vec![] }, Do::Switch]);
    assert_eq!(steps(&mut m, [part(true), part(true), part(true)]), [Do::RolledBack { stall: MS }]);
}

#[test]
fn what_cannot_be_started_changes_nothing_and_one_swap_goes_at_a_time() {
    let mut m = SwapMachine::new(1, 1);
    assert_eq!(steps(&mut m, [On::Begin(SINKS), On::OpenFailed]), [Do::Open { back: false }, Do::Refused]);
    steps(&mut m, [On::Begin(SINKS)]);
    assert!(m.is_busy());
    assert_eq!(steps(&mut m, [On::Begin(STAGES)]), []);
}
