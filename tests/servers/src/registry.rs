//! A schema registry with Confluent's API: Apicurio Registry, in memory.

use crate::cache::{fetched, run};
use crate::http;
use crate::wait::{spawn, until_ready};
use anyhow::Context;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;
use tg_scratch_mariadb::{Process, free_port};

const VERSION: &str = "3.0.9";
/// Path of the API that speaks as Confluent's registry does.
const API: &str = "/apis/ccompat/v7";

/// A registry on 127.0.0.1. Stopped when dropped; it keeps nothing.
#[derive(Debug)]
pub struct SchemaRegistry {
    _process: Process,
    _folder: TempDir,
    port: u16,
}

impl SchemaRegistry {
    /// Starts a registry; returns when it answers.
    ///
    /// # Errors
    /// When Java or Maven is missing, or it does not come up.
    pub fn start() -> anyhow::Result<Self> {
        let home = fetched(&format!("apicurio-{VERSION}"), unpack)?;
        let folder = TempDir::with_prefix("tidegate-registry-")?;
        let port = free_port()?;
        let mut command = Command::new("java");
        command
            .args(["-Xms96m", "-Xmx320m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
            .args(["-Dquarkus.http.host=127.0.0.1", &format!("-Dquarkus.http.port={port}")])
            .arg(format!("-Djava.io.tmpdir={}", folder.path().display()))
            .arg("-jar")
            .arg(home.join(format!("apicurio-registry-app-{VERSION}-runner.jar")))
            .current_dir(folder.path());
        let log = folder.path().join("server.log");
        let mut process =
            spawn(&mut command, &log).context("running `java`: install Debian's package openjdk-17-jre-headless")?;
        until_ready(&mut process, &log, || {
            http::get(port, &format!("{API}/subjects")).is_some_and(|a| a.starts_with("HTTP/1.1 200"))
        })?;
        Ok(Self { _process: process, _folder: folder, port })
    }

    /// URL of the API that speaks as Confluent's registry does.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}{API}", self.port)
    }
}

fn unpack(folder: &Path) -> anyhow::Result<()> {
    let download = TempDir::with_prefix("tidegate-maven-")?;
    let mut maven = Command::new("mvn");
    maven
        .args(["-q", "-B", "dependency:copy"])
        .arg(format!("-Dartifact=io.apicurio:apicurio-registry-app:{VERSION}:tar.gz:all"))
        .arg(format!("-DoutputDirectory={}", download.path().display()))
        .current_dir(download.path());
    run(&mut maven, "Maven (Debian's package maven)")?;
    let archive = download.path().join(format!("apicurio-registry-app-{VERSION}-all.tar.gz"));
    run(Command::new("tar").arg("xzf").arg(archive).arg("-C").arg(folder), "tar")
}

#[cfg(test)]
mod tests {
    use super::SchemaRegistry;
    use crate::http;

    #[test]
    fn answers_as_confluents_does() {
        let registry = SchemaRegistry::start().unwrap();
        let path = registry.url().split_once(&registry.port.to_string()).unwrap().1.to_owned();
        let answer = http::get(registry.port, &format!("{path}/subjects")).unwrap();
        assert!(answer.ends_with("[]"), "{answer}");
    }
}
