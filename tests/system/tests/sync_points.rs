//! Sync points with TiDB on both sides: read as of the two timestamps of a pair, both hold the same rows.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::json;
use std::time::{Duration, Instant};
use tg_testkit::{Rig, Sql, Tidegate, UpstreamTidb};

/// Shortest interval that may be asked for.
const EVERY: Duration = Duration::from_secs(30);
const PAIRS: usize = 2;
const ACCOUNTS: u64 = 40;
const BALANCE: u64 = 100;

/// One transfer over two tables, with a line in the journal.
async fn transfer(up: &mut Sql, n: u64) {
    let (from, to) = (n % ACCOUNTS, n * 7 % ACCOUNTS);
    up.all(&[
        "BEGIN PESSIMISTIC",
        &format!("UPDATE accounts SET balance = balance - 3 WHERE id = {from}"),
        &format!("UPDATE others SET balance = balance + 3 WHERE id = {to}"),
        &format!("INSERT INTO journal VALUES ({n}, {from}, {to})"),
        "COMMIT",
    ])
    .await
    .unwrap();
}

/// What a side held at a moment: the sum of all balances, lines of the journal, and a checksum over every row.
async fn at(sql: &mut Sql, ts: &str) -> (u64, u64, String) {
    sql.run(&format!("SET @@tidb_snapshot = {ts}")).await.unwrap();
    let found = sql
        .one(
            "SELECT CAST((SELECT SUM(balance) FROM bank.accounts) + (SELECT SUM(balance) FROM bank.others) AS UNSIGNED), \
             (SELECT COUNT(*) FROM bank.journal), CONCAT_WS('/', \
             (SELECT SUM(CRC32(CONCAT_WS(',', id, balance))) FROM bank.accounts), \
             (SELECT SUM(CRC32(CONCAT_WS(',', id, balance))) FROM bank.others), \
             (SELECT SUM(CRC32(CONCAT_WS(',', entry, a, b))) FROM bank.journal))",
        )
        .await
        .unwrap();
    sql.run("SET @@tidb_snapshot = ''").await.unwrap();
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_sides_hold_the_same_at_each_pair() {
    let folder = tempfile::tempdir().unwrap();
    let (upstream, downstream) = (UpstreamTidb::start().unwrap(), UpstreamTidb::start().unwrap());
    let mut tidegate = Tidegate::start(&upstream.pd(), folder.path()).unwrap();
    let (mut up, mut down) =
        (Sql::connect(&upstream.url()).await.unwrap(), Sql::connect(&downstream.url()).await.unwrap());
    let start = up.now_ts().await.unwrap();
    up.run("CREATE DATABASE bank").await.unwrap();
    up.run("USE bank").await.unwrap();
    for table in ["accounts", "others"] {
        up.run(&format!("CREATE TABLE {table} (id INT PRIMARY KEY, balance BIGINT)")).await.unwrap();
        let rows: Vec<String> = (0..ACCOUNTS).map(|id| format!("({id}, {BALANCE})")).collect();
        up.run(&format!("INSERT INTO {table} VALUES {}", rows.join(","))).await.unwrap();
    }
    up.run("CREATE TABLE journal (entry BIGINT PRIMARY KEY, a INT, b INT)").await.unwrap();
    let sink = downstream.url().replace("mysql://", "tidb://");
    let config = json!({
        "enable_sync_point": true,
        "sync_point_interval": u64::try_from(EVERY.as_nanos()).unwrap(),
        "filter": {"rules": ["bank.*"]},
    });
    let body = json!({"changefeed_id": "bank", "start_ts": start, "sink_uri": sink, "replica_config": config});
    tidegate.api().create(&body).await.unwrap_or_else(|e| panic!("{e:#}\n{}", tidegate.log_tail()));

    let (begin, mut n, mut killed, mut pairs) = (Instant::now(), 0, false, Vec::<(String, String)>::new());
    while pairs.len() < PAIRS {
        assert!(begin.elapsed() < EVERY * (PAIRS as u32 + 2), "{pairs:?}\n{}", tidegate.log_tail());
        for _ in 0..20 {
            transfer(&mut up, n).await;
            n += 1;
        }
        if let Ok(found) =
            down.rows("SELECT primary_ts, secondary_ts FROM tidb_cdc.syncpoint_v1 ORDER BY primary_ts + 0").await
        {
            pairs = found;
        }
        if pairs.len() == 1 && !killed {
            killed = true;
            tidegate.kill9();
            tidegate.restart().unwrap();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let mut lines = 0;
    for (primary, secondary) in &pairs {
        let (here, there) = (at(&mut up, primary).await, at(&mut down, secondary).await);
        assert_eq!(here, there, "at {primary} upstream, {secondary} downstream");
        assert_eq!(here.0, 2 * ACCOUNTS * BALANCE, "no transfer is there by half");
        assert!(here.1 > lines || primary == &pairs[0].0, "the bank was at work between them");
        lines = here.1;
        assert_eq!((primary.parse::<u64>().unwrap() >> 18) % EVERY.as_millis() as u64, 0, "a multiple of the interval");
    }
    let external: String = down.one("SELECT CAST(@@GLOBAL.tidb_external_ts AS CHAR)").await.unwrap();
    assert_eq!(Some(&external), pairs.last().map(|p| &p.1), "sessions can be told to read there");
    println!("sync points: {pairs:?} hold the same, {lines} transfers at the last, killed once between them");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_tidb_can_be_read_in_the_past() {
    let rig = Rig::start().unwrap();
    let config = rig.tidegate.data().with_extension("toml");
    std::fs::write(&config, "enable-sync-point = true\n").unwrap();
    let config = config.display().to_string();
    for (sink, says) in [(rig.sink_uri(), "MariaDB"), ("kafka://127.0.0.1:1/t?protocol=canal-json".into(), "kafka")] {
        let create = ["changefeed", "create", "--no-confirm", "--sink-uri", &sink, "--config", &config];
        let refused = rig.tidegate.command(&create).unwrap();
        assert!(refused.code != Some(0), "{sink}: {refused:?}");
        for part in ["enable-sync-point", says, "TG-"] {
            assert!(refused.err.contains(part), "{sink}: {part} is not in {refused:?}");
        }
    }
}
