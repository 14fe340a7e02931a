//! PostgreSQL, as Debian ships it.

use crate::wait::{spawn, until_ready};
use anyhow::{Context, ensure};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tg_scratch_mariadb::{Process, free_port};

/// Where the programs of each version are that no user has in `PATH`.
const PROGRAMS: &str = "/usr/lib/postgresql";
/// Users that the server runs as when it is root who starts it: it refuses root.
const USERS: [&str; 2] = ["postgres", "nobody"];
/// How long it may take to end before it is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);
/// Between two looks whether it has.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// A server on 127.0.0.1 with the superuser `postgres` and no password. Stopped, and its folder removed, when dropped.
#[derive(Debug)]
pub struct Postgres {
    // In this order: the process ends before its folder goes.
    process: Process,
    folder: TempDir,
    programs: PathBuf,
    port: u16,
    extra: Vec<String>,
}

static SHARED: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());

impl Postgres {
    /// Makes a data directory and starts a server in it; returns when it takes connections.
    ///
    /// # Errors
    /// When PostgreSQL is not installed or does not come up.
    pub fn start() -> anyhow::Result<Self> {
        Self::start_with(&[])
    }

    /// As [`Postgres::start`] with settings, `name=value`.
    ///
    /// # Errors
    /// As [`Postgres::start`].
    pub fn start_with(settings: &[&str]) -> anyhow::Result<Self> {
        let programs = programs()?;
        let folder = TempDir::with_prefix("tidegate-postgres-")?;
        if let Some((user, group)) = other_user()? {
            chown(folder.path(), Some(user), Some(group))?;
        }
        let mut init = as_other_user(&programs.join("initdb"))?;
        init.args([
            "--auth=trust",
            "--username=postgres",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
            "--pgdata",
        ]);
        let output = init.arg(folder.path().join("data")).current_dir(folder.path()).output()?;
        ensure!(output.status.success(), "initdb failed: {}", String::from_utf8_lossy(&output.stderr));
        let (port, extra): (u16, Vec<String>) = (free_port()?, settings.iter().map(|s| (*s).to_owned()).collect());
        let process = run(&programs, folder.path(), port, &extra)?;
        let mut server = Self { process, folder, programs, port, extra };
        server.wait()?;
        Ok(server)
    }

    /// The server all tests of this process share; it stops when the last of them lets it go.
    ///
    /// # Errors
    /// As [`Postgres::start`].
    pub fn shared() -> anyhow::Result<Arc<Self>> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = shared.upgrade() {
            return Ok(server);
        }
        let server = Arc::new(Self::start_with(&["max_connections=400"])?);
        *shared = Arc::downgrade(&server);
        Ok(server)
    }

    /// TCP port on 127.0.0.1.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// `postgres://postgres@127.0.0.1:port/postgres?sslmode=disable`
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres?sslmode=disable", self.port)
    }

    /// The folder that goes with the server, for files it is to read.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Ends the server at once, as a crash would; its data stays for [`Postgres::restart`].
    pub fn crash(&mut self) {
        // It ends its own children and gives back what the system holds for it, which one that is killed does not.
        if signal(&self.process, "QUIT").is_ok() {
            let deadline = Instant::now() + STOP_TIMEOUT;
            while self.process.is_running() && Instant::now() < deadline {
                std::thread::sleep(POLL_INTERVAL);
            }
        }
        self.process.kill();
    }

    /// Starts a server that has ended again, on the same data and port.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.crash();
        self.process = run(&self.programs, self.folder.path(), self.port, &self.extra)?;
        self.wait()
    }

    fn wait(&mut self) -> anyhow::Result<()> {
        let (port, ready) = (self.port.to_string(), self.programs.join("pg_isready"));
        until_ready(&mut self.process, &log(self.folder.path()), || {
            let mut look = Command::new(&ready);
            look.args(["--quiet", "--host=127.0.0.1", "--port", &port]).stdin(Stdio::null());
            look.status().is_ok_and(|status| status.success())
        })
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.crash();
    }
}

/// The programs of the newest version.
fn programs() -> anyhow::Result<PathBuf> {
    let missing = "PostgreSQL is missing: install Debian's package postgresql";
    let versions = std::fs::read_dir(PROGRAMS).context(missing)?.flatten();
    let number = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let newest = versions.map(|v| v.path()).filter(|v| v.join("bin/postgres").is_file()).max_by_key(|v| number(v));
    Ok(newest.context(missing)?.join("bin"))
}

/// User and group to run as; `None`: as who we are.
fn other_user() -> anyhow::Result<Option<(u32, u32)>> {
    if std::fs::metadata("/proc/self")?.uid() != 0 {
        return Ok(None);
    }
    let known = std::fs::read_to_string("/etc/passwd")?;
    let ids = |user: &str| {
        let line = known.lines().find(|l| l.split(':').next() == Some(user))?;
        let mut numbers = line.split(':').skip(2).map(str::parse::<u32>);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
    };
    USERS
        .iter()
        .find_map(|u| ids(u))
        .map(Some)
        .context("PostgreSQL refuses root, and there is no other user to run it as")
}

fn as_other_user(program: &Path) -> anyhow::Result<Command> {
    let mut command = Command::new(program);
    if let Some((user, group)) = other_user()? {
        command.uid(user).gid(group);
    }
    Ok(command)
}

fn run(programs: &Path, folder: &Path, port: u16, extra: &[String]) -> anyhow::Result<Process> {
    let mut command = as_other_user(&programs.join("postgres"))?;
    command.arg("-D").arg(folder.join("data")).arg("-k").arg(folder).args(["-h", "127.0.0.1", "-p", &port.to_string()]);
    // What a crash of the machine would lose is lost with the folder.
    for setting in ["fsync=off", "shared_buffers=32MB", "log_min_messages=warning"] {
        command.args(["-c", setting]);
    }
    for setting in extra {
        command.args(["-c", setting]);
    }
    spawn(command.current_dir(folder), &log(folder)).context("running `postgres`")
}

fn log(folder: &Path) -> PathBuf {
    folder.join("server.log")
}

fn signal(process: &Process, name: &str) -> anyhow::Result<()> {
    let status = Command::new("kill").args(["-s", name, &process.id().to_string()]).stderr(Stdio::null()).status()?;
    ensure!(status.success(), "there is no such process");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Postgres;
    use std::process::Command;

    fn number(server: &Postgres, query: &str) -> String {
        let mut psql = Command::new(server.programs.join("psql"));
        psql.args(["-h", "127.0.0.1", "-p", &server.port.to_string(), "-U", "postgres", "-Atc", query]);
        let output = psql.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    #[test]
    fn starts_survives_a_crash_and_leaves_nothing() {
        let mut server = Postgres::start().unwrap();
        number(&server, "CREATE TABLE t(a int); INSERT INTO t VALUES (7)");
        server.crash();
        server.restart().unwrap();
        assert_eq!(number(&server, "SELECT a FROM t"), "7");
        let (folder, pid) = (server.folder().to_owned(), server.process.id());
        drop(server);
        assert!(!folder.exists() && !std::path::Path::new(&format!("/proc/{pid}")).exists());
    }
}
