//! A connection that breaks at COMMIT, before the server hears it and after it has answered.

use crate::cutter::{Cut, Cutter, Wire};
use tg_model::{Position, Ts};
use tg_postgres::{PostgresEndpoint, PostgresTarget};
use tg_sql::{Cell, FaultKind, LaneClaim};
use tg_test_servers::Postgres;

#[tokio::test]
async fn the_progress_row_tells_what_became_of_a_commit_without_an_answer() {
    let server = Postgres::start().unwrap();
    let cutter = Cutter::start(server.port(), Wire::Postgres).await;
    let port = cutter.port;
    let endpoint = PostgresEndpoint::connect(PostgresTarget { port, ..PostgresTarget::default() }).await.unwrap();
    let claim = LaneClaim { changefeed: "default/cut".into(), slot: 0, lane: 0, lanes: 1, epoch: (1, 1) };
    let mut c = endpoint.open(Some(claim)).await.unwrap();
    c.execute("CREATE TABLE cut (a INT)").await.unwrap();
    let at = |ts| Position::rows(Ts::new(ts));
    let mut rows = 0;
    for (n, cut) in [Cut::After, Cut::Before, Cut::After].into_iter().enumerate() {
        let ts = 10 + n as u64;
        let statement = format!("INSERT INTO cut VALUES ({n})");
        let ends = [statement.len() as u32];
        let before = c.durable().await.unwrap();
        cutter.cut(cut);
        let error = c.transact(statement.as_bytes(), &ends, Some(at(ts))).await.unwrap_err();
        assert_eq!(error.kind, FaultKind::Unknown, "{error}");
        assert!(!cutter.is_waiting());
        let took_effect = cut == Cut::After;
        let told = c.durable().await.unwrap();
        assert_eq!(told, if took_effect { Some(at(ts)) } else { before }, "{cut:?}");
        if !took_effect {
            c.transact(statement.as_bytes(), &ends, Some(at(ts))).await.unwrap();
        }
        rows += 1;
        let found = c.query("SELECT count(*),count(DISTINCT a) FROM cut", 1).await.unwrap().rows;
        assert_eq!(found, [[Cell::Int(rows), Cell::Int(rows)]], "{cut:?}");
    }
}
