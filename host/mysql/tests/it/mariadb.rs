//! Fencing, progress, open outcomes and classification on a real MariaDB.

use crate::common::{at, claim, joined};
use std::sync::Arc;
use std::time::Duration;
use tg_model::Position;
use tg_mysql::{Cell, Fault, FaultKind, Flavor, MysqlConnection, MysqlEndpoint, MysqlTarget, Secret};
use tg_testkit::MariaDb;

fn server() -> Option<Arc<MariaDb>> {
    if MariaDb::is_installed() {
        return Some(MariaDb::shared().unwrap());
    }
    println!("passed over: MariaDB is not installed");
    None
}

fn target(server: &MariaDb) -> MysqlTarget {
    MysqlTarget { port: server.port(), ..MysqlTarget::default() }
}

async fn endpoint(server: &MariaDb) -> MysqlEndpoint {
    MysqlEndpoint::connect(target(server)).await.unwrap()
}

async fn transact(c: &mut MysqlConnection, statements: &[&str], to: Option<Position>) -> Result<u64, Fault> {
    let (data, ends) = joined(statements);
    Box::pin(c.transact(&data, &ends, to)).await.map(|e| e.affected)
}

async fn table(c: &mut MysqlConnection, name: &str) {
    c.execute("CREATE DATABASE IF NOT EXISTS d").await.unwrap();
    c.execute(&format!("CREATE TABLE d.{name} (a INT PRIMARY KEY)")).await.unwrap();
}

async fn count(c: &mut MysqlConnection, name: &str) -> Cell {
    c.query(&format!("SELECT COUNT(*) FROM d.{name}"), 1).await.unwrap().rows[0][0].clone()
}

#[tokio::test]
async fn sessions_are_set_up_and_facts_are_learned() {
    let Some(server) = server() else { return };
    let mut c = endpoint(&server).await.open(None).await.unwrap();
    assert_eq!(c.flavor(), Flavor::Mariadb);
    assert!(c.facts().version.contains("MariaDB") && c.max_statement_bytes() > 60 << 20);
    let q = "SELECT @@session.time_zone,@@session.foreign_key_checks,@@session.tx_isolation,@@session.sql_mode,@@character_set_client";
    let row = c.query(q, 1).await.unwrap().rows.remove(0);
    let text = |i: usize| match &row[i] {
        Cell::Text(t) => t.clone(),
        other => format!("{other:?}"),
    };
    assert_eq!(
        (text(0), text(1), text(2), text(4)),
        ("+00:00".into(), "Int(0)".into(), "READ-COMMITTED".into(), "utf8mb4".into())
    );
    assert!(
        text(3).contains("ALLOW_INVALID_DATES") && !text(3).contains("STRICT") && !text(3).contains("NO_BACKSLASH")
    );
    assert_eq!(c.query("SELECT 1 UNION SELECT 2", 1).await.unwrap_err().kind, FaultKind::Refused);
    let rows = c.query("SELECT -1, 2.5e0, NULL, x'00ff', CAST(7 AS UNSIGNED), 'é'", 9).await.unwrap().rows.remove(0);
    assert_eq!(
        rows,
        [Cell::Int(-1), Cell::Float(2.5), Cell::Null, Cell::Bytes(vec![0, 255]), Cell::Uint(7), Cell::Text("é".into())]
    );
}

#[tokio::test]
async fn the_position_moves_with_the_rows() {
    let Some(server) = server() else { return };
    let endpoint = endpoint(&server).await;
    let mut c = endpoint.open(Some(claim("moves", 0, 2, 1))).await.unwrap();
    table(&mut c, "moves").await;
    assert_eq!(c.durable_at_open(), None);
    assert_eq!(
        transact(&mut c, &["INSERT INTO d.moves VALUES (1),(2)", "DELETE FROM d.moves WHERE a=2"], Some(at(7)))
            .await
            .unwrap(),
        3
    );
    assert_eq!(c.durable().await.unwrap(), Some(at(7)));
    transact(&mut c, &["INSERT INTO d.moves VALUES (3)"], None).await.unwrap();
    assert_eq!(c.durable().await.unwrap(), Some(at(7)), "without a position only the guard");
    let error = transact(&mut c, &["INSERT INTO d.moves VALUES (4)", "INSERT INTO d.moves VALUES (1)"], Some(at(9)))
        .await
        .unwrap_err();
    assert_eq!((error.kind, error.errno), (FaultKind::Duplicate, 1062));
    let error = transact(&mut c, &["INSERT INTO d.nowhere VALUES (4)"], Some(at(9))).await.unwrap_err();
    assert_eq!((error.kind, error.errno), (FaultKind::Refused, 1146));
    assert_eq!((c.durable().await.unwrap(), count(&mut c, "moves").await), (Some(at(7)), Cell::Int(2)));
    let again = endpoint.open(Some(claim("moves", 0, 2, 1))).await.unwrap();
    assert_eq!(again.durable_at_open(), Some(at(7)), "the same epoch may open again");
    let other = endpoint.open(Some(claim("moves", 1, 2, 1))).await.unwrap();
    assert_eq!(other.durable_at_open(), None);
    assert_eq!(endpoint.open(Some(claim("moves", 3, 2, 1))).await.unwrap_err().kind, FaultKind::Refused);
}

