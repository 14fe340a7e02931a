//! The endpoint as plugins are granted it.

use crate::{Flavor, MysqlConnection, MysqlEndpoint};
use futures::future::{BoxFuture, FutureExt};
use tg_model::Position;
use tg_plugin::grant::{Blocks, Dialect, ExecResult, LaneContext, ResultSet, SqlConnection, SqlEndpoint, SqlError};
use tg_sql::LaneClaim;

impl SqlEndpoint for MysqlEndpoint {
    fn connect(&self, lane: LaneContext) -> BoxFuture<'_, Result<Box<dyn SqlConnection>, SqlError>> {
        let claim = LaneClaim::of(&lane, self.target().lanes, &self.target().incarnation);
        async move { Ok(Box::new(self.open(Some(claim)).await?) as Box<dyn SqlConnection>) }.boxed()
    }
}

impl SqlConnection for MysqlConnection {
    fn dialect(&self) -> Dialect {
        match self.flavor() {
            Flavor::Mysql => Dialect::Mysql,
            Flavor::Mariadb => Dialect::Mariadb,
            Flavor::Tidb => Dialect::Tidb,
        }
    }

    fn server_version(&self) -> String {
        self.facts().version.clone()
    }

    fn max_statement_bytes(&self) -> u32 {
        Self::max_statement_bytes(self)
    }

    fn durable_at_open(&self) -> Option<Position> {
        Self::durable_at_open(self)
    }

    fn durable(&mut self) -> BoxFuture<'_, Result<Option<Position>, SqlError>> {
        async move { Ok(Self::durable(self).await?) }.boxed()
    }

    fn transact<'a>(
        &'a mut self,
        statements: Blocks<'a>,
        progress: Option<Position>,
    ) -> BoxFuture<'a, Result<ExecResult, SqlError>> {
        async move { Ok(Self::transact(self, statements.data, statements.ends, progress).await?.into()) }.boxed()
    }

    fn execute<'a>(&'a mut self, statement: &'a str) -> BoxFuture<'a, Result<ExecResult, SqlError>> {
        async move { Ok(Self::execute(self, statement).await?.into()) }.boxed()
    }

    fn query<'a>(&'a mut self, statement: &'a str, max_rows: u32) -> BoxFuture<'a, Result<ResultSet, SqlError>> {
        async move { Ok(Self::query(self, statement, max_rows).await?.into()) }.boxed()
    }
}
