//! The native twin of the sink on a real server.

use crate::bench::Bench as Of;
use tg_mysql::{LaneClaim, MysqlConnection, MysqlEndpoint, MysqlTarget};
use tg_plugin_mysql::MysqlSink;
use tg_testkit::MariaDb;
use tokio::runtime::Runtime;

/// Port on 127.0.0.1 of an empty MySQL or TiDB to test against instead, with user root and no password.
const OTHER_SERVER: &str = "TIDEGATE_TEST_MYSQL_PORT";

/// A sink with its host and server.
pub(crate) type Bench = Of<MysqlSink, MysqlConnection>;

/// A sink on the shared server, whose database `db` is there; `None` when MariaDB is not installed.
pub(crate) fn bench(name: &str) -> Option<Bench> {
    bench_with(name, "")
}

pub(crate) fn bench_with(name: &str, config: &str) -> Option<Bench> {
    let (server, port) = match std::env::var(OTHER_SERVER) {
        Ok(port) => (None, port.parse().unwrap()),
        Err(_) if !MariaDb::is_installed() => {
            println!("passed over: MariaDB is not installed");
            return None;
        }
        Err(_) => {
            let server = MariaDb::shared().unwrap();
            let port = server.port();
            (Some(server), port)
        }
    };
    let runtime = Runtime::new().unwrap();
    let target = MysqlTarget { port, ..MysqlTarget::default() };
    let claim = LaneClaim { changefeed: format!("default/{name}"), slot: 0, lane: 0, lanes: 1, epoch: (1, 1) };
    let connection = runtime.block_on(async {
        let endpoint = MysqlEndpoint::connect(target).await.unwrap();
        let mut connection = endpoint.open(Some(claim)).await.unwrap();
        connection.execute("CREATE DATABASE IF NOT EXISTS db DEFAULT CHARACTER SET utf8mb4").await.unwrap();
        connection
    });
    Some(Bench::new(runtime, connection, config, server))
}
