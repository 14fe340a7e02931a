//! `tidegate consume` of a topic: a database that is read from it alone is equal to the source.

use crate::support::Rig;
use serde_json::json;
use std::sync::Arc;
use std::time::Instant;
use tg_testkit::{CATCH_UP, Ended, MariaDb, compare};

const COLUMNS: &str = "id BIGINT UNSIGNED PRIMARY KEY, d DECIMAL(20,4), f DOUBLE, b VARBINARY(20), s VARCHAR(40), j JSON, \
                       t DATETIME(3), e ENUM('a','b'), m SET('x','y'), y YEAR, bits BIT(9), day DATE, clock TIME(2)";

/// `greatest`: the greatest BIGINT UNSIGNED that the format keeps.
async fn check(protocol: &str, params: &str, greatest: u64) {
    let rig: Arc<Rig> = Rig::shared();
    let down = MariaDb::shared().unwrap();
    let name = format!("c_{}", protocol.replace('-', "_"));
    let by_key = json!({"sink": {"dispatchers": [{"matcher": ["*.*"], "partition": "index-value"}]}});
    let params = format!("protocol={protocol}&{params}");
    let mut feed = rig.feed(&name, &params, by_key).await;
    let consume = |more: &[&str]| {
        let uri = format!("kafka://{}/{name}?{params}", rig.kafka.address());
        let ended = Ended::of(&[&["consume", &uri], more].concat()).unwrap();
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
    let all = "1.5, X'00ff', 'dröi \"x\"', '{\"k\": [1, 2.5]}', '2026-11-29 01:02:03.456', 'b', 'x,y', 2026, b'101', \
               '2026-11-29', '-12:34:56.78'";
    let statements = [
        format!("CREATE TABLE t ({COLUMNS})"),
        format!("INSERT INTO t VALUES ({greatest}, 12.3400, {all}), (2, -0.0001, {all})"),
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
    check("canal-json", "enable-tidb-extension=true", u64::MAX).await;
    check("open-protocol", "max-batch-size=7", u64::MAX).await;
    check("simple", "compression=lz4", u64::MAX).await;
    check("debezium", "enable-tidb-extension=true", i64::MAX as u64).await;
}
