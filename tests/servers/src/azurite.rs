//! Azure Blob Storage: Microsoft's emulator, Azurite.

use crate::cache::{fetched, run};
use crate::wait::{spawn, until_ready};
use anyhow::{Context, ensure};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tg_scratch_mariadb::{Process, free_port};

const VERSION: &str = "3.37.0";
/// The account the emulator has.
pub const AZURE_ACCOUNT: &str = "tidegate";
/// Its key.
pub const AZURE_KEY: &str = "dGlkZWdhdGUtdGVzdC1henVyZS1hY2NvdW50LWtleSE=";
/// How long it may take to write down what it has.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);
/// Between two looks whether it has ended.
const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// Signs the request that makes a container.
const CONTAINER_SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/azurite-container.js");

/// An emulator on 127.0.0.1. Stopped, and its folder removed, when dropped.
#[derive(Debug)]
pub struct Azurite {
    // In this order: the process ends before its folder goes.
    process: Process,
    folder: TempDir,
    port: u16,
}

impl Azurite {
    /// Starts an emulator with one empty container; returns when it is there.
    ///
    /// # Errors
    /// When Node or npm is missing, or it does not come up.
    pub fn start(container: &str) -> anyhow::Result<Self> {
        let folder = TempDir::with_prefix("tidegate-azurite-")?;
        let port = free_port()?;
        let process = start(folder.path(), port)?;
        let mut azurite = Self { process, folder, port };
        azurite.wait()?;
        let mut node = Command::new("node");
        node.arg(CONTAINER_SCRIPT).args([&port.to_string(), AZURE_ACCOUNT, AZURE_KEY, container]);
        run(&mut node, "Node 20 (Debian's package nodejs)")?;
        Ok(azurite)
    }

    /// URL of the account; the container is the next part of the path.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/{AZURE_ACCOUNT}", self.port)
    }

    /// Ends the emulator (SIGTERM), which then writes down what it has; its data stays. What a SIGKILL ended would have forgotten the
    /// last seconds, as no store may.
    ///
    /// # Errors
    /// When it cannot be told to end, or does not.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        run(Command::new("kill").arg(self.process.id().to_string()), "procps")?;
        let deadline = Instant::now() + STOP_TIMEOUT;
        while self.process.is_running() {
            ensure!(Instant::now() < deadline, "the emulator does not end");
            std::thread::sleep(POLL_INTERVAL);
        }
        Ok(())
    }

    /// Starts a stopped emulator again on the same data and port.
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
    let home = fetched(&format!("azurite-{VERSION}"), install)?;
    let mut command = Command::new("node");
    command
        .arg(home.join("node_modules/azurite/dist/src/blob/main.js"))
        .args(["--blobHost", "127.0.0.1", "--blobPort", &port.to_string()])
        .args(["--silent", "--disableTelemetry", "--skipApiVersionCheck", "--location"])
        .arg(folder.join("data"))
        .env("AZURITE_ACCOUNTS", format!("{AZURE_ACCOUNT}:{AZURE_KEY}"))
        .current_dir(folder);
    spawn(&mut command, &folder.join("server.log")).context("running `node`: install Debian's package nodejs")
}

fn install(folder: &Path) -> anyhow::Result<()> {
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-audit", "--no-fund", "--silent", "--ignore-scripts", "--prefix"])
        .arg(folder)
        .arg(format!("azurite@{VERSION}"))
        .current_dir(folder);
    run(&mut npm, "npm (Debian's package npm)")
}

#[cfg(test)]
mod tests {
    use super::Azurite;
    use crate::http;

    #[test]
    fn keeps_its_container_and_refuses_who_does_not_sign() {
        let mut azurite = Azurite::start("changes").unwrap();
        let list = "/tidegate/changes?restype=container&comp=list";
        let asked = |azurite: &Azurite| http::get(azurite.port, list).unwrap();
        assert!(asked(&azurite).starts_with("HTTP/1.1 403"), "{}", asked(&azurite));
        azurite.stop().unwrap();
        assert_eq!(http::get(azurite.port, list), None);
        azurite.restart().unwrap();
        assert!(asked(&azurite).starts_with("HTTP/1.1 403"), "{}", asked(&azurite));
    }
}
