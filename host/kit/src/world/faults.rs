//! Faults by script.

use crate::rng::Rng;

/// What a capability does instead of its work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    /// Nothing takes effect, and it says so.
    Busy,
    /// It takes effect, and nobody is told.
    LostAnswer,
    /// It takes no effect, and nobody knows.
    LostRequest,
}

/// When which fault comes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    rng: Option<Rng>,
    kinds: Vec<Fault>,
    /// In a thousand calls.
    permille: u16,
    /// Faults that are left: every run comes to an end.
    left: u32,
    /// Every call fails with this, until it is taken away.
    always: Option<Fault>,
    /// Faults so far.
    pub(crate) done: u32,
}

impl Faults {
    /// None.
    pub(crate) fn none() -> Self {
        Self::default()
    }

    /// These kinds, in so many of a thousand calls, `most` in all.
    pub(crate) fn some(seed: u64, kinds: &[Fault], permille: u16, most: u32) -> Self {
        Self { rng: Some(Rng::part(seed, "faults")), kinds: kinds.to_vec(), permille, left: most, ..Self::default() }
    }

    /// Every call.
    pub(crate) fn always(fault: Fault) -> Self {
        Self { always: Some(fault), ..Self::default() }
    }

    /// The fault of the next call.
    pub(crate) fn next(&mut self) -> Option<Fault> {
        let fault = self.always.or_else(|| {
            let rng = self.rng.as_mut().filter(|_| self.left > 0)?;
            if !rng.permille(self.permille) {
                return None;
            }
            self.left -= 1;
            rng.pick(&self.kinds).copied()
        });
        self.done += u32::from(fault.is_some());
        fault
    }
}
