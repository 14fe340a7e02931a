//! The native twin of the sink on a real server.

use crate::bench::Bench as Of;
use crate::common::NoBatch;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use tg_plugin_postgres::PostgresSink;
use tg_postgres::{PostgresConnection, PostgresEndpoint, PostgresTarget};
use tg_sql::LaneClaim;
use tg_test_servers::Postgres;
use tidegate_sdk::{Barrier, BarrierKind, DdlEvent, Failure, Position, Sink, TableSchema};
use tokio::runtime::Runtime;

/// A sink with its host and server.
pub(crate) struct Bench {
    of: Of<PostgresSink, PostgresConnection>,
    /// The next barrier.
    next: u32,
}

impl Deref for Bench {
    type Target = Of<PostgresSink, PostgresConnection>;

    fn deref(&self) -> &Self::Target {
        &self.of
    }
}

impl DerefMut for Bench {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.of
    }
}

impl Bench {
    /// A sink on the shared server, of a changefeed of this name.
    pub(crate) fn new(name: &str, config: &str) -> Self {
        let server = Postgres::shared().unwrap();
        let runtime = Runtime::new().unwrap();
        let target = PostgresTarget { port: server.port(), ..PostgresTarget::default() };
        let claim = LaneClaim { changefeed: format!("default/{name}"), slot: 0, lane: 0, lanes: 1, epoch: (1, 1) };
        let connection = runtime
            .block_on(async { PostgresEndpoint::connect(target).await.unwrap().open(Some(claim)).await.unwrap() });
        Self { of: Of::new(runtime, connection, config, server), next: 1 }
    }

    /// Makes the table as its DDL would, and says so to the sink.
    pub(crate) fn create(&mut self, table: &Arc<TableSchema>, event: &DdlEvent) {
        self.run(|sink| sink.on_ddl(event)).unwrap();
        self.run(|sink| sink.on_schema(Arc::clone(table), &[])).unwrap();
    }

    /// Hands rows over and makes them durable.
    pub(crate) fn write(&mut self, data: &[u8]) -> Result<(), Failure> {
        let outcome = self.run(|sink| sink.write(&NoBatch, data))?;
        assert_eq!(outcome.quarantined, []);
        let (id, ts) = (self.next, self.next.into());
        self.next += 1;
        self.flush(Barrier { id, kind: BarrierKind::Checkpoint, at: Position { ts, stage: 1, seq: 0 } })
    }
}
