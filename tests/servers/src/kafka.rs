//! Apache Kafka: one node, broker and controller.

use crate::cache::{fetched, run};
use crate::kafka_config::{CLUSTER_ID, server_properties};
use crate::wait::{spawn, until_ready};
use anyhow::Context;
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;
use tg_scratch_mariadb::{Process, free_port};

/// Names the cache's folder; to be changed with the versions in `kafka-pom.xml`.
const FOLDER: &str = "kafka-4.3.1";
const POM: &str = include_str!("../kafka-pom.xml");
/// A small heap and a cheap compiler: the broker shares two cores with what is tested.
const JVM: [&str; 5] = ["-Xms128m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"];
/// What the broker says when it takes requests.
const READY: &str = "Kafka Server started";

/// Lines of `server.properties` to add or replace.
pub type KafkaOptions = Vec<(String, String)>;

/// A broker on 127.0.0.1. Stopped, and its folder removed, when dropped.
#[derive(Debug)]
pub struct Kafka {
    // In this order: the process ends before its folder goes.
    process: Process,
    folder: TempDir,
    port: u16,
    class_path: String,
}

impl Kafka {
    /// Starts a broker that makes topics on demand with three partitions; returns when it takes requests.
    ///
    /// # Errors
    /// When Java or Maven is missing, or the broker does not come up.
    pub fn start() -> anyhow::Result<Self> {
        Self::start_with(&Vec::new())
    }

    /// As [`Kafka::start`], with other properties. `{port}` and `{controller}` in a value stand for the ports.
    ///
    /// # Errors
    /// As [`Kafka::start`].
    pub fn start_with(options: &KafkaOptions) -> anyhow::Result<Self> {
        let class_path = class_path()?;
        let folder = TempDir::with_prefix("tidegate-kafka-")?;
        let (port, controller) = (free_port()?, free_port()?);
        let fill = |v: &str| v.replace("{port}", &port.to_string()).replace("{controller}", &controller.to_string());
        let options: Vec<_> = options.iter().map(|(k, v)| (k.clone(), fill(v))).collect();
        let text = server_properties(&folder.path().join("data"), port, controller, &options);
        let properties = folder.path().join("server.properties");
        std::fs::write(&properties, text)?;
        let mut format = java(&class_path);
        format.args(["kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c"]).arg(&properties);
        run(&mut format, "Java 17 (Debian's package openjdk-17-jre-headless)")?;
        let process = start(&class_path, folder.path())?;
        let mut kafka = Self { process, folder, port, class_path };
        kafka.wait()?;
        Ok(kafka)
    }

    /// `127.0.0.1:port`
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Process id, for signals.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Kills the broker (SIGKILL); its data stays.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts a killed broker again on the same data and ports.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.process.kill();
        std::fs::remove_file(log(self.folder.path()))?;
        self.process = start(&self.class_path, self.folder.path())?;
        self.wait()
    }

    fn wait(&mut self) -> anyhow::Result<()> {
        let (log, port) = (log(self.folder.path()), self.port);
        until_ready(&mut self.process, &log, || {
            let said = || std::fs::read(&log).is_ok_and(|l| String::from_utf8_lossy(&l).contains(READY));
            said() && TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
        })
    }
}

fn log(folder: &Path) -> PathBuf {
    folder.join("server.log")
}

fn java(class_path: &str) -> Command {
    let mut command = Command::new("java");
    command.args(JVM).args(["-cp", class_path]);
    command
}

fn start(class_path: &str, folder: &Path) -> anyhow::Result<Process> {
    let mut command = java(class_path);
    command.arg("kafka.Kafka").arg(folder.join("server.properties")).current_dir(folder);
    spawn(&mut command, &log(folder)).context("running `java`: install Debian's package openjdk-17-jre-headless")
}

fn class_path() -> anyhow::Result<String> {
    let libs = fetched(FOLDER, |folder| {
        let project = TempDir::with_prefix("tidegate-maven-")?;
        std::fs::write(project.path().join("pom.xml"), POM)?;
        let mut maven = Command::new("mvn");
        maven
            .args(["-q", "-B", "dependency:copy-dependencies", "-DincludeScope=runtime"])
            .arg(format!("-DoutputDirectory={}", folder.display()))
            .current_dir(project.path());
        run(&mut maven, "Maven (Debian's package maven)")
    })?;
    Ok(format!("{}/*", libs.display()))
}

#[cfg(test)]
mod tests {
    use super::Kafka;
    use std::net::TcpStream;

    #[test]
    fn a_broker_survives_a_kill_and_leaves_nothing() {
        let mut kafka = Kafka::start().unwrap();
        let address = kafka.address();
        assert!(TcpStream::connect(&address).is_ok());
        kafka.kill();
        assert!(TcpStream::connect(&address).is_err());
        kafka.restart().unwrap();
        assert!(TcpStream::connect(&address).is_ok());
        let folder = kafka.folder.path().to_owned();
        drop(kafka);
        assert!(!folder.exists() && TcpStream::connect(&address).is_err());
    }
}
