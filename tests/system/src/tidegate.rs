//! The product's binary: as a server, and as a command.

use crate::api::Api;
use crate::build;
use anyhow::{Context, bail, ensure};
use std::fs::File;
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tg_scratch_mariadb::{Process, free_port};

/// How long a start may take on a busy machine.
const READY_TIMEOUT: Duration = Duration::from_secs(60);
/// Between two looks whether it is ready.
const POLL_INTERVAL: Duration = Duration::from_millis(10);
/// Memory bound of a server, and of one whose disk is small: the smaller it is, the sooner rows go to the disk.
const MEMORY_LIMIT: &str = "1GiB";
const MEMORY_LIMIT_SMALL: &str = "128MiB";
/// How much of a log is shown.
const LOG_TAIL_BYTES: usize = 6_000;

/// A `tidegate server`. Killed when dropped; its folder belongs to the caller.
#[derive(Debug)]
pub struct Tidegate {
    process: Process,
    program: PathBuf,
    pd: String,
    data_dir: PathBuf,
    port: u16,
    /// Size of the file system that holds its data, in MiB; `None`: it shares ours.
    disk_mib: Option<u32>,
    flags: Vec<String>,
}

/// How a command ended.
#[derive(Debug, Clone)]
pub struct Ended {
    /// Exit code; `None` when it was killed.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Tidegate {
    /// Starts a server and waits until it takes connections. The log goes to `tidegate.log` in the folder.
    ///
    /// # Errors
    /// When the binary cannot be built or the server does not come up.
    pub fn start(pd: &str, data_dir: &Path) -> anyhow::Result<Self> {
        Self::begin(pd, data_dir, None, &[])
    }

    /// Starts a server as [`Tidegate::start`], with more flags.
    ///
    /// # Errors
    /// As there.
    pub fn start_with(pd: &str, data_dir: &Path, flags: &[&str]) -> anyhow::Result<Self> {
        Self::begin(pd, data_dir, None, flags)
    }

    /// The same as [`Tidegate::start`] with its data on a disk of its own of `disk_mib` MiB, which ends with the process. `None`:
    /// the system does not allow that here.
    ///
    /// # Errors
    /// As [`Tidegate::start`].
    pub fn start_on_small_disk(pd: &str, data_dir: &Path, disk_mib: u32) -> anyhow::Result<Option<Self>> {
        let tried = own_disk(&Command::new("true"), data_dir, disk_mib).stderr(Stdio::null()).status();
        if !tried.is_ok_and(|status| status.success()) {
            return Ok(None);
        }
        Self::begin(pd, data_dir, Some(disk_mib), &[]).map(Some)
    }

    fn begin(pd: &str, data_dir: &Path, disk_mib: Option<u32>, flags: &[&str]) -> anyhow::Result<Self> {
        let (program, port) = (build::tidegate()?, free_port()?);
        let flags: Vec<String> = flags.iter().map(|f| (*f).to_owned()).collect();
        let process = spawn(&program, pd, data_dir, port, (disk_mib, &flags))?;
        let (pd, data_dir) = (pd.to_owned(), data_dir.to_owned());
        let mut server = Self { process, program, pd, data_dir, port, disk_mib, flags };
        server.wait_ready()?;
        Ok(server)
    }

    /// Where it listens, `host:port`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Sends it a signal by name, like `STOP`.
    ///
    /// # Errors
    /// When there is no such process or signal.
    pub fn signal(&self, name: &str) -> anyhow::Result<()> {
        let pid = self.process.id().to_string();
        let status = Command::new("kill").args(["-s", name, &pid]).status().context("running `kill`")?;
        ensure!(status.success(), "`kill -s {name} {pid}` failed");
        Ok(())
    }

