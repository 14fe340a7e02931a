//! Changes into a database, with the progress in the same transactions.

use crate::error::ConsumeError;
use crate::sql::{quoted, statements};
use crate::stream::{Done, Portion, Target};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::collections::BTreeMap;
use tg_format_common::{ChangeEvent, Datum, DdlChange};
use tg_mysql::{Cell, Fault, MysqlConnection, MysqlEndpoint, MysqlTarget};

/// Rows of one transaction.
const ROWS_MAX: u64 = 1_000;
/// Bytes of the statements of one transaction, unless one row has more.
const BYTES_MAX: usize = 4 << 20;
/// Streams whose progress is read.
const STREAMS_MAX: u32 = 2_000_000;
/// Where the progress is kept.
const PROGRESS: &str = "`tidegate_consume`.`progress`";

/// See the module.
pub struct MysqlTable {
    connection: MysqlConnection,
    source: String,
}

/// A transaction in the making.
#[derive(Default)]
struct Pack {
    data: Vec<u8>,
    ends: Vec<u32>,
}

impl Pack {
    fn push(&mut self, statement: &str) {
        self.data.extend_from_slice(statement.as_bytes());
        self.ends.push(u32::try_from(self.data.len()).unwrap_or(u32::MAX));
    }
}

impl MysqlTable {
    /// Connects and makes the table of the progress. `source` names what is read there.
    ///
    /// # Errors
    /// [`ConsumeError::Target`].
    pub async fn connect(target: MysqlTarget, source: &str) -> Result<Self, ConsumeError> {
        let failed = |fault: Fault| ConsumeError::Target { what: "the start".to_owned(), fault };
        let target = MysqlTarget { progress: false, ..target };
        let endpoint = MysqlEndpoint::connect(target).await.map_err(failed)?;
        let mut connection = endpoint.open(None).await.map_err(failed)?;
        let table = format!(
            "CREATE TABLE IF NOT EXISTS {PROGRESS} (source VARCHAR(200) NOT NULL, stream VARCHAR(500) NOT NULL, \
             units BIGINT UNSIGNED NOT NULL, row_count BIGINT UNSIGNED NOT NULL, PRIMARY KEY (source, stream)) \
             DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"
        );
        for statement in ["CREATE DATABASE IF NOT EXISTS `tidegate_consume`", &table] {
            connection.execute(statement).await.map_err(failed)?;
        }
        Ok(Self { connection, source: source.to_owned() })
    }

    fn keep(&self, stream: &str, done: Done) -> String {
        let text = |t: &str| crate::sql::literal(&Datum::Text(t.to_owned()));
        let Done { units, rows } = done;
        format!("REPLACE INTO {PROGRESS} VALUES ({},{},{units},{rows})", text(&self.source), text(stream))
    }

    async fn transact(&mut self, mut pack: Pack, stream: &str, done: Done) -> Result<(), ConsumeError> {
        pack.push(&self.keep(stream, done));
        let sent = self.connection.transact(&pack.data, &pack.ends, None).await;
        sent.map(drop).map_err(|fault| ConsumeError::Target { what: format!("rows of {stream}"), fault })
    }

    async fn run(&mut self, ddl: &DdlChange, portion: &Portion) -> Result<(), ConsumeError> {
        let failed = |fault: Fault| ConsumeError::Target { what: ddl.query.clone(), fault };
        let creates = ddl.table.is_empty();
        if !creates && !ddl.database.is_empty() {
            self.connection.execute(&format!("USE {}", quoted(&ddl.database))).await.map_err(failed)?;
        }
        self.connection.execute(&ddl.query).await.map_err(failed)?;
        self.transact(Pack::default(), &portion.stream, portion.to).await
    }

    async fn portion(&mut self, portion: &Portion) -> Result<(), ConsumeError> {
        let (mut pack, mut done) = (Pack::default(), portion.from);
        let mut packed = 0;
        for event in &portion.events {
            match event {
                ChangeEvent::Row(row) => {
                    for statement in statements(row)? {
                        pack.push(&statement);
                    }
                }
                ChangeEvent::Ddl(ddl) => return self.run(ddl, portion).await,
                ChangeEvent::Watermark(_) | ChangeEvent::Schema(_) => {}
            }
            done.rows += 1;
            packed += 1;
            if packed >= ROWS_MAX || pack.data.len() >= BYTES_MAX {
                self.transact(std::mem::take(&mut pack), &portion.stream, done).await?;
                packed = 0;
            }
        }
        self.transact(pack, &portion.stream, portion.to).await
    }

    async fn read_progress(&mut self) -> Result<BTreeMap<String, Done>, ConsumeError> {
        let source = crate::sql::literal(&Datum::Text(self.source.clone()));
        let query = format!("SELECT stream, units, row_count FROM {PROGRESS} WHERE source = {source}");
        let found = self.connection.query(&query, STREAMS_MAX).await;
        let found = found.map_err(|fault| ConsumeError::Target { what: "the progress".to_owned(), fault })?;
        let number = |cell: &Cell| match cell {
            Cell::Int(n) => u64::try_from(*n).ok(),
            Cell::Uint(n) => Some(*n),
            Cell::Text(text) => text.parse().ok(),
            Cell::Bytes(bytes) => std::str::from_utf8(bytes).ok().and_then(|t| t.parse().ok()),
            _ => None,
        };
        let text = |cell: &Cell| match cell {
            Cell::Text(text) => Some(text.clone()),
            Cell::Bytes(bytes) => String::from_utf8(bytes.clone()).ok(),
            _ => None,
        };
        let row = |row: &Vec<Cell>| {
            let [stream, units, rows] = row.as_slice() else { return None };
            Some((text(stream)?, Done { units: number(units)?, rows: number(rows)? }))
        };
        Ok(found.rows.iter().filter_map(row).collect())
    }
}

impl Target for MysqlTable {
    fn progress(&mut self) -> BoxFuture<'_, Result<BTreeMap<String, Done>, ConsumeError>> {
        self.read_progress().boxed()
    }

    fn apply<'a>(&'a mut self, portion: &'a Portion) -> BoxFuture<'a, Result<(), ConsumeError>> {
        self.portion(portion).boxed()
    }
}
