//! The protocol's times, in microseconds of the local monotonic clock.

const MS: u64 = 1_000;

/// The state machine is told at least this often that time passes.
pub const TICK: u64 = 20 * MS;
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
/// A capture that the owner has not heard for this long is down, unless its node has been silent for long before and come back:
/// then half as long again as that is waited.
pub const CAPTURE_DOWN: u64 = 500 * MS;
/// But never longer than this.
pub const CAPTURE_DOWN_MAX: u64 = 2_000 * MS;
/// A silence counts for half after this time, and for a quarter after twice as long.
pub const SILENCE_HALVES: u64 = 120_000 * MS;
/// While others can still reach it, a capture the owner cannot hear is spoken to through them for this long.
pub const RELAY_MAX: u64 = 10_000 * MS;
/// After this much silence frames also go through a peer.
pub const RELAY_AFTER: u64 = 150 * MS;
/// A command that is not seen to have worked is sent again.
pub const RESEND: u64 = 150 * MS;
/// How long a confirmed fact is good for: an owner's validity, a capture's right to write. Long enough to outlast a confirmation
/// that gets lost, short enough for [`lease_takeover_max`].
pub const LEASE: u64 = 1_600 * MS;
/// The owner confirms its key this often, whether the last time was answered or not; so does a capture whose owner is silent.
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

/// How far off a clock may be, in parts of a hundred.
const DRIFT_PERCENT: u64 = 1;
/// How long the owner waits, after a capture's registration is gone, until no lease of it can be good: three clocks may be
/// involved, the grantor's, the holder's and its own.
pub const FENCE_WAIT: u64 = LEASE + LEASE / 50 + 50 * MS;

/// On a calm network the metadata answers within this.
pub const META_ANSWER_CALM: u64 = 100 * MS;
/// On a calm network a slot that is prepared, or needs no preparing, is written this long after it may be: it is given away,
/// activated, opened, reported and capped.
pub const BEGIN_CALM: u64 = 100 * MS;

/// On a calm network the longest time from a capture's death until the slots it wrote under its lease are written again, when
/// requests to the sink land within `inflight` microseconds. In order:
///
/// | until | at most |
/// |---|---|
/// | its silence is noticed | [`CAPTURE_DOWN`] and a [`TICK`] |
/// | its registration is gone | [`META_ANSWER_CALM`] |
/// | no lease of it can be good, and nothing that it sent can land | [`FENCE_WAIT`], `inflight` and a [`TICK`] |
/// | the next one writes | [`BEGIN_CALM`] |
#[must_use]
pub const fn lease_takeover_max(inflight: u64) -> u64 {
    CAPTURE_DOWN + TICK + META_ANSWER_CALM + FENCE_WAIT + inflight + TICK + BEGIN_CALM
}

const _: () = {
    assert!(
        lease_takeover_max(500 * MS) <= 3_000 * MS,
        "a sink that takes half a second is written again within three"
    );
    assert!(3 * DRIFT_PERCENT * LEASE / 100 < FENCE_WAIT - LEASE, "the margin is more than three clocks can be off");
    assert!(2 * CONFIRM_EVERY + TICK + META_ANSWER_CALM < LEASE, "a confirmation that is lost costs no right to write");
};