    /// Asks it to stop (SIGTERM) and waits for its end.
    ///
    /// # Errors
    /// When it does not end.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        self.signal("TERM")?;
        let deadline = Instant::now() + READY_TIMEOUT;
        while self.process.is_running() {
            ensure!(Instant::now() < deadline, "tidegate does not stop: {}", self.log_tail());
            std::thread::sleep(POLL_INTERVAL);
        }
        Ok(())
    }

    /// Kills it (SIGKILL); its data stays.
    pub fn kill9(&mut self) {
        self.process.kill();
    }

    /// Starts it again on the same data and port, after killing it if it still runs.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.process.kill();
        let how = (self.disk_mib, self.flags.as_slice());
        self.process = spawn(&self.program, &self.pd, &self.data_dir, self.port, how)?;
        self.wait_ready()
    }

    /// Whether it has not ended.
    pub fn is_running(&mut self) -> bool {
        self.process.is_running()
    }

    /// Its HTTP API.
    #[must_use]
    pub fn api(&self) -> Api {
        Api::new(self.port)
    }

    /// Its data directory, as it is seen from here.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        let data = self.data_dir.join("data");
        match self.disk_mib {
            None => data,
            Some(_) => {
                let seen = format!("/proc/{}/root", self.process.id());
                Path::new(&seen).join(data.strip_prefix("/").unwrap_or(&data))
            }
        }
    }

    /// The end of its log.
    #[must_use]
    pub fn log_tail(&self) -> String {
        let log = std::fs::read(self.data_dir.join("tidegate.log")).unwrap_or_default();
        String::from_utf8_lossy(log.get(log.len().saturating_sub(LOG_TAIL_BYTES)..).unwrap_or_default()).into_owned()
    }

    /// Runs a command of the binary against this server.
    ///
    /// # Errors
    /// When it cannot be run.
    pub fn command(&self, args: &[&str]) -> anyhow::Result<Ended> {
        let server = format!("http://127.0.0.1:{}", self.port);
        run(&[&["--server", &server], args].concat())
    }

    fn wait_ready(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + READY_TIMEOUT;
        while Instant::now() < deadline {
            if TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok() {
                return Ok(());
            }
            if !self.process.is_running() {
                break;
            }
            std::thread::sleep(POLL_INTERVAL);
        }
        bail!("tidegate did not come up: {}", self.log_tail())
    }
}

/// Runs a command of the binary.
///
/// # Errors
/// When it cannot be run.
pub(crate) fn run(args: &[&str]) -> anyhow::Result<Ended> {
    let program = build::tidegate()?;
    let output = Command::new(&program).args(args).stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("running {}", program.display()))?;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok(Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) })
}

impl Ended {
    /// Runs a command of the binary that needs no server of the test's own.
    ///
    /// # Errors
    /// When it cannot be run.
    pub fn of(args: &[&str]) -> anyhow::Result<Self> {
        run(args)
    }
}

fn spawn(
    program: &Path,
    pd: &str,
    data_dir: &Path,
    port: u16,
    (disk_mib, flags): (Option<u32>, &[String]),
) -> anyhow::Result<Process> {
    std::fs::create_dir_all(data_dir)?;
    let log = File::options().create(true).append(true).open(data_dir.join("tidegate.log"))?;
    let memory = if disk_mib.is_some() { MEMORY_LIMIT_SMALL } else { MEMORY_LIMIT };
    let mut command = Command::new(program);
    command
        .args(["server", "--addr", &format!("127.0.0.1:{port}"), "--pd", pd, "--log-level", "info"])
        .args(["--memory-limit", memory, "--data-dir"])
        .arg(data_dir.join("data"))
        .args(flags);
    if let Some(disk_mib) = disk_mib {
        command = own_disk(&command, data_dir, disk_mib);
    }
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    Process::start(&mut command).with_context(|| format!("starting {}", program.display()))
}

/// The command with a file system of its own at the data directory. It becomes that process, so its id is the command's.
fn own_disk(command: &Command, data_dir: &Path, disk_mib: u32) -> Command {
    const MOUNT: &str = r#"mkdir -p "$2" && mount -t tmpfs -o "size=$1m" tidegate "$2" && shift 2 && exec "$@""#;
    let mut wrapped = Command::new("unshare");
    wrapped.args(["--user", "--map-root-user", "--mount", "sh", "-c", MOUNT, "sh", &disk_mib.to_string()]);
    wrapped.arg(data_dir.join("data")).arg(command.get_program()).args(command.get_args());
    wrapped
}
