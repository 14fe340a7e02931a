//! Statements on a server.

use anyhow::Context;
use mysql_async::prelude::{FromRow, Queryable};
use mysql_async::{Conn, Opts, OptsBuilder};

/// A connection that runs text statements, in the zone +00:00.
#[derive(Debug)]
pub struct Sql {
    conn: Conn,
}

impl Sql {
    /// Connects.
    ///
    /// # Errors
    /// When the server does not take the connection.
    pub async fn connect(url: &str) -> anyhow::Result<Self> {
        let opts = OptsBuilder::from_opts(Opts::from_url(url)?).prefer_socket(false).wait_timeout(Some(28_800));
        let conn = Conn::new(opts).await.with_context(|| format!("connecting to {url}"))?;
        let mut sql = Self { conn };
        sql.run("SET time_zone = '+00:00'").await?;
        Ok(sql)
    }

    /// Runs a statement.
    ///
    /// # Errors
    /// When the server refuses it; the statement is in the message.
    pub async fn run(&mut self, statement: &str) -> anyhow::Result<()> {
        let shown = statement.get(..statement.len().min(300)).unwrap_or("(text)");
        self.conn.query_drop(statement).await.with_context(|| format!("statement {shown}"))
    }

    /// Runs statements in turn.
    ///
    /// # Errors
    /// At the first that is refused.
    pub async fn all(&mut self, statements: &[&str]) -> anyhow::Result<()> {
        for statement in statements {
            self.run(statement).await?;
        }
        Ok(())
    }

    /// The rows of a query.
    ///
    /// # Errors
    /// When the server refuses it.
    pub async fn rows<T: FromRow + Send + 'static>(&mut self, query: &str) -> anyhow::Result<Vec<T>> {
        self.conn.query(query).await.with_context(|| format!("query {query}"))
    }

    /// The first row of a query.
    ///
    /// # Errors
    /// When the server refuses it, or there is no row.
    pub async fn one<T: FromRow + Send + 'static>(&mut self, query: &str) -> anyhow::Result<T> {
        let row = self.conn.query_first(query).await.with_context(|| format!("query {query}"))?;
        row.with_context(|| format!("no row: {query}"))
    }

    /// A timestamp of TiDB's oracle, above those of all that was committed before.
    ///
    /// # Errors
    /// When the server is no TiDB.
    pub async fn now_ts(&mut self) -> anyhow::Result<u64> {
        self.run("BEGIN").await?;
        let ts = self.one("SELECT @@tidb_current_ts").await?;
        self.run("ROLLBACK").await?;
        Ok(ts)
    }
}
