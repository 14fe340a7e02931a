//! The protocol's times, in microseconds of the local monotonic clock.

const MS: u64 = 1_000;

/// The owner publishes at least this often.
pub const PUBLISH_EVERY: u64 = 50 * MS;
/// A capture reports at least this often.
pub const REPORT_EVERY: u64 = 50 * MS;
/// A capture that has not heard a valid owner for this long suspects it, and grants pre-votes.
pub const SUSPECT_OWNER: u64 = 300 * MS;
/// How much longer each next standby waits, so that they do not all run at once.
pub const STANDBY_STAGGER: u64 = 100 * MS;
/// A candidate that got no majority tries again after this.
pub const PRE_VOTE_AGAIN: u64 = 200 * MS;
/// A capture that the owner has not heard for this long is down.
pub const CAPTURE_DOWN: u64 = 500 * MS;
/// While others can still reach it, a capture the owner cannot hear is spoken to through them for this long.
pub const RELAY_MAX: u64 = 10_000 * MS;
/// After this much silence frames also go through a peer.
pub const RELAY_AFTER: u64 = 150 * MS;
/// A command that is not seen to have worked is sent again.
pub const RESEND: u64 = 150 * MS;
/// How long a confirmed fact is good for: an owner's validity, a capture's right to write.
pub const LEASE: u64 = 2_000 * MS;
/// The owner confirms its key this often; so does a capture whose owner is silent.
pub const CONFIRM_EVERY: u64 = 500 * MS;
/// A capture that hears its owner confirms its registration this often.
pub const CONFIRM_IDLE: u64 = 5_000 * MS;
/// A request to the metadata that has no answer is given up.
pub const META_TIMEOUT: u64 = 1_000 * MS;
/// Progress is stored at most this often.
pub const STATUS_EVERY: u64 = 500 * MS;
/// A slot is prepared when it is resolved to within this many milliseconds of the upstream's clock behind the changefeed.
pub const PREPARED_WITHIN_MS: u64 = 1_000;
/// Placement is thought over this often.
pub const BALANCE_EVERY: u64 = 1_000 * MS;

/// How long the owner waits, after a capture's registration is gone, until no lease of it can be good: three clocks may be
/// involved, each off by up to 1 %.
pub const FENCE_WAIT: u64 = LEASE + LEASE / 50 + 50 * MS;
