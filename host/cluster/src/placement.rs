//! Which slot writes a table.

use tg_model::{SlotId, TableId};

/// The slot of a table: a stable function of its logical id, so that a row keeps its slot over restarts.
///
/// Partitions share the slot of their table: with a global index a row may move between them under one key.
/// The multiplier is that of Fibonacci hashing: neighbouring ids land far apart.
///
/// # Panics
/// When `slots` is zero.
#[must_use]
pub fn slot_of(table: TableId, slots: u16) -> SlotId {
    assert!(slots > 0, "a changefeed has at least one slot");
    let mixed = table.0.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let high = (mixed >> 32) as u32;
    SlotId((high % u32::from(slots)) as u16)
}

#[cfg(test)]
mod tests {
    use super::slot_of;
    use tg_model::{SlotId, TableId};

    #[test]
    fn neighbours_spread_and_answers_are_stable() {
        let mut counts = [0; 4];
        for id in (100..2100).step_by(2) {
            counts[usize::from(slot_of(TableId(id), 4).0)] += 1;
        }
        assert!(counts.iter().all(|&n| n > 200), "{counts:?}");
        assert_eq!(slot_of(TableId(104), 4), SlotId(3), "a changed answer would move rows between slots on upgrade");
        assert_eq!(slot_of(TableId(105), 4), SlotId(1));
    }
}
