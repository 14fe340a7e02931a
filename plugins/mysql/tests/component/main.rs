//! The sink as it ships, a component in its sandbox, on a real MariaDB whose connection breaks at COMMIT.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../../../host/sql/tests/common/cutter.rs"]
mod cutter;
mod table;

use cutter::{Cut, Cutter, Wire};
use std::collections::BTreeMap;
use std::sync::Arc;
use table::{inserts, table};
use tg_model::{ChangefeedId, LaneId, Position, SlotId, TableVersion, Ts};
use tg_mysql::{Cell, MysqlConnection, MysqlEndpoint, MysqlTarget};
use tg_plugin::grant::{LaneContext, SqlEndpoint};
use tg_plugin::{
    Barrier, BarrierKind, EngineOptions, Grants, InstanceSpec, Limits, Plugin, PluginEngine, SinkInstance, SinkPort,
};
use tg_testkit::MariaDb;

fn at(ts: u64) -> Position {
    Position::rows(Ts::new(ts))
}

async fn sink(port: u16) -> SinkInstance {
    let endpoint = MysqlEndpoint::connect(MysqlTarget { port, ..MysqlTarget::default() }).await.unwrap();
    let endpoint: Arc<dyn SqlEndpoint> = Arc::new(endpoint);
    let changefeed = ChangefeedId { namespace: "default".to_owned(), name: "cut".to_owned() };
    let spec = InstanceSpec {
        lane: LaneContext { changefeed, slot: SlotId(0), lane: LaneId(0), epoch: (1, 1) },
        lanes: 1,
        config: String::new(),
        checkpoint: Position::ZERO,
        state: None,
        grants: Grants { sql: BTreeMap::from([("downstream".to_owned(), endpoint)]), ..Grants::default() },
        limits: Limits::SINK,
    };
    let engine = PluginEngine::new(&EngineOptions { instances_max: 4, ..EngineOptions::default() }).unwrap();
    let plugin = Plugin::load(&engine, tg_builtin::MYSQL.to_vec()).await.unwrap();
    SinkInstance::open(&plugin, &spec).await.unwrap().0
}

/// What a lane does with a barrier: after an unknown outcome it asks what is durable and flushes again only if that is less.
/// Returns how often the outcome was unknown, and whether the downstream had it then.
async fn flush(sink: &mut SinkInstance, id: u32, ts: u64) -> (u32, bool) {
    let (mut unknown, mut had) = (0, false);
    loop {
        match sink.flush(Barrier { id, kind: BarrierKind::Checkpoint, at: at(ts) }).await {
            Ok(ack) => {
                assert!(ack.complete);
                return (unknown, had);
            }
            Err(e) => {
                assert!(e.is_unknown(), "{e}");
                unknown += 1;
                had = sink.status().await.unwrap() >= Some(at(ts));
                if had {
                    return (unknown, had);
                }
            }
        }
    }
}

async fn rows(c: &mut MysqlConnection, name: &str) -> Vec<Cell> {
    c.query(&format!("SELECT COUNT(*),COUNT(DISTINCT id) FROM db.{name}"), 1).await.unwrap().rows.remove(0)
}

/// Two windows with a broken COMMIT in each: every row is there once. A table without a key would hold a row twice
/// that was written twice.
async fn check(sink: &mut SinkInstance, cutter: &Cutter, c: &mut MysqlConnection, t: &Arc<TableVersion>, from: u64) {
    c.execute(&format!("CREATE TABLE db.{} (id BIGINT, v BIGINT)", t.name)).await.unwrap();
    sink.on_schema(Arc::clone(t), Arc::from([])).await.unwrap();
    for (n, cut, had) in [(0, Cut::After, true), (1, Cut::Before, false), (2, Cut::After, true)] {
        sink.write(inserts(t, n * 10..n * 10 + 10)).await.unwrap();
        cutter.cut(cut);
        let ts = from + n.cast_unsigned();
        assert_eq!(flush(sink, ts as u32, ts).await, (1, had), "{cut:?}");
        assert!(!cutter.is_waiting());
        let expected = (n + 1) * 10;
        assert_eq!(rows(c, &t.name).await, [Cell::Int(expected), Cell::Int(expected)], "{} {cut:?}", t.name);
        assert_eq!(sink.status().await.unwrap(), Some(at(ts)));
    }
    sink.write(inserts(t, 30..40)).await.unwrap();
    assert_eq!(flush(sink, 99, from + 9).await, (0, false), "an unbroken window follows");
    assert_eq!(rows(c, &t.name).await, [Cell::Int(40), Cell::Int(40)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_breaks_at_commit_loses_and_doubles_nothing() {
    if !MariaDb::is_installed() {
        println!("passed over: MariaDB is not installed");
        return;
    }
    let server = MariaDb::start().unwrap();
    let cutter = Cutter::start(server.port(), Wire::Mysql).await;
    let direct = MysqlTarget { port: server.port(), ..MysqlTarget::default() };
    let mut c = MysqlEndpoint::connect(direct).await.unwrap().open(None).await.unwrap();
    c.execute("CREATE DATABASE db").await.unwrap();
    let mut sink = sink(cutter.port).await;
    check(&mut sink, &cutter, &mut c, &table(20, "keyless", false), 100).await;
    check(&mut sink, &cutter, &mut c, &table(21, "keyed", true), 200).await;
    sink.close().await;
}
