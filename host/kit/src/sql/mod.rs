//! Enough of a database to see what a sink's statements come to.
//!
//! Understands the statements that write rows and the commonest that change schemas. Others are kept as texts and compared as such.

mod condition;
mod parse;
mod tables;
mod token;

pub(crate) use tables::Tables;
pub(crate) use token::Style;
