//! Names and numbers of things.

use std::fmt;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident($int:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $int);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number!(
    /// A physical table in the upstream: the id in its row keys. A partition has one of its own.
    TableId(i64)
);
number!(
    /// One subscription of one key range within a process. Never reused while the process lives.
    SpanId(u64)
);
number!(
    /// A writer slot of a changefeed: the unit that is fenced and that commits together.
    SlotId(u16)
);
number!(
    /// A lane of a slot: one ordered stream of writes with a connection and a component of its own.
    LaneId(u16)
);

/// Names a changefeed: a namespace (TiCDC's keyspace) and a name, both of letters, digits, `-` and `_`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct ChangefeedId {
    /// Usually `default`.
    pub namespace: String,
    /// Unique within the namespace.
    pub name: String,
}

impl ChangefeedId {
    /// The namespace used when none is given.
    pub const DEFAULT_NAMESPACE: &'static str = "default";
    /// Longest allowed name and namespace.
    pub const LEN_MAX_BYTES: usize = 128;

    /// Checks both parts; `None` when one is empty, too long or has other characters.
    #[must_use]
    pub fn new(namespace: &str, name: &str) -> Option<Self> {
        let ok = |s: &str| {
            !s.is_empty()
                && s.len() <= Self::LEN_MAX_BYTES
                && s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        (ok(namespace) && ok(name)).then(|| Self { namespace: namespace.to_owned(), name: name.to_owned() })
    }
}

impl fmt::Display for ChangefeedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::ChangefeedId;

    #[test]
    fn names_are_checked() {
        assert!(ChangefeedId::new("default", "to-mysql_2").is_some());
        for bad in ["", "a b", "a/b", "ä", &"x".repeat(129)] {
            assert!(ChangefeedId::new("default", bad).is_none(), "{bad:?}");
        }
    }
}
