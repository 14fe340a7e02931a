//! A rig with plugins, and load on it.

use reqwest::Method;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tg_testkit::{Ended, Feed, Rig, Sql};
use tokio::task::JoinHandle;

/// Name of the pushed sink.
pub(crate) const SINK: &str = "shop-sink";
/// How long something may take that happens by itself.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
const WRITERS: u64 = 3;

/// A built-in component with a note at its end: another build that does the same.
pub(crate) fn build_of(name: &str, note: &str) -> Vec<u8> {
    let mut component = tg_builtin::by_name(name).unwrap().to_vec();
    let body = [&[4][..], b"note", note.as_bytes()].concat();
    // A custom section: id 0, its length (below 128: one byte), its name, its content.
    component.push(0);
    component.push(u8::try_from(body.len()).unwrap());
    component.extend(body);
    component
}

/// A rig whose commands are run by the binary.
pub(crate) struct Shop {
    pub(crate) rig: Rig,
    files: TempDir,
}

/// What a command said.
pub(crate) struct Said(Ended);

impl std::ops::Deref for Said {
    type Target = Ended;

    fn deref(&self) -> &Ended {
        &self.0
    }
}

impl Said {
    pub(crate) fn ok(self) {
        assert_eq!(self.code, Some(0), "{}{}", self.out, self.err);
    }

    pub(crate) fn json(self) -> Value {
        assert_eq!(self.code, Some(0), "{}{}", self.out, self.err);
        serde_json::from_str(&self.out).unwrap()
    }
}

impl Shop {
    pub(crate) fn new(rig: Rig) -> Self {
        Self { rig, files: TempDir::with_prefix("tidegate-plugins-").unwrap() }
    }

    pub(crate) fn run(&self, args: &[&str]) -> Said {
        Said(self.rig.tidegate.command(args).unwrap())
    }

    fn file(&self, name: &str, version: &str, component: &[u8]) -> String {
        let path: PathBuf = self.files.path().join(format!("{name}-{version}.wasm"));
        std::fs::write(&path, component).unwrap();
        path.display().to_string()
    }

    pub(crate) fn push(&self, name: &str, version: &str, component: &[u8], more: &[&str]) -> Said {
        let file = self.file(name, version, component);
        let json = if more.contains(&"--no-wait") { &["--json"][..] } else { &[] };
        self.run(&[&["plugin", "push", &file, "--name", name, "--version", version], more, json].concat())
    }

    /// A push whose server may die; how it ends does not matter.
    pub(crate) fn push_later(&self, name: &str, version: &str, component: &[u8]) -> JoinHandle<()> {
        let path = format!("/plugins?name={name}&version={version}&activate=true");
        let url = format!("{}{path}", self.rig.tidegate.api().base());
        let component = component.to_vec();
        tokio::spawn(async move {
            let _ = reqwest::Client::new().post(url).body(component).send().await;
        })
    }

    /// A changefeed with these options of ours, and without a key needed.
    pub(crate) async fn feed(&self, db: &str, own: Value) -> Feed {
        self.rig.feed(db, json!({ "force_replicate": true, "tidegate": own })).await.unwrap()
    }

    pub(crate) async fn update(&self, db: &str, own: Value) -> String {
        let config = json!({ "force_replicate": true, "filter": { "rules": [format!("{db}.*")] }, "tidegate": own });
        let body = json!({ "replica_config": config });
        let answer = self.rig.tidegate.api().call(Method::PUT, &format!("/changefeeds/{db}"), Some(&body)).await;
        answer.map_or_else(|e| format!("{e:#}"), |v| v.to_string())
    }

    pub(crate) fn drop_file(&self, name: &str, component: &[u8]) {
        let folder = self.rig.tidegate.data().join("plugins");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{name}.wasm")), component).unwrap();
    }

    /// The version a changefeed runs in a role.
    pub(crate) async fn version_of(&self, db: &str, role: &str) -> String {
        let path = format!("/tidegate/changefeeds/{db}/plugins");
        let plugins = self.rig.tidegate.api().call(Method::GET, &path, None).await.unwrap();
        let found = plugins["plugins"].as_array().unwrap().iter().find(|p| p["role"] == role).cloned();
        found.unwrap()["version"].as_str().unwrap().to_owned()
    }

    /// The version a name means.
    pub(crate) async fn active(&self, name: &str) -> String {
        let detail = self.rig.tidegate.api().call(Method::GET, &format!("/plugins/{name}"), None).await.unwrap();
        detail["version"]["version"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn until(&self, what: &str, is: impl AsyncFn() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is().await {
            assert!(Instant::now() < deadline, "{what}: not within {PATIENCE:?}\n{}", self.rig.tidegate.log_tail());
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }
}

/// Writers that go on until they are told to stop.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    written: Arc<AtomicU64>,
    writers: Vec<JoinHandle<()>>,
}

impl Load {
    pub(crate) async fn start(rig: &Rig, feed: &mut Feed, db: &str) -> Self {
        feed.up.run("CREATE TABLE accounts (id INT PRIMARY KEY, balance BIGINT)").await.unwrap();
        feed.up.run("CREATE TABLE journal (entry BIGINT, note VARCHAR(64))").await.unwrap();
        let rows: Vec<String> = (0..50).map(|id| format!("({id}, 0)")).collect();
        feed.up.run(&format!("INSERT INTO accounts VALUES {}", rows.join(","))).await.unwrap();
        feed.catch_up().await.unwrap();
        let (stop, written) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let work = |n| write(rig.upstream.url(), db.to_owned(), n, Arc::clone(&stop), Arc::clone(&written));
        let writers = (0..WRITERS).map(|n| tokio::spawn(work(n))).collect();
        Self { stop, written, writers }
    }

    /// Transactions written.
    pub(crate) async fn stop(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        for writer in self.writers {
            writer.await.unwrap();
        }
        self.written.load(Ordering::Relaxed)
    }
}

async fn write(url: String, db: String, writer: u64, stop: Arc<AtomicBool>, written: Arc<AtomicU64>) {
    let mut sql = Sql::connect(&url).await.unwrap();
    sql.run(&format!("USE {db}")).await.unwrap();
    for n in 0_u64.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let entry = n * WRITERS + writer;
        // A row of this writer's own, so that no transaction meets another.
        let row = (n * WRITERS + writer) % (50 / WRITERS * WRITERS);
        let statements = [
            "BEGIN".to_owned(),
            format!("UPDATE accounts SET balance = balance + 1 WHERE id = {row}"),
            format!("INSERT INTO journal VALUES ({entry}, 'writer {writer}')"),
            "COMMIT".to_owned(),
        ];
        let parts: Vec<&str> = statements.iter().map(String::as_str).collect();
        sql.all(&parts).await.unwrap();
        written.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
}
