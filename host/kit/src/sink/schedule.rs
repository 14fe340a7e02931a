//! How a run goes: how rows are cut, and what happens between.

use crate::rng::Rng;
use std::collections::BTreeSet;

/// Chances are in a thousand, each time there is the occasion.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    pub(crate) rng: Rng,
    /// Rows of a batch, from and to.
    pub(crate) batch_rows: (usize, usize),
    /// Rows between two flushes, from and to.
    pub(crate) window_rows: (usize, usize),
    /// Flushes come before these events, besides.
    pub(crate) cuts: BTreeSet<usize>,
    /// The instance is gone after a batch, before its flush.
    pub(crate) crash_open: u16,
    /// It is gone right after an acknowledgement.
    pub(crate) crash_acked: u16,
    /// It is gone after a DDL that nobody noted as done.
    pub(crate) crash_ddl: u16,
    /// Another instance takes over after a flush.
    pub(crate) swap: u16,
    /// Time passes.
    pub(crate) tick: u16,
    /// A batch of no rows.
    pub(crate) empty: u16,
}

impl Schedule {
    /// Nothing happens between: what others are compared with.
    pub(crate) const fn calm() -> Self {
        Self {
            rng: Rng::new(0),
            batch_rows: (64, 64),
            window_rows: (256, 256),
            cuts: BTreeSet::new(),
            crash_open: 0,
            crash_acked: 0,
            crash_ddl: 0,
            swap: 0,
            tick: 0,
            empty: 0,
        }
    }

    /// Cut anyhow.
    pub(crate) fn cut(seed: u64) -> Self {
        let mut rng = Rng::part(seed, "schedule");
        let batch = *rng.pick(&[1, 3, 17, 400]).unwrap_or(&1);
        let window = *rng.pick(&[1, 9, 60, 1000]).unwrap_or(&1);
        Self { rng, batch_rows: (1, batch), window_rows: (1, window), ..Self::calm() }
    }
}
