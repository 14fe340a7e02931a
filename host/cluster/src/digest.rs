//! Digests of sets: equal sets have equal digests, whatever the order they were built in.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use tg_model::{TableId, Ts};

/// Count and sum of 128-bit hashes of a slot's tables.
///
/// The start of a table is not part of it: a subscription from an earlier start delivers everything a later one would.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Digest {
    /// Members.
    pub count: u32,
    /// Sum of their hashes.
    pub sum: u128,
}

impl Digest {
    /// Puts a table in.
    pub const fn add(&mut self, table: TableId) {
        self.count += 1;
        self.sum = self.sum.wrapping_add(hash(table));
    }

    /// Takes a table out.
    pub const fn remove(&mut self, table: TableId) {
        self.count -= 1;
        self.sum = self.sum.wrapping_sub(hash(table));
    }
}

/// Two rounds of a 64-bit finaliser with different keys. Not cryptographic: members are numbers the upstream gives out in order.
const fn hash(table: TableId) -> u128 {
    const fn mix(mut x: u64) -> u64 {
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }
    let id = table.0.cast_unsigned();
    let high = mix(id.wrapping_add(0x7469_6465_6761_7465));
    let low = mix(id.rotate_left(17) ^ 0xa076_1d64_78bd_642f);
    ((high as u128) << 64) | low as u128
}

/// The tables of a slot, each with the ts its rows begin above.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Members {
    tables: BTreeMap<TableId, Ts>,
    digest: Digest,
}

impl Members {
    /// Adds a table, or changes nothing when it is there.
    pub fn add(&mut self, table: TableId, start: Ts) {
        if let Entry::Vacant(new) = self.tables.entry(table) {
            new.insert(start);
            self.digest.add(table);
        }
    }

    /// Removes a table.
    pub fn remove(&mut self, table: TableId) {
        if self.tables.remove(&table).is_some() {
            self.digest.remove(table);
        }
    }

    /// Digest of the tables.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// Tables and the ts their rows begin above, by table.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (TableId, Ts)> + '_ {
        self.tables.iter().map(|(t, s)| (*t, *s))
    }

    /// Whether the table is a member.
    #[must_use]
    pub fn contains(&self, table: TableId) -> bool {
        self.tables.contains_key(&table)
    }
}

impl FromIterator<(TableId, Ts)> for Members {
    fn from_iter<I: IntoIterator<Item = (TableId, Ts)>>(iter: I) -> Self {
        let mut members = Self::default();
        iter.into_iter().for_each(|(t, s)| members.add(t, s));
        members
    }
}

#[cfg(test)]
mod tests {
    use super::Members;
    use tg_model::{TableId, Ts};

    #[test]
    fn the_digest_knows_the_set_and_not_the_way_to_it() {
        let of = |ids: &[i64]| ids.iter().map(|i| (TableId(*i), Ts::new(1))).collect::<Members>();
        let mut a = of(&[1, 2, 3, 3]);
        assert_eq!(a.digest(), of(&[3, 1, 2]).digest());
        a.remove(TableId(2));
        a.remove(TableId(9));
        assert_eq!(a.digest(), of(&[1, 3]).digest());
        assert_ne!(a.digest(), of(&[1, 4]).digest());
        assert_eq!(of(&[]).digest(), Members::default().digest());
    }

    #[test]
    fn neighbours_do_not_cancel() {
        let sums: std::collections::BTreeSet<_> = (0..100_000).map(|i| super::hash(TableId(i)) as u64).collect();
        assert_eq!(sums.len(), 100_000);
    }
}
