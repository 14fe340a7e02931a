//! Answers of a server.

/// What statements did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Executed {
    /// Rows matched or changed, over all statements.
    pub affected: u64,
    /// Warnings, over all statements.
    pub warnings: u32,
}

/// A value of a result.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "plain kinds of values")]
pub enum Cell {
    Null,
    Int(i64),
    Uint(u64),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
}

/// Rows of a query.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ResultRows {
    /// Names.
    pub columns: Vec<String>,
    /// Rows.
    pub rows: Vec<Vec<Cell>>,
}
