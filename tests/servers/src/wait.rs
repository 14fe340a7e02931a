//! Waiting for a server.

use anyhow::bail;
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tg_scratch_mariadb::Process;

/// How long a start may take on a busy machine.
const READY_TIMEOUT: Duration = Duration::from_secs(180);
/// Between two looks whether it is ready.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// How much of a log an error shows.
const LOG_TAIL_BYTES: usize = 3_000;

/// Starts `command` with its output appended to `log`, in a process group of its own.
pub(crate) fn spawn(command: &mut Command, log: &Path) -> anyhow::Result<Process> {
    let out = File::options().create(true).append(true).open(log)?;
    let twin = out.try_clone()?;
    command.stdin(Stdio::null()).stdout(twin).stderr(out).process_group(0);
    Ok(Process::start(command)?)
}

/// Returns when `ready` says so; an error with the end of the log when the process ends or takes too long.
pub(crate) fn until_ready(process: &mut Process, log: &Path, mut ready: impl FnMut() -> bool) -> anyhow::Result<()> {
    let deadline = Instant::now() + READY_TIMEOUT;
    while Instant::now() < deadline && process.is_running() {
        if ready() {
            return Ok(());
        }
        std::thread::sleep(POLL_INTERVAL);
    }
    let text = std::fs::read(log).unwrap_or_default();
    let tail = text.get(text.len().saturating_sub(LOG_TAIL_BYTES)..).unwrap_or_default();
    bail!("the server did not come up; the end of its log:\n{}", String::from_utf8_lossy(tail));
}
