//! An S3 gateway over a folder: Versity's.

use crate::cache::{fetched, run};
use crate::wait::{spawn, until_ready};
use anyhow::Context;
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;
use tg_scratch_mariadb::{Process, free_port};

const VERSION: &str = "v1.8.0";
/// The access key the gateway takes.
pub const S3_ACCESS_KEY: &str = "tidegate-test";
/// The secret key the gateway takes.
pub const S3_SECRET_KEY: &str = "tidegate-test-secret";

/// A gateway on 127.0.0.1. Stopped, and its folder removed, when dropped.
#[derive(Debug)]
pub struct S3 {
    // In this order: the process ends before its folder goes.
    process: Process,
    folder: TempDir,
    port: u16,
}

impl S3 {
    /// Starts a gateway with one empty bucket; returns when it takes connections.
    ///
    /// # Errors
    /// When Go is missing to build it, or it does not come up.
    pub fn start(bucket: &str) -> anyhow::Result<Self> {
        let folder = TempDir::with_prefix("tidegate-s3-")?;
        std::fs::create_dir_all(folder.path().join("data").join(bucket))?;
        std::fs::create_dir_all(folder.path().join("sidecar"))?;
        let port = free_port()?;
        let process = start(folder.path(), port)?;
        let mut s3 = Self { process, folder, port };
        s3.wait()?;
        Ok(s3)
    }

    /// URL of the gateway; the bucket is the first part of the path.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Where an object lies on this machine's disk.
    #[must_use]
    pub fn folder(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    /// Kills the gateway (SIGKILL); its data stays.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts a killed gateway again on the same data and port.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.process.kill();
        self.process = start(self.folder.path(), self.port)?;
        self.wait()
    }

    fn wait(&mut self) -> anyhow::Result<()> {
        let (log, port) = (self.folder.path().join("server.log"), self.port);
        until_ready(&mut self.process, &log, || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok())
    }
}

fn start(folder: &Path, port: u16) -> anyhow::Result<Process> {
    let program = fetched(&format!("versitygw-{VERSION}"), build)?.join("versitygw");
    let mut command = Command::new(program);
    command
        .envs([("ROOT_ACCESS_KEY", S3_ACCESS_KEY), ("ROOT_SECRET_KEY", S3_SECRET_KEY)])
        .args(["--port", &format!("127.0.0.1:{port}"), "posix", "--sidecar"])
        .arg(folder.join("sidecar"))
        .arg(folder.join("data"))
        .current_dir(folder);
    spawn(&mut command, &folder.join("server.log")).context("running versitygw")
}

fn build(folder: &Path) -> anyhow::Result<()> {
    let mut go = Command::new("go");
    go.args(["install", &format!("github.com/versity/versitygw/cmd/versitygw@{VERSION}")])
        .env("GOBIN", folder)
        .envs([("CGO_ENABLED", "0"), ("GOFLAGS", "-buildvcs=false")]);
    run(&mut go, "Go 1.25 or newer")
}

#[cfg(test)]
mod tests {
    use super::S3;
    use crate::http;

    #[test]
    fn refuses_who_does_not_sign() {
        let mut s3 = S3::start("bucket").unwrap();
        let answer = http::get(s3.port, "/bucket").unwrap();
        assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
        s3.restart().unwrap();
        assert!(http::get(s3.port, "/bucket").is_some());
        assert!(s3.folder().join("bucket").is_dir());
    }
}
