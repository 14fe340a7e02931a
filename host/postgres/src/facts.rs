//! What the server is.

/// Facts about a server, learned when connecting.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServerFacts {
    /// `PostgreSQL` and what the server calls its version.
    pub version: String,
    /// The same as a number, 150004 for 15.4.
    pub number: u32,
}
