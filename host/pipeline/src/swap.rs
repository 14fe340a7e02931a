//! The order of things in a swap, sans-IO: what has to have happened before what.
//!
//! Stages (transforms, dispatcher) decide which lane a row takes, and lanes count rows: so they change only where every slot has
//! drained to the end of a transaction, and only after that place is stored together with the names of the plugins that run from
//! there. Sinks change lane by lane, wherever each lane stands.

use std::collections::BTreeMap;
use std::time::Duration;
use tg_model::{Position, SlotId};

/// Which plugins change.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SwapParts {
    /// The sinks of all lanes, and the one that runs DDL.
    pub sink: bool,
    /// Transforms and dispatcher of all slots.
    pub stages: bool,
}

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum SwapEvent {
    /// Somebody wants these changed.
    Begin(SwapParts),
    /// The instances are started.
    Opened,
    /// They cannot be started.
    OpenFailed,
    /// A slot stands still.
    Drained { slot: SlotId, at: Position },
    /// The place and the names are stored.
    Recorded,
    /// A slot's stages, a lane or the DDL executor has changed, or could not.
    Part { ok: bool, stall: Duration },
    /// Plugins on probation failed.
    Broken,
    /// The time of probation is over.
    Settle,
}

/// What to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum SwapEffect {
    /// Start instances of the new plugins (`back`: of those before them).
    Open { back: bool },
    /// Have all slots drain.
    Drain,
    /// Store the names and, where slots have drained, how far each is.
    Record { floors: Vec<Position> },
    /// Have everybody change.
    Switch,
    /// The new plugins run, on probation. For so long at most a lane or slot stood still.
    Done { stall: Duration },
    /// The plugins before them run again.
    RolledBack { stall: Duration },
    /// Nothing has changed.
    Refused,
    /// The plugins that run are there to stay.
    Settled,
    /// The plugins before cannot be started either: the run ends.
    Failed,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Idle,
    Opening,
    Draining,
    Recording,
    Switching { left: usize, stall: Duration, broken: bool },
    Probation,
}

/// One swap at a time.
#[derive(Debug)]
pub(crate) struct SwapMachine {
    slots: u16,
    lanes: u16,
    state: State,
    parts: SwapParts,
    back: bool,
    drained: BTreeMap<SlotId, Position>,
}

impl SwapMachine {
    pub(crate) const fn new(slots: u16, lanes: u16) -> Self {
        let parts = SwapParts { sink: false, stages: false };
        Self { slots, lanes, state: State::Idle, parts, back: false, drained: BTreeMap::new() }
    }

    /// A swap is under way.
    pub(crate) const fn is_busy(&self) -> bool {
        !matches!(self.state, State::Idle | State::Probation)
    }

    /// Takes one event and appends what is to be done, in order.
    pub(crate) fn step(&mut self, event: SwapEvent, effects: &mut Vec<SwapEffect>) {
        match (self.state, event) {
            (state @ (State::Idle | State::Probation), SwapEvent::Begin(parts)) => {
                if state == State::Probation {
                    effects.push(SwapEffect::Settled);
                }
                self.parts = parts;
                self.open(false, effects);
            }
            (State::Probation, SwapEvent::Settle) => {
                self.state = State::Idle;
                effects.push(SwapEffect::Settled);
            }
            (State::Probation, SwapEvent::Broken) => self.open(true, effects),
            (State::Opening, SwapEvent::Opened) if self.parts.stages => {
                self.state = State::Draining;
                effects.push(SwapEffect::Drain);
                self.all_drained(effects);
            }
            (State::Opening, SwapEvent::Opened) => self.record(Vec::new(), effects),
            (State::Opening, SwapEvent::OpenFailed) => {
                self.state = State::Idle;
                effects.push(if self.back { SwapEffect::Failed } else { SwapEffect::Refused });
            }
            // A slot whose stages have failed drains before it is told to.
            (_, SwapEvent::Drained { slot, at }) => {
                self.drained.insert(slot, at);
                self.all_drained(effects);
            }
            (State::Recording, SwapEvent::Recorded) => {
                self.drained.clear();
                self.state = State::Switching { left: self.changes(), stall: Duration::ZERO, broken: false };
                effects.push(SwapEffect::Switch);
            }
            (State::Switching { left, stall, broken }, SwapEvent::Part { ok, stall: one }) => {
                self.switched(left - 1, stall.max(one), broken || !ok, effects);
            }
            // On the way back it is late news: who is taken back is not on probation.
            (State::Switching { left, stall, .. }, SwapEvent::Broken) if !self.back => {
                self.state = State::Switching { left, stall, broken: true };
            }
            // Late news of a swap that is over, or is being taken back.
            _ => {}
        }
    }

    fn open(&mut self, back: bool, effects: &mut Vec<SwapEffect>) {
        self.back = back;
        self.state = State::Opening;
        effects.push(SwapEffect::Open { back });
    }

    fn all_drained(&mut self, effects: &mut Vec<SwapEffect>) {
        if self.state == State::Draining && self.drained.len() == usize::from(self.slots) {
            self.record(self.drained.values().copied().collect(), effects);
        }
    }

    fn record(&mut self, floors: Vec<Position>, effects: &mut Vec<SwapEffect>) {
        self.state = State::Recording;
        effects.push(SwapEffect::Record { floors });
    }

    /// Slots, lanes and the DDL executor that have to change.
    fn changes(&self) -> usize {
        let (slots, lanes) = (usize::from(self.slots), usize::from(self.lanes));
        let stages = if self.parts.stages { slots } else { 0 };
        let sinks = if self.parts.sink { slots * lanes } else { 0 };
        stages + sinks + 1
    }

    fn switched(&mut self, left: usize, stall: Duration, broken: bool, effects: &mut Vec<SwapEffect>) {
        self.state = State::Switching { left, stall, broken };
        if left > 0 {
            return;
        }
        if self.back {
            // Should these fail, there is nothing to go back to: that ends the run.
            self.state = State::Idle;
            effects.push(if broken { SwapEffect::Failed } else { SwapEffect::RolledBack { stall } });
        } else if broken {
            self.open(true, effects);
        } else {
            self.state = State::Probation;
            effects.push(SwapEffect::Done { stall });
        }
    }
}

#[cfg(test)]
#[path = "swap_tests.rs"]
mod tests;
