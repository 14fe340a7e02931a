//! A database that takes every statement.

use super::Notes;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::sync::Arc;
use tg_model::Position;
use tg_plugin::grant::{Blocks, Dialect, ExecResult, LaneContext, ResultSet, SqlConnection, SqlEndpoint, SqlError};

const STATEMENT_MAX_BYTES: u32 = 16 << 20;

pub(super) struct Shadow(pub(super) Arc<Notes>);

struct Connection(Arc<Notes>);

impl SqlEndpoint for Shadow {
    fn connect(&self, _: LaneContext) -> BoxFuture<'_, Result<Box<dyn SqlConnection>, SqlError>> {
        let connection = Connection(Arc::clone(&self.0));
        async { Ok(Box::new(connection) as Box<dyn SqlConnection>) }.boxed()
    }
}

impl SqlConnection for Connection {
    fn dialect(&self) -> Dialect {
        Dialect::Mysql
    }

    fn server_version(&self) -> String {
        "8.0.0".to_owned()
    }

    fn max_statement_bytes(&self) -> u32 {
        STATEMENT_MAX_BYTES
    }

    fn durable_at_open(&self) -> Option<Position> {
        None
    }

    fn durable(&mut self) -> BoxFuture<'_, Result<Option<Position>, SqlError>> {
        async { Ok(None) }.boxed()
    }

    fn transact<'a>(
        &'a mut self,
        statements: Blocks<'a>,
        _: Option<Position>,
    ) -> BoxFuture<'a, Result<ExecResult, SqlError>> {
        let mut from = 0;
        for end in statements.ends {
            let end = *end as usize;
            self.0.call("statement", statements.data.get(from..end).unwrap_or_default());
            from = end;
        }
        self.0.call("commit", b"");
        let affected = statements.ends.len() as u64;
        async move { Ok(ExecResult { affected, warnings: 0 }) }.boxed()
    }

    fn execute<'a>(&'a mut self, statement: &'a str) -> BoxFuture<'a, Result<ExecResult, SqlError>> {
        self.0.call("execute", statement.as_bytes());
        async { Ok(ExecResult::default()) }.boxed()
    }

    fn query<'a>(&'a mut self, statement: &'a str, _: u32) -> BoxFuture<'a, Result<ResultSet, SqlError>> {
        self.0.call("query", statement.as_bytes());
        async { Ok(ResultSet::default()) }.boxed()
    }
}
