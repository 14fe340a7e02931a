//! Files that cannot be read.

/// A file that is not one of ours, or not any more.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FileError {
    /// Not a Parquet file, or a broken one.
    #[error("the file is damaged: {0}")]
    Damaged(String),
    /// Without our description in its footer.
    #[error("the file was not written by Tidegate")]
    Foreign,
    /// Written by a later version.
    #[error("the file is of version {0}, which this build does not read")]
    Version(u32),
    /// A row that no change makes.
    #[error("the file has a row with {0}")]
    Row(&'static str),
    /// A value that is not one of its column's type.
    #[error("the value of column {column} is not a {declared}")]
    Value {
        /// Column.
        column: String,
        /// Type.
        declared: String,
    },
}