#[tokio::test]
async fn the_older_of_two_writers_is_refused() {
    let Some(server) = server() else { return };
    let endpoint = endpoint(&server).await;
    let mut old = endpoint.open(Some(claim("fence", 0, 2, 1))).await.unwrap();
    let mut old_sibling = endpoint.open(Some(claim("fence", 1, 2, 1))).await.unwrap();
    table(&mut old, "fence").await;
    transact(&mut old, &["INSERT INTO d.fence VALUES (1)"], Some(at(3))).await.unwrap();
    let mut new = endpoint.open(Some(claim("fence", 0, 2, 2))).await.unwrap();
    assert_eq!(new.durable_at_open(), Some(at(3)));
    for zombie in [&mut old, &mut old_sibling] {
        for to in [Some(at(4)), None] {
            let error = transact(zombie, &["INSERT INTO d.fence VALUES (2)"], to).await.unwrap_err();
            assert_eq!(error.kind, FaultKind::Fenced, "{error}");
        }
        assert_eq!(zombie.durable().await.unwrap_err().kind, FaultKind::Fenced);
    }
    let error = endpoint.open(Some(claim("fence", 0, 2, 1))).await.unwrap_err();
    assert!(error.kind == FaultKind::Fenced && error.to_string().contains("5.2"), "{error}");
    transact(&mut new, &["INSERT INTO d.fence VALUES (2)"], Some(at(4))).await.unwrap();
    assert_eq!(count(&mut new, "fence").await, Cell::Int(2));
}

/// Taking over waits a moment for a transaction that is under way, and sees what it did.
#[tokio::test]
async fn a_takeover_waits_for_the_transaction_in_flight() {
    let Some(server) = server() else { return };
    let endpoint = endpoint(&server).await;
    let mut old = endpoint.open(Some(claim("wait", 0, 1, 1))).await.unwrap();
    table(&mut old, "wait").await;
    let mut watch = endpoint.open(None).await.unwrap();
    let slow = tokio::spawn(async move {
        transact(&mut old, &["DO SLEEP(0.3)", "INSERT INTO d.wait VALUES (1)"], Some(at(8))).await
    });
    let holds =
        "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'DO SLEEP(0.3)%' OR state='User sleep'";
    while watch.query(holds, 1).await.unwrap().rows[0][0] == Cell::Int(0) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let new = endpoint.open(Some(claim("wait", 0, 1, 2))).await.unwrap();
    slow.await.unwrap().unwrap();
    assert_eq!(new.durable_at_open(), Some(at(8)));
}

#[tokio::test]
async fn another_number_of_lanes_starts_from_the_least_position() {
    let Some(server) = server() else { return };
    let endpoint = endpoint(&server).await;
    for (lane, ts) in [(0, 30), (1, 20)] {
        let mut c = endpoint.open(Some(claim("lanes", lane, 2, 1))).await.unwrap();
        transact(&mut c, &["DO 1"], Some(at(ts))).await.unwrap();
    }
    let mut first = endpoint.open(Some(claim("lanes", 0, 4, 2))).await.unwrap();
    assert_eq!(first.durable_at_open(), Some(at(20)));
    transact(&mut first, &["DO 1"], Some(at(40))).await.unwrap();
    let last = endpoint.open(Some(claim("lanes", 3, 4, 2))).await.unwrap();
    assert_eq!(last.durable_at_open(), Some(at(20)));
}

#[tokio::test]
async fn lanes_that_claim_at_once_do_not_hurt_each_other() {
    let Some(server) = server() else { return };
    let endpoint = endpoint(&server).await;
    for n in 1..4 {
        let open = (0..=8).map(|lane| {
            let endpoint = endpoint.clone();
            tokio::spawn(async move { endpoint.open(Some(claim("once", lane, 8, n))).await.map(|_| ()) })
        });
        for task in open.collect::<Vec<_>>() {
            task.await.unwrap().unwrap();
        }
    }
}

