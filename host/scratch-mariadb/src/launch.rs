//! The commands that make a data directory and start a server in it.

use crate::{Process, ScratchError};
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The server.
pub(crate) const SERVER: &str = "mariadbd";
/// Makes data directories.
pub(crate) const INSTALLER: &str = "mariadb-install-db";
/// Where servers are that are in no user's `PATH`.
const MORE_PATHS: [&str; 2] = ["/usr/sbin", "/usr/local/sbin"];
/// Redo log of the server; small, as the file is written when the data directory is made.
const LOG_SIZE: &str = "--innodb-log-file-size=8M";
/// How much of a log an error shows.
const LOG_TAIL_BYTES: usize = 2000;

/// Where a program is.
pub(crate) fn find(program: &'static str) -> Result<PathBuf, ScratchError> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(MORE_PATHS.map(PathBuf::from))
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
        .ok_or(ScratchError::NotInstalled { program })
}

/// Only root must say, and may say, as whom the server runs.
fn as_root(command: &mut Command) {
    if std::fs::metadata("/proc/self").is_ok_and(|m| m.uid() == 0) {
        command.arg("--user=root");
    }
}

fn logged(command: &mut Command, log: File) -> Result<(), ScratchError> {
    let twin = log.try_clone().map_err(ScratchError::system("its log"))?;
    command.stdin(Stdio::null()).stdout(twin).stderr(log);
    Ok(())
}

/// Makes the data directory.
pub(crate) fn install(folder: &Path) -> Result<(), ScratchError> {
    let file = folder.join("install.log");
    let mut command = Command::new(find(INSTALLER)?);
    command.arg("--no-defaults");
    as_root(&mut command);
    command
        .args(["--auth-root-authentication-method=normal", "--skip-test-db"])
        .args(["--skip-name-resolve", "--skip-log-bin", LOG_SIZE])
        .arg(format!("--datadir={}", folder.join("data").display()))
        .env("TMPDIR", folder)
        .process_group(0);
    logged(&mut command, File::create(&file).map_err(ScratchError::system("a log"))?)?;
    let status = command.status().map_err(ScratchError::system("running mariadb-install-db"))?;
    if status.success() { Ok(()) } else { Err(ScratchError::NotUp { log: log_tail(&file) }) }
}

/// Starts the server; it may not be ready yet. It is in a process group of its own, so that a
/// Ctrl-C meant for its owner does not reach it.
pub(crate) fn spawn(folder: &Path, port: u16, extra: &[String]) -> Result<Process, ScratchError> {
    let log = File::options().create(true).append(true).open(server_log(folder));
    let at = |name: &str| folder.join(name).display().to_string();
    let mut command = Command::new(find(SERVER)?);
    command.arg("--no-defaults");
    as_root(&mut command);
    command
        .args(["--bind-address=127.0.0.1", "--skip-name-resolve", LOG_SIZE])
        .args(["--innodb-buffer-pool-size=64M", "--innodb-flush-log-at-trx-commit=2"])
        .args(["--performance-schema=off", "--max-allowed-packet=64M"])
        .args(["--character-set-server=utf8mb4", "--collation-server=utf8mb4_bin"])
        .arg(format!("--datadir={}", at("data")))
        .arg(format!("--socket={}", at("s.sock")))
        .arg(format!("--pid-file={}", at("pid")))
        .arg(format!("--port={port}"))
        .args(extra)
        // A server that starts removes the temporary tables of every other that shares the folder.
        .env("TMPDIR", folder)
        .process_group(0);
    logged(&mut command, log.map_err(ScratchError::system("a log"))?)?;
    Process::start(&mut command).map_err(ScratchError::system("running mariadbd"))
}

/// The log of the server.
pub(crate) fn server_log(folder: &Path) -> PathBuf {
    folder.join("server.log")
}

/// The end of a log, as text.
pub(crate) fn log_tail(path: &Path) -> String {
    let log = std::fs::read(path).unwrap_or_default();
    let from = log.len().saturating_sub(LOG_TAIL_BYTES);
    String::from_utf8_lossy(log.get(from..).unwrap_or_default()).into_owned()
}
