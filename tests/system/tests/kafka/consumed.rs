//! `tidegate consume` of a topic: a database that is read from it alone is equal to the source.

use crate::support::Rig;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Instant;
use tg_test_servers::SchemaRegistry;
use tg_testkit::{CATCH_UP, Ended, MariaDb, Sql, compare};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const COLUMNS: &str = "id BIGINT UNSIGNED PRIMARY KEY, d DECIMAL(20,4), f DOUBLE, b VARBINARY(20), s VARCHAR(40), j JSON, \
                       t DATETIME(3), e ENUM('a','b'), m SET('x','y'), y YEAR, bits BIT(9), day DATE, clock TIME(2)";

/// Values of [`COLUMNS`] behind the first two.
const VALUES: &str = "1.5, X'00ff', 'dröi \"x\"', '{\"k\": [1, 2.5]}', '2026-11-29 01:02:03.456', 'b', 'x,y', 2026, b'101', \
                      '2026-11-29', '-12:34:56.78'";

/// `greatest`: the greatest BIGINT UNSIGNED that the format keeps; `compression`: of every value by itself.
async fn check(protocol: &str, params: &str, compression: &str, greatest: u64) {
    let rig: Arc<Rig> = Rig::shared();
    let down = MariaDb::shared().unwrap();
    let name = format!("c_{}", protocol.replace('-', "_"));
    let by_key = json!({"sink": {"dispatchers": [{"matcher": ["*.*"], "partition": "index-value"}],
        "kafka_config": {"large_message_handle": {"large_message_handle_compression": compression}}}});
    let file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
    let large =
        format!("[sink.kafka-config.large-message-handle]\nlarge-message-handle-compression = '{compression}'\n");
    std::fs::write(file.path(), large).unwrap();
    let told = file.path().to_str().unwrap().to_owned();
    let params = format!("protocol={protocol}&{params}");
    let mut feed = rig.feed(&name, &params, by_key).await;
    let consume = |more: &[&str]| {
        let uri = format!("kafka://{}/{name}?{params}", rig.kafka.address());
        let ended = Ended::of(&[&["consume", &uri, "--config", &told], more].concat()).unwrap();
        assert_eq!(ended.code, Some(0), "{protocol}: {}{}", ended.out, ended.err);
        ended
    };
    // Watermarks follow the checkpoint.
    let apply_upto = |ts: u64| {
        let deadline = Instant::now() + CATCH_UP;
        loop {
            let told = consume(&["--to", &down.url()]).err;
            if told.trim().rsplit(' ').next().and_then(|n| n.parse().ok()).is_some_and(|upto: u64| upto >= ts) {
                return;
            }
            assert!(Instant::now() < deadline, "{protocol}: nothing up to {ts}: {told}");
        }
    };
    let statements = [
        format!("CREATE TABLE t ({COLUMNS})"),
        format!("INSERT INTO t VALUES ({greatest}, 12.3400, {VALUES}), (2, -0.0001, {VALUES})"),
        "INSERT INTO t (id) VALUES (3), (4)".to_owned(),
        "CREATE TABLE u (id INT PRIMARY KEY, v INT)".to_owned(),
        "INSERT INTO u VALUES (1, 1), (2, 2)".to_owned(),
    ];
    feed.up.all(&statements.iter().map(String::as_str).collect::<Vec<_>>()).await.unwrap();
    apply_upto(feed.catch_up(&rig).await);
    let more = [
        "UPDATE t SET s = 'two', d = NULL WHERE id = 2",
        "UPDATE t SET id = 5 WHERE id = 4",
        "DELETE FROM t WHERE id = 3",
        "ALTER TABLE u ADD COLUMN w INT DEFAULT 5",
        "INSERT INTO u VALUES (3, 3, 7)",
        "ALTER TABLE u DROP COLUMN v",
        "INSERT INTO u VALUES (6, 6)",
    ];
    feed.up.all(&more).await.unwrap();
    for batch in 0..3 {
        let rows: Vec<String> = (0..300).map(|i| format!("({}, {i})", 1000 + batch * 300 + i)).collect();
        feed.up.run(&format!("INSERT INTO u VALUES {}", rows.join(","))).await.unwrap();
    }
    apply_upto(feed.catch_up(&rig).await);
    let found = compare(&rig.upstream.url(), &down.url(), &[&name]).await.unwrap();
    assert!(found.differences.is_empty(), "{protocol}: {}", found.differences.join("\n"));
    assert!(found.rows >= 906, "{protocol}: {found:?}");
    let again = consume(&["--to", &down.url()]);
    assert!(again.err.contains("0 rows and 0 statements"), "{protocol}: {}", again.err);
    let printed = consume(&[]);
    assert!(printed.out.lines().count() >= 915, "{protocol}: {}", printed.out.lines().count());
    println!("{protocol}: {} tables, {} rows equal", found.tables, found.rows);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_is_made_of_a_topic_alone() {
    check("canal-json", "enable-tidb-extension=true", "none", u64::MAX).await;
    check("open-protocol", "max-batch-size=7", "lz4", u64::MAX).await;
    check("simple", "compression=lz4", "snappy", u64::MAX).await;
    check("debezium", "enable-tidb-extension=true", "none", i64::MAX as u64).await;
    let registry = SchemaRegistry::start().unwrap();
    let avro = format!("enable-tidb-extension=true&avro-enable-watermark=true&schema-registry={}", registry.url());
    check("avro", &avro, "none", u64::MAX).await;
}

/// What stands in front of a registry does to those who ask for a schema.
#[derive(Clone, Copy)]
enum Front {
    /// Sends them away the first time.
    Busy,
    /// Knows no schema.
    Empty,
}

/// Something in front of a registry, and how often it sent somebody away.
async fn front(registry: &str, what: Front) -> (String, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let path = registry.splitn(4, '/').nth(3).unwrap();
    let url = format!("http://{address}/{path}");
    let (sent_away, behind) = (Arc::new(AtomicU32::new(0)), registry.replace(&format!("/{path}"), ""));
    let count = Arc::clone(&sent_away);
    tokio::spawn(async move {
        let mut seen = BTreeSet::new();
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(socket.read_u8().await.unwrap());
            }
            let path = String::from_utf8(head).unwrap().split(' ').nth(1).unwrap().to_owned();
            let (status, body) = match what {
                Front::Empty => ("404 Not Found", "{\"error_code\":40403}".to_owned()),
                Front::Busy if seen.insert(path.clone()) => ("503 Service Unavailable", "later".to_owned()),
                Front::Busy => {
                    let answer = reqwest::get(format!("{behind}{path}")).await.unwrap();
                    ("200 OK", answer.error_for_status().unwrap().text().await.unwrap())
                }
            };
            if !status.starts_with("200") {
                count.fetch_add(1, SeqCst);
            }
            let length = body.len();
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
            socket.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (url, sent_away)
}

/// A table in a topic without statements and watermarks: downstream it is there.
async fn check_rows(protocol: &str, params: &str, registry: &str, greatest: u64) {
    let rig: Arc<Rig> = Rig::shared();
    let down = MariaDb::shared().unwrap();
    let name = format!("r_{}", protocol.replace('-', "_"));
    let by_key = json!({"sink": {"dispatchers": [{"matcher": ["*.*"], "partition": "index-value"}]}});
    let with = |registry: &str| format!("protocol={protocol}&{params}&schema-registry={registry}");
    let mut feed = rig.feed(&name, &with(registry), by_key).await;
    let create = format!("CREATE TABLE t ({COLUMNS})");
    let mut sql = Sql::connect(&down.url()).await.unwrap();
    sql.all(&[&format!("CREATE DATABASE {name}"), &format!("USE {name}"), &create]).await.unwrap();
    let rows = format!("INSERT INTO t VALUES ({greatest}, 12.3400, {VALUES}), (2, -0.0001, {VALUES})");
    let rest = [
        "INSERT INTO t (id) VALUES (3), (4), (9)",
        "UPDATE t SET s = 'two', d = NULL WHERE id = 2",
        "UPDATE t SET id = 5 WHERE id = 4",
        "DELETE FROM t WHERE id = 3",
    ];
    feed.up.all(&[&create, &rows]).await.unwrap();
    feed.up.all(&rest).await.unwrap();
    feed.catch_up(&rig).await;
    let consume = |registry: &str, more: &[&str]| {
        let uri = format!("kafka://{}/{name}?{}", rig.kafka.address(), with(registry));
        Ended::of(&[&["consume", &uri], more].concat()).unwrap()
    };
    let (empty, _) = front(registry, Front::Empty).await;
    let refused = consume(&empty, &["--to", &down.url()]);
    assert_eq!(refused.code, Some(1), "{protocol}: {}", refused.err);
    assert!(refused.err.contains("TG-8208") && refused.err.contains(&format!("topic {name}")), "{}", refused.err);
    // What was read when the registry was busy is not lost.
    let (busy, sent_away) = front(registry, Front::Busy).await;
    let applied = consume(&busy, &["--to", &down.url()]);
    assert_eq!(applied.code, Some(0), "{protocol}: {}", applied.err);
    assert!(sent_away.load(SeqCst) >= 2, "a schema of keys and one of values");
    let found = compare(&rig.upstream.url(), &down.url(), &[&name]).await.unwrap();
    assert!(found.differences.is_empty(), "{protocol}: {}", found.differences.join("\n"));
    assert_eq!(found.rows, 4, "{protocol}: {found:?}");
    let again = consume(registry, &["--to", &down.url()]);
    assert!(again.err.contains("0 rows and 0 statements"), "{protocol}: {}", again.err);
    let printed = consume(registry, &[]);
    let lines = |kind: &str| printed.out.lines().filter(|l| l.contains(&format!("\"type\":\"{kind}\""))).count();
    assert_eq!(lines("delete"), 2, "{protocol}: {}", printed.out);
    assert_eq!(lines("insert") + lines("update"), 7, "{protocol}: {}", printed.out);
    println!("{protocol}: {} rows equal, {} times sent away", found.rows, sent_away.load(SeqCst));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn avro_rows_are_applied_with_the_schemas_of_their_registry() {
    let registry = SchemaRegistry::start().unwrap();
    check_rows("avro", "partition-num=3", &registry.url(), u64::MAX).await;
    check_rows("debezium-avro", "partition-num=3", &registry.url(), i64::MAX as u64).await;
}
