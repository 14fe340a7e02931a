//! Control logic of a changefeed, sans-IO: which slot a table belongs to, how far rows may go, when a
//! DDL runs, how far everything is done, and when to try again after an error.
//!
//! Does: `step(event, &mut effects)`; the same code runs in production and in simulation.
//! Does not: read a clock, spawn a task, touch a socket or a disk.
//!
//! Invariants (asserted in release builds):
//! - The published emit-ts never goes back, and never passes the resolved-ts of the DDL stream or of any slot.
//! - A slot that a pending DDL at T involves never gets a cap above (T, rows).
//! - A DDL runs only when every involved slot has finished exactly (T, rows), and DDLs run one after another in (ts, seq) order.
//! - The global checkpoint never goes back and never passes a slot's checkpoint or a pending DDL.

mod backoff;
mod controller;
mod ddl_queue;
mod placement;
mod slot;

pub use backoff::{Backoff, BackoffStep, GIVE_UP_AFTER_MS, WAIT_MAX_MS, WAIT_MIN_MS};
pub use controller::{Controller, DDL_QUEUE_MAX, Effect, Event};
pub use placement::slot_of;
