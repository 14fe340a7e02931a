//! What is done upstream in tests of several kinds of downstream.

pub(crate) mod ddl;
pub(crate) mod types;
