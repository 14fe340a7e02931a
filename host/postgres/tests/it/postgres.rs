//! Against a real PostgreSQL.

use crate::common::{at, claim, joined};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tg_model::Position;
use tg_postgres::{PostgresConnection, PostgresEndpoint, PostgresTarget};
use tg_sql::{Cell, Fault, FaultKind, Secret};
use tg_test_servers::Postgres;

fn server() -> Arc<Postgres> {
    Postgres::shared().unwrap()
}

fn target(server: &Postgres) -> PostgresTarget {
    PostgresTarget { port: server.port(), ..PostgresTarget::default() }
}

async fn endpoint(server: &Postgres) -> PostgresEndpoint {
    PostgresEndpoint::connect(target(server)).await.unwrap()
}

async fn transact(c: &mut PostgresConnection, statements: &[&str], to: Option<Position>) -> Result<u64, Fault> {
    let (data, ends) = joined(statements);
    Box::pin(c.transact(&data, &ends, to)).await.map(|e| e.affected)
}

async fn table(c: &mut PostgresConnection, name: &str) {
    c.execute(&format!("CREATE TABLE {name} (a INT PRIMARY KEY)")).await.unwrap();
}

async fn count(c: &mut PostgresConnection, name: &str) -> Cell {
    c.query(&format!("SELECT COUNT(*) FROM {name}"), 1).await.unwrap().rows[0][0].clone()
}

async fn pid(c: &mut PostgresConnection) -> i64 {
    match c.query("SELECT pg_backend_pid()", 1).await.unwrap().rows[0][0] {
        Cell::Int(pid) => pid,
        ref other => panic!("{other:?}"),
    }
}

