//! What stands behind the handles of endpoints.

use crate::Failure;
use crate::object_store::{ObjectMeta, PutError, PutMode};
use crate::producer::Messages;
use crate::sql::{Dialect, ExecResult, ResultSet, SqlError};

/// What stands behind [`crate::sql::Connection`].
pub trait SqlConnection {
    /// See [`crate::sql::Connection::dialect`].
    fn dialect(&self) -> Dialect;
    /// See [`crate::sql::Connection::server_version`].
    fn server_version(&self) -> String;
    /// See [`crate::sql::Connection::max_statement_bytes`].
    fn max_statement_bytes(&self) -> u32;
    /// See [`crate::sql::Connection::transact`]; statement i is `data[ends[i-1]..ends[i]]`.
    ///
    /// # Errors
    /// [`SqlError`].
    fn transact(&self, data: &[u8], ends: &[u32]) -> Result<ExecResult, SqlError>;
    /// See [`crate::sql::Connection::execute`].
    ///
    /// # Errors
    /// [`SqlError`].
    fn execute(&self, statement: &str) -> Result<ExecResult, SqlError>;
    /// See [`crate::sql::Connection::query`].
    ///
    /// # Errors
    /// [`SqlError`].
    fn query(&self, statement: &str, max_rows: u32) -> Result<ResultSet, SqlError>;
}

/// What stands behind [`crate::producer::Producer`].
pub trait Producer {
    /// See [`crate::producer::Producer::partitions`].
    ///
    /// # Errors
    /// [`Failure`].
    fn partitions(&self, topic: &str) -> Result<u32, Failure>;
    /// See [`crate::producer::Producer::max_message_bytes`].
    ///
    /// # Errors
    /// [`Failure`].
    fn max_message_bytes(&self, topic: &str) -> Result<u32, Failure>;
    /// See [`crate::producer::Producer::topics`].
    fn topics(&self) -> Vec<String> {
        Vec::new()
    }
    /// See [`crate::producer::Producer::send`].
    ///
    /// # Errors
    /// [`Failure`].
    fn send(&self, messages: &Messages) -> Result<(), Failure>;
    /// See [`crate::producer::Producer::flush`].
    ///
    /// # Errors
    /// [`Failure`].
    fn flush(&self) -> Result<(), Failure>;
}

/// What stands behind [`crate::object_store::Bucket`].
pub trait Bucket {
    /// See [`crate::object_store::Bucket::put`].
    ///
    /// # Errors
    /// [`PutError`].
    fn put(&self, path: &str, data: &[u8], mode: &PutMode) -> Result<ObjectMeta, PutError>;
    /// See [`crate::object_store::Bucket::get`].
    ///
    /// # Errors
    /// [`Failure`].
    fn get(&self, path: &str, offset: u64, length: u64) -> Result<Option<Vec<u8>>, Failure>;
    /// See [`crate::object_store::Bucket::head`].
    ///
    /// # Errors
    /// [`Failure`].
    fn head(&self, path: &str) -> Result<Option<ObjectMeta>, Failure>;
    /// See [`crate::object_store::Bucket::list`].
    ///
    /// # Errors
    /// [`Failure`].
    fn list(&self, prefix: &str, after: &str, limit: u32) -> Result<Vec<ObjectMeta>, Failure>;
    /// See [`crate::object_store::Bucket::delete`].
    ///
    /// # Errors
    /// [`Failure`].
    fn delete(&self, path: &str) -> Result<(), Failure>;
    /// See [`crate::object_store::Bucket::upload`].
    ///
    /// # Errors
    /// [`Failure`].
    fn upload(&self, path: &str) -> Result<Box<dyn Upload>, Failure>;
}

/// What stands behind [`crate::object_store::Upload`].
pub trait Upload {
    /// See [`crate::object_store::Upload::write`].
    ///
    /// # Errors
    /// [`Failure`].
    fn write(&self, data: &[u8]) -> Result<(), Failure>;
    /// See [`crate::object_store::Upload::finish`].
    ///
    /// # Errors
    /// [`Failure`].
    fn finish(&self) -> Result<ObjectMeta, Failure>;
    /// See [`crate::object_store::Upload::abort`].
    fn abort(&self);
}
