//! Control logic of the cluster, sans-IO: who owns it, which capture writes which slot, how far rows may go, when a DDL
//! runs, how far everything is done, and when to try again after an error.
//!
//! Does: `step(now, event, &mut effects)`; the same code runs in production and in simulation.
//! Does not: read a clock, draw a random number, spawn a task, touch a socket or a disk.
//!
//! The parts, from the row upwards:
//! - [`Controller`]: one changefeed's progress over its slots: gate, barriers of DDLs and syncpoints, checkpoint.
//! - the agent (within [`Node`]): the slots a capture holds, and the phase each is in.
//! - the owner (within [`Node`]): captures and their liveness, fencing, and for each changefeed the placement of its slots,
//!   two-phase moves and the controller.
//! - [`Node`]: one process. Registration, right to write, election, agent, and the owner while it is one.
//!
//! A **slot** is what is placed, moved, fenced and committed as one; tables are its members. So reports, publishes and a
//! takeover's sync follow the number of slots, not of tables, and a standby needs no copy of the owner's state: every report is
//! whole. A slot's numbers count only with the digest of exactly the tables the owner wants in it, and so do its caps.
//! The executor of DDLs is one more slot, without tables: it is placed, fenced and moved like any other.
//!
//! # What the rim must provide
//!
//! | rim | what it does |
//! |---|---|
//! | clock | calls [`Node::step`] with [`Input::Tick`] every [`timing::TICK`] and passes a monotonic [`Mono`] everywhere |
//! | transport | carries [`Message`]s to [`Peer`]s, as well as it can; tells [`Input::PeerDown`] when a connection breaks and a new one is refused |
//! | metadata | runs each [`MetaRequest`] as the transaction named at it; watches the prefix and hands in whole [`Snapshot`]s; keeps the leases of the capture's and the owner's key alive |
//! | slot holder | carries out [`SlotOrder`]s in order, answers with [`HolderEvent`]s. Every write of a lease-fenced changefeed is admitted only while [`Output::Authority`] lies ahead; the check is the last thing before the bytes leave |
//! | schema source | on [`Output::StartSource`] reads tables and DDLs of a changefeed from a position, and hands them in as [`FeedInput`]s; stops on [`Output::StopSource`] |
//!
//! Invariants (asserted in release builds):
//! - The published emit-ts never goes back, and never passes the resolved-ts of the DDL stream; with one gate for all slots (the
//!   default) nor that of any slot.
//! - A slot that a pending DDL at T involves never gets a cap above (T, rows).
//! - A DDL runs only when every involved slot has finished exactly (T, rows), and DDLs run one after another in (ts, seq) order.
//! - The global checkpoint never goes back and never passes a slot's checkpoint or a pending DDL.
//! - A slot is activated only when no other capture may write it, or its token fences those that still try.
//! - An epoch has an owner and a number, both above zero, and only rises.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod agent;
mod backoff;
mod controller;
mod ddl_queue;
mod digest;
mod elapsed;
mod event;
mod id;
mod message;
mod meta;
mod node;
mod owner;
mod placement;
mod rules;
mod slot;
pub mod timing;

pub use agent::{HolderEvent, SLOTS_MAX, SlotOrder, Tenure};
pub use backoff::{Backoff, BackoffStep, GIVE_UP_AFTER_MS, WAIT_MAX_MS, WAIT_MIN_MS};
pub use controller::{Controller, DDL_QUEUE_MAX};
pub use ddl_queue::SYNCPOINT_SEQ;
pub use digest::{Digest, Members};
pub use event::{Effect, Event};
pub use id::{CaptureId, ClusterId, Epoch, FeedId, Incarnation, Mono, NodeId, OwnerRev, Peer, RunId, SlotKey};
pub use message::{
    Away, Body, CommandKind, Grant, Header, Load, Message, PROTO, Phase, Publish, Report, SlotCap, SlotCommand,
    SlotStatus, slot_key,
};
pub use meta::{CaptureRecord, DdlRecord, FeedRecord, FeedState, Fence, MetaReply, MetaRequest, NodeState, Snapshot};
pub use node::{Input, MetaId, Node, NodeConfig, Output};
pub use owner::{FeedInput, FeedView, Pace, SlotView};
pub use placement::slot_of;
pub use rules::{Rule, Rules};
pub use tg_balance::{Decision, LIMITS, Limit, Limits, Why};
