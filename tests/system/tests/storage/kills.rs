//! The product and the store die at random moments, and in the end no row is missing or there twice.

use super::{Place, csv, feed, verify};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tg_testkit::{Rig, Sql};

/// How often the product is killed when `TIDEGATE_KILLS` does not say it.
const KILLS: u32 = 4;
const WRITERS: u64 = 3;
const CONFIG: &str = "[sink.csv]\ninclude-commit-ts = true\noutput-old-value = true\nbinary-encoding-method = 'hex'\n";

fn kills() -> u32 {
    std::env::var("TIDEGATE_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(KILLS)
}

/// Writes a line of the journal and moves a counter until told to stop.
async fn work(url: String, db: &'static str, writer: u64, stop: Arc<AtomicBool>, entries: Arc<AtomicU64>) {
    let mut rng = StdRng::seed_from_u64(writer);
    let mut sql = Sql::connect(&url).await.unwrap();
    sql.run(&format!("USE {db}")).await.unwrap();
    while !stop.load(Ordering::Relaxed) {
        let entry = entries.fetch_add(1, Ordering::Relaxed);
        let statements = [
            "BEGIN PESSIMISTIC".to_owned(),
            format!("UPDATE counters SET n = n + 1 WHERE id = {}", writer * 10 + rng.random_range(0..10)),
            format!("INSERT INTO journal VALUES ({entry}, {writer})"),
            "COMMIT".to_owned(),
        ];
        let parts: Vec<&str> = statements.iter().map(String::as_str).collect();
        sql.all(&parts).await.unwrap();
        tokio::time::sleep(Duration::from_millis(rng.random_range(0..6))).await;
    }
}

/// Lines of the journal in all files there are, whether an index names them or not: all, and different ones.
fn lines(db: &str, place: &Place) -> (usize, usize) {
    let mut entries = Vec::new();
    for (path, file) in place.files() {
        if path.starts_with(&format!("{db}/journal/")) && path.ends_with(".csv") {
            let text = std::fs::read_to_string(file).unwrap();
            entries.extend(text.lines().map(|line| line.split(',').nth(5).unwrap().to_owned()));
        }
    }
    (entries.len(), entries.iter().collect::<BTreeSet<_>>().len())
}

async fn exactly_once(db: &'static str, mut place: Place) {
    let mut rig = Rig::start().unwrap();
    let mut up = feed(&rig, db, &place, &csv()).await;
    up.run("CREATE TABLE counters (id INT PRIMARY KEY, n BIGINT)").await.unwrap();
    let rows: Vec<String> = (0..WRITERS * 10).map(|id| format!("({id}, 0)")).collect();
    up.run(&format!("INSERT INTO counters VALUES {}", rows.join(","))).await.unwrap();
    up.run("CREATE TABLE journal (entry BIGINT, writer INT)").await.unwrap();
    let (stop, entries) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
    let start = |w| tokio::spawn(work(rig.upstream.url(), db, w, Arc::clone(&stop), Arc::clone(&entries)));
    let writers: Vec<_> = (0..WRITERS).map(start).collect();
    let mut rng = StdRng::seed_from_u64(20_261_129);
    for n in 0..kills() {
        tokio::time::sleep(Duration::from_millis(rng.random_range(300..1_500))).await;
        if let Some(server) = place.server().filter(|_| n % 2 == 1) {
            server.kill();
            tokio::time::sleep(Duration::from_millis(rng.random_range(0..400))).await;
            server.restart().unwrap();
        }
        rig.tidegate.kill9();
        if n % 3 == 2 {
            up.run(&format!("ALTER TABLE counters ADD COLUMN c{n} INT DEFAULT {n}")).await.unwrap();
        }
        rig.tidegate.restart().unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }
    let (_, rows) = verify(&rig, db, &place, &mut up).await;
    let written = entries.load(Ordering::Relaxed);
    let count = usize::try_from(written).unwrap();
    assert_eq!(lines(db, &place), (count, count), "each entry is in exactly one line of all files");
    println!("{db}: killed {} times, {written} transactions, {rows} rows equal, each line once", kills());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exactly_once_into_a_folder() {
    exactly_once("kills_folder", Place::folder("protocol=csv&flush-interval=200ms", CONFIG)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exactly_once_into_a_bucket() {
    exactly_once("kills_bucket", Place::s3("protocol=csv&flush-interval=200ms&file-size=4096", CONFIG)).await;
}
