//! DDL: put into the downstream's dialect, run, and judged.

mod charset;
mod done;
mod edit;
mod errno;
mod options;
mod rewrite;
mod token;
mod types;

pub use rewrite::{Rewritten, rewrite};

use crate::ident::ident;
use tidegate_sdk::sql::{Connection, Dialect, ErrorKind};
use tidegate_sdk::{DdlEvent, DdlKind, Failure, log};

/// What the downstream is, as far as DDL depends on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Server {
    /// Product.
    pub dialect: Dialect,
    /// Major and minor version.
    pub version: (u32, u32),
}

impl Server {
    /// Reads the version as the server says it, for example `10.11.6-MariaDB` or `5.5.5-10.11.6-MariaDB`.
    #[must_use]
    pub fn new(dialect: Dialect, version: &str) -> Self {
        let version = version.strip_prefix("5.5.5-").filter(|_| dialect == Dialect::Mariadb).unwrap_or(version);
        let mut numbers = version.split(|c: char| !c.is_ascii_digit()).map(|n| n.parse().unwrap_or(0));
        Self { dialect, version: (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) }
    }
}

/// Runs one DDL.
pub(crate) fn run(connection: &Connection, server: &Server, event: &DdlEvent) -> Result<(), Failure> {
    let named = |f: Failure| f.context(&format!("DDL at {} on {}.{}", event.at.ts, event.database, event.table));
    let statement = match rewrite(server, event) {
        Rewritten::Run(statement) => statement,
        Rewritten::Skip(reason) => {
            log::warn("a DDL is left out", &[("reason", reason), ("query", &event.query)]);
            return Ok(());
        }
        Rewritten::Refuse(reason) => return Err(named(Failure::unsupported("ddl", reason))),
    };
    if event.maybe_done {
        match done::check(connection, event).map_err(|e| named(e.into()))? {
            done::State::Done => {
                log::info("a DDL of unknown outcome has taken effect", &[("query", &event.query)]);
                return Ok(());
            }
            done::State::Ambiguous => {
                return Err(named(Failure::fatal(
                    "ddl-outcome",
                    format!(
                        "whether this statement took effect cannot be seen, and running it twice would undo it: {statement}"
                    ),
                )));
            }
            done::State::Open => {}
        }
    }
    execute(connection, event, &statement).map_err(named)
}

fn execute(connection: &Connection, event: &DdlEvent, statement: &str) -> Result<(), Failure> {
    let schema_statement = matches!(event.kind, DdlKind::CreateSchema | DdlKind::DropSchema | DdlKind::AlterSchema);
    if !schema_statement && !event.database.is_empty() {
        // The statement names its objects in full; this is for the names it does not, as in views and foreign keys.
        if let Err(e) = connection.execute(&format!("USE {}", ident(&event.database)))
            && e.kind != ErrorKind::Refused
        {
            return Err(e.into());
        }
    }
    // Defaults like CURRENT_TIMESTAMP fill old rows with the time of the statement: upstream that was the commit.
    let timed = statement.to_ascii_uppercase().contains("CURRENT_TIMESTAMP");
    if timed {
        let ms = event.at.ts >> 18;
        connection.execute(&format!("SET TIMESTAMP={}.{:03}", ms / 1000, ms % 1000))?;
    }
    let outcome = connection.execute(statement);
    if timed && outcome.is_ok() {
        connection.execute("SET TIMESTAMP=DEFAULT")?;
    }
    match outcome {
        Ok(_) => Ok(()),
        Err(e) if errno::means_done(e.errno, event.maybe_done) => {
            log::warn("a DDL was done already", &[("error", &e.to_string()), ("statement", statement)]);
            if timed {
                connection.execute("SET TIMESTAMP=DEFAULT")?;
            }
            Ok(())
        }
        Err(e) => Err(Failure::from(e).context(statement)),
    }
}
