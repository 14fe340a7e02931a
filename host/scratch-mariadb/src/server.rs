//! A MariaDB server in a temporary folder.

use crate::launch::{INSTALLER, SERVER, find, install, log_tail, server_log, spawn};
use crate::{Process, ScratchError, free_port};
use std::io::Read;
use std::net::{Ipv4Addr, TcpStream};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a start may take on a busy machine.
const READY_TIMEOUT: Duration = Duration::from_secs(120);
/// Between two looks whether it is ready.
const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// How long one look may wait for the server's greeting.
const GREETING_TIMEOUT: Duration = Duration::from_secs(2);

/// A server on 127.0.0.1 with user `root` and no password. Stopped, and its folder removed, when dropped.
#[derive(Debug)]
pub struct MariaDb {
    // In this order: the process ends before its folder goes.
    process: Process,
    folder: TempDir,
    port: u16,
    extra: Vec<String>,
}

static SHARED: Mutex<Weak<MariaDb>> = Mutex::new(Weak::new());

impl MariaDb {
    /// Whether the programs are installed.
    #[must_use]
    pub fn is_installed() -> bool {
        find(SERVER).is_ok() && find(INSTALLER).is_ok()
    }

    /// Makes a data directory and starts a server in it; returns when it takes connections.
    ///
    /// # Errors
    /// When MariaDB is not installed or does not come up.
    pub fn start() -> Result<Self, ScratchError> {
        Self::start_with(&[])
    }

    /// As [`MariaDb::start`] with further options of `mariadbd`.
    ///
    /// # Errors
    /// As [`MariaDb::start`].
    pub fn start_with(options: &[&str]) -> Result<Self, ScratchError> {
        let folder = TempDir::with_prefix("tidegate-mariadb-").map_err(ScratchError::system("a temporary folder"))?;
        install(folder.path())?;
        let port = free_port().map_err(ScratchError::system("a free port"))?;
        let extra: Vec<String> = options.iter().map(|o| (*o).to_owned()).collect();
        let process = spawn(folder.path(), port, &extra)?;
        let mut server = Self { process, folder, port, extra };
        server.wait_ready()?;
        Ok(server)
    }

    /// The server all tests of this process share; it stops when the last of them lets it go.
    ///
    /// # Errors
    /// As [`MariaDb::start`].
    pub fn shared() -> Result<Arc<Self>, ScratchError> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = shared.upgrade() {
            return Ok(server);
        }
        let server = Arc::new(Self::start()?);
        *shared = Arc::downgrade(&server);
        Ok(server)
    }

    /// TCP port on 127.0.0.1.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// `mysql://root@127.0.0.1:port/`
    #[must_use]
    pub fn url(&self) -> String {
        format!("mysql://root@127.0.0.1:{}/", self.port)
    }

    /// Kills the server (SIGKILL); its data stays for [`MariaDb::restart`].
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts a killed server again on the same data and port.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn restart(&mut self) -> Result<(), ScratchError> {
        self.process.kill();
        self.process = spawn(self.folder.path(), self.port, &self.extra)?;
        self.wait_ready()
    }

    fn wait_ready(&mut self) -> Result<(), ScratchError> {
        let deadline = Instant::now() + READY_TIMEOUT;
        while Instant::now() < deadline {
            if greets(self.port) {
                return Ok(());
            }
            if !self.process.is_running() {
                break;
            }
            std::thread::sleep(POLL_INTERVAL);
        }
        Err(ScratchError::NotUp { log: log_tail(&server_log(self.folder.path())) })
    }
}

/// Whether a server on the port says hello: its first packet starts with three bytes of length, a zero and protocol 10.
fn greets(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else {
        return false;
    };
    let mut head = [0; 5];
    stream.set_read_timeout(Some(GREETING_TIMEOUT)).is_ok()
        && stream.read_exact(&mut head).is_ok()
        && head[3..] == [0, 10]
}

#[cfg(test)]
mod tests {
    use super::MariaDb;
    use mysql_async::prelude::Queryable;

    async fn number(url: &str, query: &str) -> Option<i64> {
        let mut conn = mysql_async::Conn::from_url(url).await.unwrap();
        let n = conn.query_first(query).await.unwrap();
        conn.disconnect().await.unwrap();
        n
    }

    #[tokio::test]
    async fn starts_survives_a_kill_and_leaves_nothing() {
        if !MariaDb::is_installed() {
            println!("passed over: MariaDB is not installed");
            return;
        }
        let mut server = MariaDb::start().unwrap();
        let url = server.url();
        number(&url, "CREATE DATABASE d").await;
        number(&url, "CREATE TABLE d.t(a INT)").await;
        number(&url, "INSERT INTO d.t VALUES (7)").await;
        server.kill();
        server.restart().unwrap();
        assert_eq!(number(&url, "SELECT a FROM d.t").await, Some(7));
        let folder = server.folder.path().to_owned();
        let pid = server.process.id();
        drop(server);
        assert!(!folder.exists() && !std::path::Path::new(&format!("/proc/{pid}")).exists());
    }
}
