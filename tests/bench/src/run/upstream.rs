//! The upstream's process: a playground that sends rows on a word, as fast as they are read, at a rate, or as one transaction.

use super::child::{Args, heard, say};
use std::time::Duration;
use tg_playground::encode::Value;
use tg_playground::{Playground, PlaygroundConfig, TableSpec};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

/// Regions of a table. One: the encoded feed holds the resolved timestamp of one region back.
const REGIONS: u32 = 1;
/// Pause of the paced sender.
const PACE: Duration = Duration::from_millis(5);
/// Rows of a paced transaction.
const PACED_TXN_ROWS: u64 = 20;
/// A paced sender waits while this much is unread: what it sends is then what the product takes.
const PACED_BACKLOG_BYTES: usize = 16 << 20;
/// Pause between resolved timestamps when nothing changes: what TiKV does unless told otherwise.
const IDLE_RESOLVED_MS: u64 = 1_000;

/// Runs until the input closes.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(serve(args))
}

async fn serve(args: &Args) -> anyhow::Result<()> {
    let (rows, row_bytes): (u64, usize) = (args.get("rows")?, args.get("row_bytes")?);
    let mode: String = args.get("mode")?;
    let mut config = PlaygroundConfig { regions_per_table: REGIONS, ..PlaygroundConfig::default() };
    if mode == "idle" {
        config.resolved_interval_ms = IDLE_RESOLVED_MS;
        config.regions_max = usize::MAX;
    }
    let playground = Playground::start(config).await?;
    let start = playground.tso.next();
    let ready = Args::default().with("pd", playground.pd_endpoint()).with("start", start);
    match mode.as_str() {
        "burst" => {
            let feed = playground.bench_feed(rows as i64, row_bytes)?;
            let table = playground.table("bench", "feed")?.id;
            say("ready", &ready.with("table", table).with("target", playground.tso.next()))?;
            if heard().await? {
                feed.send().await;
            }
        }
        "txn" => one_transaction(&playground, ready, rows, row_bytes).await?,
        "paced" => paced(&playground, ready, args, row_bytes).await?,
        "idle" => idle(&playground, ready, args.get("tables")?).await?,
        other => anyhow::bail!("no mode {other:?}"),
    }
    while heard().await? {}
    playground.shutdown().await;
    Ok(())
}

fn make_table(playground: &Playground, row_bytes: usize) -> anyhow::Result<i64> {
    playground.create_schema("bench")?;
    let v = format!("varchar({row_bytes})");
    playground
        .create_table(&TableSpec::new("bench", "feed").column("id", "bigint").column("v", &v).primary_key(&["id"]))?;
    Ok(playground.table("bench", "feed")?.id)
}

/// All rows in one transaction.
async fn one_transaction(p: &Playground, ready: Args, rows: u64, row_bytes: usize) -> anyhow::Result<()> {
    let table = make_table(p, row_bytes)?;
    say("ready", &ready.with("table", table).with("target", 0))?;
    heard().await?;
    let mut txn = p.begin();
    let def = p.table("bench", "feed")?;
    for id in 0..rows {
        txn.put_row(&def, &[Value::Int(id as i64), Value::from("x".repeat(row_bytes))])?;
    }
    let commit = txn.commit()?;
    say("sent", &Args::default().with("target", commit))
}

/// Transactions at a rate, until the input closes.
async fn paced(p: &Playground, ready: Args, args: &Args, row_bytes: usize) -> anyhow::Result<()> {
    let (rate, seconds): (u64, u64) = (args.get("rate")?, args.get("seconds")?);
    let table = make_table(p, row_bytes)?;
    say("ready", &ready.with("table", table).with("target", 0))?;
    heard().await?;
    let def = p.table("bench", "feed")?;
    let begin = Instant::now();
    let mut ticks = interval(PACE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let (mut id, value) = (0, Value::from("x".repeat(row_bytes)));
    let lasts = Duration::from_secs(seconds);
    while begin.elapsed() < lasts {
        ticks.tick().await;
        let due = (begin.elapsed().as_secs_f64() * rate as f64) as u64;
        while id < due && begin.elapsed() < lasts {
            p.backlog_below(PACED_BACKLOG_BYTES).await;
            let mut txn = p.blind();
            for _ in 0..PACED_TXN_ROWS {
                txn.put_row(&def, &[Value::Int(id as i64), value.clone()])?;
                id += 1;
            }
            txn.commit()?;
        }
    }
    say("sent", &Args::default().with("target", p.tso.next()).with("rows", id))
}

/// Tables without a change.
async fn idle(p: &Playground, ready: Args, tables: u64) -> anyhow::Result<()> {
    p.create_schema("bench")?;
    for n in 0..tables {
        let name = format!("t{n}");
        p.create_table(&TableSpec::new("bench", &name).column("id", "bigint").primary_key(&["id"]))?;
        if n % 64 == 0 {
            sleep(Duration::ZERO).await;
        }
    }
    say("ready", &ready.with("table", 0).with("target", p.tso.next()))
}