async fn until(c: &mut PostgresConnection, query: &str) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while c.query(query, 1).await.unwrap().rows.is_empty() {
        assert!(Instant::now() < deadline, "{query}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn sessions_are_set_up_and_facts_are_learned() {
    let server = server();
    let mut c = endpoint(&server).await.open(None).await.unwrap();
    assert!(c.facts().version.starts_with("PostgreSQL 1") && c.facts().number >= 120_000, "{:?}", c.facts());
    for (name, wanted) in [
        ("TimeZone", "UTC"),
        ("client_encoding", "UTF8"),
        ("standard_conforming_strings", "on"),
        ("transaction_isolation", "read committed"),
        ("idle_in_transaction_session_timeout", "1min"),
        ("synchronous_commit", "on"),
        ("client_connection_check_interval", "5s"),
        ("application_name", "tidegate"),
    ] {
        let row = c.query(&format!("SHOW {name}"), 1).await.unwrap().rows.remove(0);
        assert_eq!(row, [Cell::Text(wanted.into())], "{name}");
    }
    assert_eq!(c.query("SELECT 1 UNION SELECT 2", 1).await.unwrap_err().kind, FaultKind::Refused);
    let rows = c.query("SELECT -1, 2.5::float8, NULL, '\\x00ff'::bytea, 7::numeric, 'é', true", 9).await.unwrap();
    let wanted = [
        Cell::Int(-1),
        Cell::Float(2.5),
        Cell::Null,
        Cell::Bytes(vec![0, 255]),
        Cell::Text("7".into()),
        Cell::Text("é".into()),
        Cell::Int(1),
    ];
    assert_eq!(rows.rows, [wanted]);
}

#[tokio::test]
async fn the_position_moves_with_the_rows() {
    let server = server();
    let endpoint = endpoint(&server).await;
    let mut c = endpoint.open(Some(claim("moves", 0, 2, 1))).await.unwrap();
    table(&mut c, "moves").await;
    assert_eq!(c.durable_at_open(), None);
    let done =
        transact(&mut c, &["INSERT INTO moves VALUES (1),(2)", "DELETE FROM moves WHERE a=2"], Some(at(7))).await;
    assert_eq!(done.unwrap(), 3);
    assert_eq!((c.durable().await.unwrap(), c.round_trips()), (Some(at(7)), 2));
    transact(&mut c, &["INSERT INTO moves VALUES (3)"], None).await.unwrap();
    assert_eq!(c.durable().await.unwrap(), Some(at(7)), "without a position only the guard");
    let twice = ["INSERT INTO moves VALUES (4)", "INSERT INTO moves VALUES (1)"];
    let error = transact(&mut c, &twice, Some(at(9))).await.unwrap_err();
    assert_eq!((error.kind, error.sqlstate.as_str()), (FaultKind::Duplicate, "23505"));
    let error = transact(&mut c, &["INSERT INTO nowhere VALUES (4)"], Some(at(9))).await.unwrap_err();
    assert_eq!((error.kind, error.sqlstate.as_str()), (FaultKind::Refused, "42P01"), "{error}");
    assert_eq!((c.durable().await.unwrap(), count(&mut c, "moves").await), (Some(at(7)), Cell::Int(2)));
    let again = endpoint.open(Some(claim("moves", 0, 2, 1))).await.unwrap();
    assert_eq!(again.durable_at_open(), Some(at(7)), "the same epoch may open again");
    transact(&mut c, &["INSERT INTO moves VALUES (8)"], None).await.unwrap();
    let error = c.execute("SELECT 1/0").await.unwrap_err();
    assert_eq!((error.kind, error.sqlstate.as_str()), (FaultKind::Refused, "22012"), "it is the statement's own");
    assert_eq!(c.execute("INSERT INTO moves VALUES (10),(11)").await.unwrap().affected, 2);
    let other = endpoint.open(Some(claim("moves", 1, 2, 1))).await.unwrap();
    assert_eq!(other.durable_at_open(), None);
    assert_eq!(endpoint.open(Some(claim("moves", 3, 2, 1))).await.unwrap_err().kind, FaultKind::Refused);
}

#[tokio::test]
async fn the_older_of_two_writers_is_refused() {
    let server = server();
    let endpoint = endpoint(&server).await;
    let mut old = endpoint.open(Some(claim("fence", 0, 2, 1))).await.unwrap();
    let mut old_sibling = endpoint.open(Some(claim("fence", 1, 2, 1))).await.unwrap();
    table(&mut old, "fence").await;
    transact(&mut old, &["INSERT INTO fence VALUES (1)"], Some(at(3))).await.unwrap();
    let mut new = endpoint.open(Some(claim("fence", 0, 2, 2))).await.unwrap();
    assert_eq!(new.durable_at_open(), Some(at(3)));
    for zombie in [&mut old, &mut old_sibling] {
        // Its session was ended: that is found out first, and nothing was written.
        while let Err(error) = zombie.durable().await
            && error.kind == FaultKind::Retryable
        {}
        for to in [Some(at(4)), None] {
            let error = transact(zombie, &["INSERT INTO fence VALUES (2)"], to).await.unwrap_err();
            assert_eq!(error.kind, FaultKind::Fenced, "{error}");
            let error = transact(zombie, &["INSERT INTO nowhere VALUES (2)"], to).await.unwrap_err();
            assert_eq!(error.kind, FaultKind::Fenced, "the guard explains what fails behind it: {error}");
        }
        let error = zombie.execute("DROP TABLE fence").await.unwrap_err();
        assert_eq!(error.kind, FaultKind::Fenced, "nor is DDL done: {error}");
        assert_eq!(zombie.durable().await.unwrap_err().kind, FaultKind::Fenced);
    }
    let error = endpoint.open(Some(claim("fence", 0, 2, 1))).await.unwrap_err();
    assert!(error.kind == FaultKind::Fenced && error.to_string().contains("5.2"), "{error}");
    transact(&mut new, &["INSERT INTO fence VALUES (2)"], Some(at(4))).await.unwrap();
    assert_eq!(count(&mut new, "fence").await, Cell::Int(2));
}

/// A writer that stopped in the middle of its transaction holds its progress row and rows of tables. Its successor neither waits for
/// it nor sees anything of it.
#[tokio::test]
async fn a_stopped_writer_does_not_hold_up_its_successor() {
    let server = server();
    let endpoint = endpoint(&server).await;
    let mut old = endpoint.open(Some(claim("stopped", 0, 1, 1))).await.unwrap();
    table(&mut old, "stopped").await;
    transact(&mut old, &["INSERT INTO stopped VALUES (1)"], Some(at(7))).await.unwrap();
    let stuck = pid(&mut old).await;
    let slow = tokio::spawn(async move {
        let statements = ["INSERT INTO stopped VALUES (2)", "SELECT pg_sleep(600)"];
        transact(&mut old, &statements, Some(at(8))).await
    });
    let mut watch = endpoint.open(None).await.unwrap();
    until(&mut watch, &format!("SELECT 1 FROM pg_stat_activity WHERE pid={stuck} AND wait_event='PgSleep'")).await;
    let began = Instant::now();
    let mut new = endpoint.open(Some(claim("stopped", 0, 1, 2))).await.unwrap();
    let took = began.elapsed();
    assert!(took < Duration::from_secs(10), "the claim took {took:?}");
    println!("taken over from a writer in an open transaction in {took:?}");
    assert_eq!(new.durable_at_open(), Some(at(7)));
    transact(&mut new, &["INSERT INTO stopped VALUES (2)"], Some(at(8))).await.unwrap();
    assert_eq!(count(&mut new, "stopped").await, Cell::Int(2));
    let error = slow.await.unwrap().unwrap_err();
    assert_eq!(error.kind, FaultKind::Retryable, "it did nothing: {error}");
}

/// Who may not end the other's session waits, and gets the slot when the transaction ends.
#[tokio::test]
async fn a_writer_of_another_role_is_waited_for() {
    let server = server();
    let mut root = endpoint(&server).await.open(None).await.unwrap();
    for role in ["one_role", "other_role"] {
        root.execute(&format!("CREATE ROLE {role} LOGIN")).await.unwrap();
        root.execute(&format!("GRANT ALL ON DATABASE postgres TO {role};GRANT ALL ON SCHEMA tidegate TO {role};GRANT ALL ON ALL TABLES IN SCHEMA tidegate TO {role}")).await.unwrap();
    }
    let role = |user: &str| PostgresTarget { user: user.into(), ..target(&server) };
    let [one, other] = [role("one_role"), role("other_role")];
    let mut old = PostgresEndpoint::connect(one).await.unwrap().open(Some(claim("roles", 0, 1, 1))).await.unwrap();
    let stuck = pid(&mut old).await;
    let slow = tokio::spawn(async move { transact(&mut old, &["SELECT pg_sleep(2)"], Some(at(8))).await });
    until(&mut root, &format!("SELECT 1 FROM pg_stat_activity WHERE pid={stuck} AND wait_event='PgSleep'")).await;
    let other = PostgresEndpoint::connect(other).await.unwrap();
    let new = other.open(Some(claim("roles", 0, 1, 2))).await.unwrap();
    slow.await.unwrap().unwrap();
    assert_eq!(new.durable_at_open(), Some(at(8)));
}

#[tokio::test]
async fn another_number_of_lanes_starts_from_the_least_position() {
    let server = server();
    let endpoint = endpoint(&server).await;
    for (lane, ts) in [(0, 30), (1, 20)] {
        let mut c = endpoint.open(Some(claim("lanes", lane, 2, 1))).await.unwrap();
        transact(&mut c, &["SELECT 1"], Some(at(ts))).await.unwrap();
    }
    let mut first = endpoint.open(Some(claim("lanes", 0, 4, 2))).await.unwrap();
    assert_eq!(first.durable_at_open(), Some(at(20)));
    transact(&mut first, &["SELECT 1"], Some(at(40))).await.unwrap();
    let last = endpoint.open(Some(claim("lanes", 3, 4, 2))).await.unwrap();
    assert_eq!(last.durable_at_open(), Some(at(20)));
}

#[tokio::test]
async fn lanes_that_claim_at_once_do_not_hurt_each_other() {
    let server = server();
    let endpoint = endpoint(&server).await;
    for n in 1..4 {
        let open = (0..=8).map(|lane| {
            let endpoint = endpoint.clone();
            tokio::spawn(async move { endpoint.open(Some(claim("once", lane, 8, n))).await })
        });
        for task in open.collect::<Vec<_>>() {
            let mut c = task.await.unwrap().unwrap();
            transact(&mut c, &["SELECT 1"], None).await.unwrap();
        }
    }
}

/// A session ended before COMMIT has done nothing; the next call connects anew.
#[tokio::test]
async fn a_connection_lost_before_commit_changes_nothing() {
    let server = server();
    let endpoint = endpoint(&server).await;
    let mut c = endpoint.open(Some(claim("lost", 0, 1, 1))).await.unwrap();
    table(&mut c, "lost").await;
    let mut killer = endpoint.open(None).await.unwrap();
    let victim = pid(&mut c).await;
    let slow = tokio::spawn(async move {
        let outcome = transact(&mut c, &["INSERT INTO lost VALUES (1)", "SELECT pg_sleep(600)"], Some(at(3))).await;
        (c, outcome)
    });
    until(&mut killer, &format!("SELECT 1 FROM pg_stat_activity WHERE pid={victim} AND wait_event='PgSleep'")).await;
    killer.query(&format!("SELECT pg_terminate_backend({victim})"), 1).await.unwrap();
    let (mut c, outcome) = slow.await.unwrap();
    assert_eq!(outcome.unwrap_err().kind, FaultKind::Retryable);
    assert_eq!(c.durable().await.unwrap(), None);
    transact(&mut c, &["INSERT INTO lost VALUES (1)"], Some(at(3))).await.unwrap();
    let victim = pid(&mut c).await;
    let slow = tokio::spawn(async move { c.execute("SELECT pg_sleep(600)").await });
    until(&mut killer, &format!("SELECT 1 FROM pg_stat_activity WHERE pid={victim} AND wait_event='PgSleep'")).await;
    killer.query(&format!("SELECT pg_terminate_backend({victim})"), 1).await.unwrap();
    let error = slow.await.unwrap().unwrap_err();
    assert_eq!(error.kind, FaultKind::Unknown, "a DDL may have taken effect: {error}");
}

#[tokio::test]
async fn timeouts_and_deadlocks_are_worth_another_try() {
    let server = server();
    let quick = PostgresTarget { statement_timeout: Duration::from_millis(200), ..target(&server) };
    let mut c = PostgresEndpoint::connect(quick).await.unwrap().open(None).await.unwrap();
    let error = transact(&mut c, &["SELECT pg_sleep(5)"], None).await.unwrap_err();
    assert_eq!(error.kind, FaultKind::Retryable, "{error}");
    let mut holder = endpoint(&server).await.open(None).await.unwrap();
    table(&mut holder, "locked").await;
    holder.execute("BEGIN").await.unwrap();
    holder.execute("INSERT INTO locked VALUES (1)").await.unwrap();
    let mut waiter = endpoint(&server).await.open(None).await.unwrap();
    waiter.execute("SET lock_timeout=100").await.unwrap();
    let error = transact(&mut waiter, &["INSERT INTO locked VALUES (1)"], None).await.unwrap_err();
    assert_eq!((error.kind, error.sqlstate.as_str()), (FaultKind::Retryable, "55P03"));
    transact(&mut waiter, &["SELECT 1"], None).await.unwrap();
}

#[tokio::test]
async fn a_wrong_password_is_denied_and_never_shown() {
    let mut server = Postgres::start().unwrap();
    let mut root = endpoint(&server).await.open(None).await.unwrap();
    root.execute("CREATE ROLE u LOGIN PASSWORD 'right'").await.unwrap();
    root.execute("GRANT ALL ON DATABASE postgres TO u;CREATE SCHEMA IF NOT EXISTS tidegate;GRANT ALL ON SCHEMA tidegate TO u;GRANT ALL ON ALL TABLES IN SCHEMA tidegate TO u").await.unwrap();
    let rules = server.folder().join("data/pg_hba.conf");
    std::fs::write(&rules, "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n").unwrap();
    server.restart().unwrap();
    let with =
        |password: &str| PostgresTarget { user: "u".into(), password: Secret::new(password.into()), ..target(&server) };
    let error = PostgresEndpoint::connect(with("hunter2")).await.unwrap_err();
    assert_eq!(error.kind, FaultKind::Denied, "{error}");
    assert!(!format!("{error} {error:?}").contains("hunter2"));
    let error = PostgresEndpoint::connect(with("")).await.unwrap_err();
    assert_eq!(error.kind, FaultKind::Denied, "no password at all: {error}");
    assert!(PostgresEndpoint::connect(with("right")).await.is_ok());
}

#[tokio::test]
async fn nobody_listening_is_retryable() {
    let error = PostgresEndpoint::connect(PostgresTarget { port: 1, ..PostgresTarget::default() }).await.unwrap_err();
    assert_eq!(error.kind, FaultKind::Retryable);
    assert!(error.to_string().contains("postgres@127.0.0.1:1/postgres"), "{error}");
}

/// A server that crashes and comes back holds what was acknowledged.
#[tokio::test]
async fn a_crash_of_the_server_loses_nothing_that_was_acknowledged() {
    let mut server = Postgres::start().unwrap();
    let endpoint = endpoint(&server).await;
    let mut c = endpoint.open(Some(claim("crash", 0, 1, 1))).await.unwrap();
    table(&mut c, "crash").await;
    transact(&mut c, &["INSERT INTO crash VALUES (1)"], Some(at(3))).await.unwrap();
    server.restart().unwrap();
    // The first call may find the old connection dead.
    while let Err(error) = c.durable().await {
        assert_eq!(error.kind, FaultKind::Retryable, "{error}");
    }
    assert_eq!(c.durable().await.unwrap(), Some(at(3)));
    transact(&mut c, &["INSERT INTO crash VALUES (2)"], Some(at(4))).await.unwrap();
    assert_eq!(count(&mut c, "crash").await, Cell::Int(2));
}
