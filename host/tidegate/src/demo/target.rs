//! Reading what arrived downstream.

use super::error::DemoError;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder, Row, SslOpts, Value};
use tg_config::uri::Family;
use tg_config::{ChangefeedConfig, MysqlOptions, SinkUri};
use tg_playground::TextRow;

/// A connection to read with.
pub(super) struct Target {
    conn: Conn,
}

fn unreadable(what: &str) -> impl FnOnce(mysql_async::Error) -> DemoError + use<> {
    let what = what.to_owned();
    move |error| DemoError::Unreadable { what, error }
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

fn text(row: Row) -> TextRow {
    let cell = |value| match value {
        Value::NULL => None,
        Value::Bytes(bytes) => Some(bytes),
        other => Some(other.as_sql(true).into_bytes()),
    };
    row.unwrap().into_iter().map(cell).collect()
}

impl Target {
    /// Connects to the database that the sink URI names; `None` when it names none.
    pub(super) async fn connect(uri: &SinkUri, config: &ChangefeedConfig) -> Result<Option<Self>, DemoError> {
        if uri.scheme.family() != Family::Mysql {
            return Ok(None);
        }
        let options = MysqlOptions::new(uri, config)?;
        let password = options.password.expose();
        let opts = OptsBuilder::default()
            .ip_or_hostname(options.host.as_str())
            .tcp_port(options.port)
            .user(Some(options.user.as_str()))
            .pass((!password.is_empty()).then_some(password))
            .prefer_socket(false)
            .ssl_opts(options.tls.then(SslOpts::default))
            .init(vec!["SET time_zone = '+00:00'"]);
        let conn = Conn::new(opts).await.map_err(unreadable("a greeting"))?;
        Ok(Some(Self { conn }))
    }

    /// What the server calls itself.
    pub(super) async fn version(&mut self) -> Result<String, DemoError> {
        let version: Option<String> =
            self.conn.query_first("SELECT VERSION()").await.map_err(unreadable("the version"))?;
        let version = version.unwrap_or_default();
        let number = version.split('-').next().unwrap_or_default();
        let product = if version.contains("MariaDB") { "MariaDB" } else { "a database of version" };
        Ok(format!("{product} {number}"))
    }

    /// Tables of a schema in order.
    pub(super) async fn tables(&mut self, schema: &str) -> Result<Vec<String>, DemoError> {
        let query = "SELECT table_name FROM information_schema.tables WHERE table_schema = ? ORDER BY 1";
        self.conn.exec(query, (schema,)).await.map_err(unreadable(&format!("the list of tables of {schema}")))
    }

    /// Columns and rows of a table, in no order.
    pub(super) async fn rows(&mut self, schema: &str, table: &str) -> Result<(Vec<String>, Vec<TextRow>), DemoError> {
        let query = format!("SELECT * FROM {}.{}", quoted(schema), quoted(table));
        let failed = || unreadable(&format!("table {schema}.{table}"));
        let mut result = self.conn.query_iter(query).await.map_err(failed())?;
        let columns = result.columns_ref().iter().map(|c| c.name_str().into_owned()).collect();
        let rows = result.map(text).await.map_err(failed())?;
        Ok((columns, rows))
    }
}
