//! The upstream of the system tests.

use crate::build;
use anyhow::{Context, bail};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// TiDB's SQL engine on its embedded storage with the wire of PD and TiKV, in one process on 127.0.0.1.
/// Stopped when dropped, and also when the test's process ends in any way.
#[derive(Debug)]
pub struct UpstreamTidb {
    child: Child,
    mysql: u16,
    pd: u16,
}

impl UpstreamTidb {
    /// Starts one as [`UpstreamTidb::start_with`], without further options.
    ///
    /// # Errors
    /// As there.
    pub fn start() -> anyhow::Result<Self> {
        Self::start_with(&[])
    }

    /// Builds the program if need be, starts it with options like `--async-commit`, returns when it is ready.
    ///
    /// # Errors
    /// When it cannot be built (Go is missing), or does not come up.
    pub fn start_with(options: &[&str]) -> anyhow::Result<Self> {
        let program = build::upstream_tidb()?;
        // The pipe of standard input ends with this process: nothing outlives it.
        let mut child = Command::new(&program)
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("starting {}", program.display()))?;
        let out = child.stdout.take().context("no standard output")?;
        let mut line = String::new();
        let read = BufReader::new(out).read_line(&mut line);
        let ports: serde_json::Value = match read {
            Ok(n) if n > 0 => serde_json::from_str(&line).with_context(|| format!("upstream-tidb said {line:?}"))?,
            _ => {
                // It may have ended by itself.
                let _ = child.kill();
                bail!("upstream-tidb ended before it was ready: {:?}", child.wait())
            }
        };
        let port = |name: &str| {
            let port = ports.get(name).and_then(serde_json::Value::as_u64).and_then(|p| u16::try_from(p).ok());
            port.with_context(|| format!("no port `{name}` in {line:?}"))
        };
        Ok(Self { mysql: port("mysql")?, pd: port("pd")?, child })
    }

    /// `mysql://root@127.0.0.1:port/`
    #[must_use]
    pub fn url(&self) -> String {
        format!("mysql://root@127.0.0.1:{}/", self.mysql)
    }

    /// PD's endpoint, `http://127.0.0.1:port`.
    #[must_use]
    pub fn pd(&self) -> String {
        format!("http://127.0.0.1:{}", self.pd)
    }
}

impl Drop for UpstreamTidb {
    fn drop(&mut self) {
        // It removes its folder when its standard input ends; so it is asked before it is killed.
        drop(self.child.stdin.take());
        for _ in 0..100 {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
