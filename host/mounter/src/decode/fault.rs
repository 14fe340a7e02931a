//! What is wrong with bytes.

/// Why bytes could not be decoded, without where they came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Fault(pub &'static str);

impl Fault {
    pub(crate) const SHORT: Self = Self("the bytes end too early");
}
