//! Timestamps of the upstream's oracle (TSO).

use std::fmt;

/// Bits of the logical counter in a timestamp.
const LOGICAL_BITS: u32 = 18;

/// A timestamp of PD's oracle: 46 bits of Unix milliseconds, then 18 bits of a logical counter.
///
/// Zero means "before everything".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Ts(u64);

impl Ts {
    /// Before every change.
    pub const ZERO: Self = Self(0);
    /// After every change.
    pub const MAX: Self = Self(u64::MAX);

    /// Wraps the 64-bit form used on the wire.
    #[must_use]
    pub const fn new(raw: u64) -> Self {
        Self(raw)
    }

    /// Composes a timestamp from Unix milliseconds and a logical counter (below 2^18; higher bits are cut).
    #[must_use]
    pub const fn compose(physical_ms: u64, logical: u64) -> Self {
        Self((physical_ms << LOGICAL_BITS) | (logical & ((1 << LOGICAL_BITS) - 1)))
    }

    /// The 64-bit form used on the wire.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Unix milliseconds.
    #[must_use]
    pub const fn physical_ms(self) -> u64 {
        self.0 >> LOGICAL_BITS
    }

    /// The logical counter, below 2^18.
    #[must_use]
    pub const fn logical(self) -> u64 {
        self.0 & ((1 << LOGICAL_BITS) - 1)
    }

    /// The next timestamp; saturates at [`Ts::MAX`].
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The timestamp before; saturates at [`Ts::ZERO`].
    #[must_use]
    pub const fn prev(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    /// Milliseconds from `earlier` to `self`; zero when `earlier` is later.
    #[must_use]
    pub const fn ms_since(self, earlier: Self) -> u64 {
        self.physical_ms().saturating_sub(earlier.physical_ms())
    }
}

impl fmt::Display for Ts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Ts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ts({})", self.0)
    }
}

impl From<u64> for Ts {
    fn from(raw: u64) -> Self {
        Self(raw)
    }
}

#[cfg(test)]
mod tests {
    use super::Ts;

    #[test]
    fn parts_survive_composition() {
        let ts = Ts::compose(1_700_000_000_123, 262_143);
        assert_eq!((ts.physical_ms(), ts.logical()), (1_700_000_000_123, 262_143));
        assert_eq!(ts.next().physical_ms(), 1_700_000_000_124, "the counter carries into milliseconds");
    }

    #[test]
    fn ends_saturate() {
        assert_eq!(Ts::ZERO.prev(), Ts::ZERO);
        assert_eq!(Ts::MAX.next(), Ts::MAX);
        assert_eq!(Ts::ZERO.ms_since(Ts::MAX), 0);
    }
}
