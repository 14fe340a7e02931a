//! Where files go: a folder, a bucket of a real S3 server, or a store elsewhere.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tg_test_servers::{S3, S3_ACCESS_KEY, S3_SECRET_KEY};
use tg_testkit::{CATCH_UP, Ended};

const BUCKET: &str = "changes";
const PREFIX: &str = "some/prefix";
/// Between two looks at the checkpoint.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

pub(crate) struct Place {
    folder: TempDir,
    s3: Option<S3>,
    /// Neither on this disk nor in that server.
    elsewhere: Option<String>,
    params: &'static str,
    /// The options that files were written with, for whoever reads them.
    config: PathBuf,
}

impl Place {
    pub(crate) fn folder(params: &'static str, config: &str) -> Self {
        Self::new(None, params, config)
    }

    pub(crate) fn s3(params: &'static str, config: &str) -> Self {
        Self::new(Some(S3::start(BUCKET).unwrap()), params, config)
    }

    /// In a store of which only the product knows what lies there. `uri` has parameters.
    pub(crate) fn elsewhere(uri: String, params: &'static str, config: &str) -> Self {
        Self { elsewhere: Some(uri), ..Self::new(None, params, config) }
    }

    fn new(s3: Option<S3>, params: &'static str, config: &str) -> Self {
        let folder = TempDir::with_prefix("tidegate-files-").unwrap();
        let file = folder.path().join("changefeed.toml");
        std::fs::write(&file, config).unwrap();
        Self { folder, s3, elsewhere: None, params, config: file }
    }

    pub(crate) fn uri(&self) -> String {
        let params = self.params;
        if let Some(uri) = &self.elsewhere {
            return format!("{uri}&{params}");
        }
        match &self.s3 {
            None => format!("file://{}?{params}", self.root().display()),
            Some(s3) => format!(
                "s3://{BUCKET}/{PREFIX}?endpoint={}&access-key={S3_ACCESS_KEY}&secret-access-key={S3_SECRET_KEY}&{params}",
                s3.url()
            ),
        }
    }

    /// The files as they lie on this machine's disk.
    pub(crate) fn root(&self) -> PathBuf {
        match &self.s3 {
            None => self.folder.path().join("files"),
            Some(s3) => s3.folder().join(BUCKET).join(PREFIX),
        }
    }

    pub(crate) fn server(&mut self) -> Option<&mut S3> {
        self.s3.as_mut()
    }

    /// Every file by its path below the root.
    pub(crate) fn files(&self) -> BTreeMap<String, PathBuf> {
        let (mut found, mut folders) = (BTreeMap::new(), vec![self.root()]);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    found.insert(self.below(&path), path);
                }
            }
        }
        found
    }

    fn below(&self, path: &Path) -> String {
        path.strip_prefix(self.root()).unwrap().to_string_lossy().into_owned()
    }

    fn checkpoint(&self) -> Option<u64> {
        let text = std::fs::read_to_string(self.root().join("metadata")).ok()?;
        serde_json::from_str::<serde_json::Value>(&text).ok()?["checkpoint-ts"].as_u64()
    }

    pub(crate) async fn wait_checkpoint(&self, ts: u64, why: impl Fn() -> String) {
        let deadline = Instant::now() + CATCH_UP;
        while self.checkpoint().is_none_or(|now| now < ts) {
            assert!(Instant::now() < deadline, "the checkpoint is {:?}, wanted {ts}\n{}", self.checkpoint(), why());
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// Applies what is there to a database.
    pub(crate) fn consume(&self, to: &str) {
        let ended = self.run(&["--to", to]);
        assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
    }

    /// Applies what is there to a database until everything up to `ts` is.
    pub(crate) async fn consume_until(&self, ts: u64, to: &str, why: impl Fn() -> String) {
        let deadline = Instant::now() + CATCH_UP;
        loop {
            let ended = self.run(&["--to", to]);
            let up_to = ended.err.trim().rsplit(' ').next().and_then(|t| t.parse::<u64>().ok());
            if ended.code == Some(0) && up_to.is_some_and(|now| now >= ts) {
                return;
            }
            assert!(Instant::now() < deadline, "wanted {ts}\n{}{}\n{}", ended.out, ended.err, why());
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    pub(crate) fn run(&self, more: &[&str]) -> Ended {
        let (uri, config) = (self.uri(), self.config.display().to_string());
        Ended::of(&[&["consume", &uri, "--config", &config], more].concat()).unwrap()
    }
}
