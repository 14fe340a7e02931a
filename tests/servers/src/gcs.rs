//! Google Cloud Storage: an emulator on fake-gcs-server (`tests/servers/gcs`), for it takes no upload of the XML API by itself.

use crate::cache::{fetched, run};
use crate::http;
use crate::wait::{spawn, until_ready};
use anyhow::Context;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;
use tg_scratch_mariadb::{Process, free_port};

/// The emulator's sources. What was built of others is not used.
const SOURCES: [(&str, &str); 5] = [
    ("go.mod", include_str!("../gcs/go.mod")),
    ("go.sum", include_str!("../gcs/go.sum")),
    ("main.go", include_str!("../gcs/main.go")),
    ("parts.go", include_str!("../gcs/parts.go")),
    ("xml.go", include_str!("../gcs/xml.go")),
];

/// An emulator on 127.0.0.1. It asks nobody who they are. Stopped, and its folder removed, when dropped.
#[derive(Debug)]
pub struct Gcs {
    // In this order: the process ends before its folder goes.
    process: Process,
    folder: TempDir,
    bucket: String,
    port: u16,
}

impl Gcs {
    /// Starts an emulator with one empty bucket; returns when it answers.
    ///
    /// # Errors
    /// When Go is missing to build it, or it does not come up.
    pub fn start(bucket: &str) -> anyhow::Result<Self> {
        let folder = TempDir::with_prefix("tidegate-gcs-")?;
        let port = free_port()?;
        // As the clients' libraries take it for an emulator: nobody is asked for a token.
        let credentials =
            r#"{"type":"service_account","client_email":"","private_key":"","private_key_id":"","disable_oauth":true}"#;
        std::fs::write(folder.path().join("credentials.json"), credentials)?;
        let process = start(folder.path(), port, bucket)?;
        let mut gcs = Self { process, folder, bucket: bucket.to_owned(), port };
        gcs.wait()?;
        Ok(gcs)
    }

    /// URL of the emulator; the bucket is the first part of the path.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A file of credentials for it.
    #[must_use]
    pub fn credentials_file(&self) -> PathBuf {
        self.folder.path().join("credentials.json")
    }

    /// What is known of an object, as the JSON API tells it.
    #[must_use]
    pub fn told_of(&self, object: &str) -> Option<String> {
        let path = format!("/storage/v1/b/{}/o/{}?projection=full", self.bucket, object.replace('/', "%2F"));
        http::get(self.port, &path)
    }

    /// Kills the emulator (SIGKILL); its data stays.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts a killed emulator again on the same data and port.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.process.kill();
        self.process = start(self.folder.path(), self.port, &self.bucket)?;
        self.wait()
    }

    fn wait(&mut self) -> anyhow::Result<()> {
        let (log, port) = (self.folder.path().join("server.log"), self.port);
        until_ready(&mut self.process, &log, || {
            http::get(port, "/storage/v1/b").is_some_and(|a| a.starts_with("HTTP/1.1 200"))
        })
    }
}

fn start(folder: &Path, port: u16, bucket: &str) -> anyhow::Result<Process> {
    let program = fetched(&format!("gcs-{:016x}", digest()), build)?.join("gcs");
    let mut command = Command::new(program);
    command.arg(port.to_string()).arg(folder.join("data")).arg(bucket).current_dir(folder);
    spawn(&mut command, &folder.join("server.log")).context("running the emulator of GCS")
}

/// FNV-1a of the sources.
fn digest() -> u64 {
    let texts = SOURCES.iter().flat_map(|(name, text)| name.bytes().chain(text.bytes()));
    texts.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn build(folder: &Path) -> anyhow::Result<()> {
    let source = folder.join("source");
    std::fs::create_dir_all(&source)?;
    for (name, text) in SOURCES {
        std::fs::write(source.join(name), text)?;
    }
    let mut go = Command::new("go");
    go.args(["build", "-ldflags=-s -w", "-o"])
        .arg(folder.join("gcs"))
        .arg(".")
        .current_dir(&source)
        .envs([("CGO_ENABLED", "0"), ("GOFLAGS", "-buildvcs=false")]);
    run(&mut go, "Go 1.25 or newer")
}

#[cfg(test)]
mod tests {
    use super::Gcs;

    #[test]
    fn keeps_its_bucket() {
        let mut gcs = Gcs::start("changes").unwrap();
        assert!(gcs.told_of("none").unwrap().starts_with("HTTP/1.1 404"));
        gcs.kill();
        assert_eq!(gcs.told_of("none"), None);
        gcs.restart().unwrap();
        assert!(gcs.told_of("none").unwrap().starts_with("HTTP/1.1 404"));
    }
}
