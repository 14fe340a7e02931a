//! Several nodes on one etcd: they share the work and survive each other, and no zombie ever writes.
//!
//! Environment: `TIDEGATE_ETCD_MEMBERS` says how many members etcd has (3).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bank;
mod crashes;
mod imported;
mod maintained;
mod migrated;
mod planned;
mod plugins;
mod refused;
mod rig;
mod secured;
mod spread;
