//! Which call fails how, by seed.

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use tg_plugin::{CallError, CallFault, Stop};

/// Per thousand calls. `Default`: none.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rates {
    pub(crate) retryable: u32,
    pub(crate) unknown_done: u32,
    pub(crate) unknown_lost: u32,
    pub(crate) trap: u32,
    pub(crate) incomplete: u32,
}

/// What is to happen to a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    None,
    Retryable,
    UnknownDone,
    UnknownLost,
    Trap,
    Incomplete,
}

#[derive(Debug)]
pub(crate) struct Faults {
    rates: Rates,
    rng: StdRng,
    pub(crate) hits: [u64; 6],
}

impl Default for Faults {
    fn default() -> Self {
        Self { rates: Rates::default(), rng: StdRng::seed_from_u64(0), hits: [0; 6] }
    }
}

impl Faults {
    pub(crate) fn some(seed: u64) -> Self {
        let rates = Rates { retryable: 40, unknown_done: 40, unknown_lost: 40, trap: 5, incomplete: 20 };
        Self { rates, rng: StdRng::seed_from_u64(seed), ..Self::default() }
    }

    pub(crate) fn next(&mut self) -> Fault {
        let r = &self.rates;
        let mut at = self.rng.random_range(0..1000u32);
        let table = [
            (r.retryable, Fault::Retryable),
            (r.unknown_done, Fault::UnknownDone),
            (r.unknown_lost, Fault::UnknownLost),
            (r.trap, Fault::Trap),
            (r.incomplete, Fault::Incomplete),
        ];
        for (rate, fault) in table {
            if at < rate {
                self.hits[fault as usize] += 1;
                return fault;
            }
            at -= rate;
        }
        Fault::None
    }
}

pub(crate) fn error(call: &'static str, fault: Fault) -> CallError {
    let message = "by seed".to_owned();
    let after_ms = Some(1);
    CallError::new(
        "recorder",
        call,
        match fault {
            Fault::Retryable | Fault::Incomplete | Fault::None => CallFault::Retryable { message, after_ms },
            Fault::UnknownDone | Fault::UnknownLost => CallFault::Unknown { message, after_ms },
            Fault::Trap => CallFault::Stopped { stop: Stop::Trap, detail: message },
        },
    )
}