/// A connection killed before COMMIT has done nothing; the next call connects anew.
#[tokio::test]
async fn a_connection_lost_before_commit_changes_nothing() {
    let Some(server) = server() else { return };
    let endpoint = endpoint(&server).await;
    let mut c = endpoint.open(Some(claim("lost", 0, 1, 1))).await.unwrap();
    table(&mut c, "lost").await;
    let mut killer = endpoint.open(None).await.unwrap();
    kill(&mut killer, &mut c).await;
    let error = transact(&mut c, &["INSERT INTO d.lost VALUES (1)"], Some(at(3))).await.unwrap_err();
    assert_eq!(error.kind, FaultKind::Retryable, "{error}");
    assert_eq!(c.durable().await.unwrap(), None);
    transact(&mut c, &["INSERT INTO d.lost VALUES (1)"], Some(at(3))).await.unwrap();
    kill(&mut killer, &mut c).await;
    let error = c.execute("ALTER TABLE d.lost ADD COLUMN b INT").await.unwrap_err();
    assert_eq!(error.kind, FaultKind::Unknown, "{error}");
}

async fn kill(killer: &mut MysqlConnection, victim: &mut MysqlConnection) {
    let id = match victim.query("SELECT CONNECTION_ID()", 1).await.unwrap().rows[0][0] {
        Cell::Int(id) => id,
        Cell::Uint(id) => id.cast_signed(),
        ref other => panic!("{other:?}"),
    };
    killer.execute(&format!("KILL {id}")).await.unwrap();
    let gone = format!("SELECT COUNT(*) FROM information_schema.processlist WHERE id={id}");
    while killer.query(&gone, 1).await.unwrap().rows[0][0] != Cell::Int(0) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn timeouts_and_deadlocks_are_worth_another_try() {
    let Some(server) = server() else { return };
    let quick = MysqlTarget { statement_timeout: Duration::from_millis(200), ..target(&server) };
    let mut c = MysqlEndpoint::connect(quick).await.unwrap().open(None).await.unwrap();
    let error = transact(&mut c, &["DO SLEEP(5)"], None).await.unwrap_err();
    assert_eq!(error.kind, FaultKind::Retryable, "{error}");
    let mut holder = endpoint(&server).await.open(None).await.unwrap();
    table(&mut holder, "locked").await;
    holder.execute("BEGIN").await.unwrap();
    holder.execute("INSERT INTO d.locked VALUES (1)").await.unwrap();
    let mut waiter = endpoint(&server).await.open(None).await.unwrap();
    waiter.execute("SET SESSION innodb_lock_wait_timeout=1").await.unwrap();
    let error = transact(&mut waiter, &["INSERT INTO d.locked VALUES (1)"], None).await.unwrap_err();
    assert_eq!((error.kind, error.errno), (FaultKind::Retryable, 1205));
}

#[tokio::test]
async fn a_wrong_password_is_denied_and_never_shown() {
    let Some(server) = server() else { return };
    let mut root = endpoint(&server).await.open(None).await.unwrap();
    root.execute("CREATE USER 'u'@'%' IDENTIFIED BY 'right'").await.unwrap();
    root.execute("GRANT ALL ON *.* TO 'u'@'%'").await.unwrap();
    let with =
        |password: &str| MysqlTarget { user: "u".into(), password: Secret::new(password.into()), ..target(&server) };
    let error = MysqlEndpoint::connect(with("hunter2")).await.unwrap_err();
    assert_eq!(error.kind, FaultKind::Denied);
    assert!(!format!("{error} {error:?}").contains("hunter2"));
    assert!(MysqlEndpoint::connect(with("right")).await.is_ok());
    assert!(MysqlEndpoint::connect(with("cmlnaHQ=")).await.is_ok(), "base64 of the password");
}

#[tokio::test]
async fn nobody_listening_is_retryable() {
    let port = tg_testkit::free_port().unwrap();
    let error = MysqlEndpoint::connect(MysqlTarget { port, ..MysqlTarget::default() }).await.unwrap_err();
    assert_eq!(error.kind, FaultKind::Retryable);
    assert!(error.to_string().contains(&format!("root@127.0.0.1:{port}")), "{error}");
}

/// A writer that stands still within its transaction is in nobody's way: its successor ends it, and nothing of it is left.
#[tokio::test]
async fn a_writer_that_stands_still_is_ended_by_its_successor() {
    let Some(server) = server() else { return };
    let endpoint = endpoint(&server).await;
    // A lane that writes rows, and the one that runs DDL.
    for lane in [0, 2] {
        let feed = format!("still{lane}");
        let mut old = endpoint.open(Some(claim(&feed, lane, 2, 1))).await.unwrap();
        let mut sibling = endpoint.open(Some(claim(&feed, 1, 2, 1))).await.unwrap();
        table(&mut old, &feed).await;
        let insert = |value: u32| format!("INSERT INTO d.{feed} VALUES ({value})");
        transact(&mut old, &[&insert(1)], Some(at(3))).await.unwrap();
        old.execute("BEGIN").await.unwrap();
        let guard = format!(
            "UPDATE tidegate.tg_progress SET pos_ts=9 WHERE changefeed='default/{feed}' AND slot=1 AND lane={lane}"
        );
        old.execute(&guard).await.unwrap();
        old.execute(&insert(2)).await.unwrap();

        let mut new = endpoint.open(Some(claim(&feed, lane, 2, 2))).await.unwrap();
        assert_eq!(new.durable_at_open(), Some(at(3)), "nothing of what was under way");
        assert_eq!(count(&mut new, &feed).await, Cell::Int(1));
        // All connections of the slot's former writer were ended: which of them stood in the way cannot be seen.
        for zombie in [&mut old, &mut sibling] {
            let error = transact(zombie, &[&insert(3)], Some(at(9))).await.unwrap_err();
            assert_eq!(error.kind, FaultKind::Retryable, "its connection was ended: {error}");
            let error = transact(zombie, &[&insert(4)], Some(at(9))).await.unwrap_err();
            assert_eq!(error.kind, FaultKind::Fenced, "{error}");
        }
    }
}

/// A claim may be left standing at any step; the next one gets through.
#[tokio::test]
async fn a_claim_that_stands_still_is_ended_by_the_next() {
    let Some(server) = server() else { return };
    let endpoint = endpoint(&server).await;
    let mut first = endpoint.open(Some(claim("halfway", 0, 1, 1))).await.unwrap();
    transact(&mut first, &["DO 1"], Some(at(5))).await.unwrap();
    let mut standing = Vec::new();
    for n in 1.. {
        let other = endpoint.clone();
        let mut halfway = Box::pin(async move { other.open(Some(claim("halfway", 0, 1, 2 * n))).await });
        let mut done = false;
        // One poll further each time. The server answers at once, so a poll is a step of the claim.
        for _ in 0..n {
            done = futures::poll!(&mut halfway).is_ready();
            if done {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        if done {
            println!("{} places to stand still at", n - 1);
            assert!(n > 10, "the claim was interrupted within");
            break;
        }
        standing.push(halfway);
        let next = endpoint.open(Some(claim("halfway", 0, 1, 2 * n + 1))).await.unwrap();
        assert_eq!(next.durable_at_open(), Some(at(5)));
    }
}

/// A sink is swapped while the one before still writes: both are of the same epoch, and neither hurts the other.
#[tokio::test]
async fn connections_of_one_epoch_live_beside_each_other() {
    let Some(server) = server() else { return };
    let endpoint = endpoint(&server).await;
    let mut both = Vec::new();
    for _ in 0..6 {
        both.push(endpoint.open(Some(claim("beside", 0, 1, 1))).await.unwrap());
    }
    for (ts, c) in (1..).zip(&mut both) {
        transact(c, &["DO 1"], Some(at(ts))).await.unwrap();
    }
    assert_eq!(both.remove(0).durable().await.unwrap(), Some(at(6)));
}

/// A connection is lost to its own end only; the server keeps its transaction. The next one does not wait for it.
#[tokio::test]
async fn a_lost_connection_does_not_stand_in_its_own_way() {
    let Some(server) = server() else { return };
    let quick = MysqlTarget { statement_timeout: Duration::from_millis(300), ..target(&server) };
    let mut c = MysqlEndpoint::connect(quick).await.unwrap().open(Some(claim("own", 0, 1, 1))).await.unwrap();
    table(&mut c, "own").await;
    let error = transact(&mut c, &["INSERT INTO d.own VALUES (1)", "DO SLEEP(20)"], Some(at(2))).await.unwrap_err();
    assert_eq!(error.kind, FaultKind::Retryable, "{error}");
    let begin = std::time::Instant::now();
    while let Err(e) = transact(&mut c, &["INSERT INTO d.own VALUES (1)"], Some(at(2))).await {
        assert!(e.kind == FaultKind::Retryable && begin.elapsed() < Duration::from_secs(15), "{e}");
    }
    assert_eq!((c.durable().await.unwrap(), count(&mut c, "own").await), (Some(at(2)), Cell::Int(1)));
}
