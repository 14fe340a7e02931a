//! A database that keeps tables in memory, fences, and keeps positions.

use super::faults::Fault;
use super::state::World;
use crate::sql::Style;
use futures::future::BoxFuture;
use std::sync::Arc;
use tg_model::Position;
use tg_plugin::grant::{
    Blocks, Dialect, ExecResult, LaneContext, ResultSet, SqlConnection, SqlEndpoint, SqlError, SqlErrorKind,
};

/// What the server takes at most.
const STATEMENT_BYTES_MAX: u32 = 16 << 20;

pub(super) struct Endpoint(pub(super) Arc<World>, pub(super) Style);

struct Connection {
    world: Arc<World>,
    style: Style,
    lane: LaneContext,
    at_open: Option<Position>,
}

fn error(kind: SqlErrorKind, message: &str) -> SqlError {
    SqlError { kind, errno: 0, sqlstate: String::new(), message: message.to_owned() }
}

fn fenced() -> SqlError {
    error(SqlErrorKind::Fenced, "a newer instance has taken this lane")
}

fn busy() -> SqlError {
    error(SqlErrorKind::Retryable, "the server is busy (a fault of the kit)")
}

fn unknown() -> SqlError {
    error(SqlErrorKind::Unknown, "the connection broke before the answer came (a fault of the kit)")
}

impl SqlEndpoint for Endpoint {
    fn connect(&self, lane: LaneContext) -> BoxFuture<'_, Result<Box<dyn SqlConnection>, SqlError>> {
        Box::pin(async move {
            let mut state = self.0.state.lock();
            if self.0.exactly_once && !state.take_lane(&lane) {
                return Err(fenced());
            }
            let at_open = state.durable.get(&lane.lane.0).copied().filter(|_| self.0.exactly_once);
            let connection = Connection { world: Arc::clone(&self.0), style: self.1, lane, at_open };
            Ok(Box::new(connection) as Box<dyn SqlConnection>)
        })
    }
}

/// The statements, one by one; `None`: the ends do not rise or lie outside.
fn split<'a>(blocks: &Blocks<'a>) -> Option<Vec<&'a [u8]>> {
    let mut start = 0;
    let mut out = Vec::with_capacity(blocks.ends.len());
    for end in blocks.ends {
        out.push(blocks.data.get(start..*end as usize)?);
        start = *end as usize;
    }
    Some(out)
}

impl Connection {
    /// All statements or none, with the position.
    fn commit(&self, statements: &[&[u8]], progress: Option<Position>) -> Result<ExecResult, SqlError> {
        let mut state = self.world.state.lock();
        if self.world.exactly_once && state.is_fenced(&self.lane) {
            return Err(fenced());
        }
        let fault = state.fault();
        match fault {
            Some(Fault::Busy) => return Err(busy()),
            Some(Fault::LostRequest) => return Err(unknown()),
            Some(Fault::LostAnswer) | None => {}
        }
        if self.world.forgets {
            return Ok(ExecResult { affected: statements.len() as u64, warnings: 0 });
        }
        if !state.keep(statements.iter().map(|s| s.len()).sum()) {
            return Err(error(SqlErrorKind::Refused, "more statements than the kit keeps"));
        }
        let mut tables = state.tables.clone();
        let mut affected = 0;
        for statement in statements {
            affected += tables.run(statement, self.style)?;
        }
        state.tables = tables;
        state.statements.extend(statements.iter().map(|s| s.to_vec()));
        if let Some(position) = progress.filter(|_| self.world.exactly_once) {
            state.durable.insert(self.lane.lane.0, position);
        }
        if fault.is_some() { Err(unknown()) } else { Ok(ExecResult { affected, warnings: 0 }) }
    }
}

impl SqlConnection for Connection {
    fn dialect(&self) -> Dialect {
        match self.style {
            Style::Mysql => Dialect::Mysql,
            Style::Postgres => Dialect::Other,
        }
    }

    fn server_version(&self) -> String {
        let version = match self.style {
            Style::Mysql => "8.4.0-kit",
            Style::Postgres => "PostgreSQL 16.0-kit",
        };
        version.to_owned()
    }

    fn max_statement_bytes(&self) -> u32 {
        STATEMENT_BYTES_MAX
    }

    fn durable_at_open(&self) -> Option<Position> {
        self.at_open
    }

    fn durable(&mut self) -> BoxFuture<'_, Result<Option<Position>, SqlError>> {
        Box::pin(async {
            let state = self.world.state.lock();
            Ok(state.durable.get(&self.lane.lane.0).copied().filter(|_| self.world.exactly_once))
        })
    }

    fn transact<'a>(
        &'a mut self,
        statements: Blocks<'a>,
        progress: Option<Position>,
    ) -> BoxFuture<'a, Result<ExecResult, SqlError>> {
        Box::pin(async move {
            let statements =
                split(&statements).ok_or_else(|| error(SqlErrorKind::Refused, "the statements' ends do not rise"))?;
            self.commit(&statements, progress)
        })
    }

    fn execute<'a>(&'a mut self, statement: &'a str) -> BoxFuture<'a, Result<ExecResult, SqlError>> {
        Box::pin(async move { self.commit(&[statement.as_bytes()], None) })
    }

    fn query<'a>(&'a mut self, _: &'a str, _: u32) -> BoxFuture<'a, Result<ResultSet, SqlError>> {
        Box::pin(async {
            match self.world.state.lock().fault() {
                Some(Fault::Busy) => Err(busy()),
                Some(_) => Err(unknown()),
                None => Ok(ResultSet::default()),
            }
        })
    }
}
