//! etcd, one member or several.

use crate::http;
use crate::pki::{Identity, Pki};
use crate::wait::{spawn, until_ready};
use anyhow::Context;
use std::process::Command;
use tempfile::TempDir;
use tg_scratch_mariadb::{Process, free_port};

/// An etcd cluster on 127.0.0.1. Stopped, and its folder removed, when dropped.
#[derive(Debug)]
pub struct Etcd {
    // In this order: the processes end before their folder goes.
    members: Vec<Member>,
    /// What clients have to show, where they have to.
    tls: Option<Identity>,
    folder: TempDir,
}

#[derive(Debug)]
struct Member {
    process: Process,
    name: String,
    client: u16,
    peer: u16,
    /// Where it says, in plain text, whether it is healthy.
    health: u16,
}

impl Etcd {
    /// Starts `members` members and returns when each says that it is healthy.
    ///
    /// # Errors
    /// When etcd is not installed or does not come up.
    pub fn start(members: usize) -> anyhow::Result<Self> {
        Self::begin(members, false)
    }

    /// The same with TLS towards clients, who have to show a certificate: [`Etcd::tls`].
    ///
    /// # Errors
    /// As [`Etcd::start`].
    pub fn start_tls(members: usize) -> anyhow::Result<Self> {
        Self::begin(members, true)
    }

    fn begin(members: usize, tls: bool) -> anyhow::Result<Self> {
        let folder = TempDir::with_prefix("tidegate-etcd-")?;
        let tls = if tls { Some(Pki::new(&folder.path().join("pki"))?.identity("etcd")?) } else { None };
        let ports: Vec<[u16; 3]> =
            (0..members).map(|_| Ok([free_port()?, free_port()?, free_port()?])).collect::<std::io::Result<_>>()?;
        let cluster: Vec<_> =
            ports.iter().enumerate().map(|(i, [_, peer, _])| format!("m{i}=http://127.0.0.1:{peer}")).collect();
        let mut etcd = Self { members: Vec::new(), tls, folder };
        for (i, ports) in ports.into_iter().enumerate() {
            let name = format!("m{i}");
            let process = etcd.spawn(&name, ports, &cluster.join(","))?;
            let [client, peer, health] = ports;
            etcd.members.push(Member { process, name, client, peer, health });
        }
        (0..members).try_for_each(|i| etcd.wait(i))?;
        Ok(etcd)
    }

    fn spawn(&self, name: &str, [client, peer, health]: [u16; 3], cluster: &str) -> anyhow::Result<Process> {
        let url = |port: u16| format!("http://127.0.0.1:{port}");
        let to_clients = format!("{}://127.0.0.1:{client}", self.scheme());
        let mut command = Command::new("etcd");
        if let Some(tls) = &self.tls {
            command.arg("--client-cert-auth").arg("--trusted-ca-file").arg(&tls.ca);
            command.arg("--cert-file").arg(&tls.cert).arg("--key-file").arg(&tls.key);
        }
        command
            .args(["--name", name, "--unsafe-no-fsync", "--initial-cluster", cluster])
            .args(["--heartbeat-interval", "50", "--election-timeout", "500"])
            .arg("--data-dir")
            .arg(self.folder.path().join(name))
            .args(["--listen-client-urls", &to_clients, "--advertise-client-urls", &to_clients])
            .args(["--listen-metrics-urls", &url(health)])
            .args(["--listen-peer-urls", &url(peer), "--initial-advertise-peer-urls", &url(peer)]);
        spawn(&mut command, &self.log(name)).context("running `etcd`: install Debian's package etcd-server")
    }

    fn log(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(format!("{name}.log"))
    }

    fn wait(&mut self, member: usize) -> anyhow::Result<()> {
        let log = self.log(&format!("m{member}"));
        let m = self.members.get_mut(member).context("no such member")?;
        let port = m.health;
        until_ready(&mut m.process, &log, || {
            http::get(port, "/health").is_some_and(|a| a.contains(r#""health":"true""#))
        })
    }

    /// Client URLs of all members.
    #[must_use]
    pub fn endpoints(&self) -> Vec<String> {
        self.members.iter().map(|m| format!("{}://127.0.0.1:{}", self.scheme(), m.client)).collect()
    }

    /// What clients have to show, where they have to.
    #[must_use]
    pub fn tls(&self) -> Option<&Identity> {
        self.tls.as_ref()
    }

    fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// Process id of a member, for signals.
    #[must_use]
    pub fn pid(&self, member: usize) -> Option<u32> {
        self.members.get(member).map(|m| m.process.id())
    }

    /// Kills a member (SIGKILL); its data stays.
    pub fn kill(&mut self, member: usize) {
        if let Some(m) = self.members.get_mut(member) {
            m.process.kill();
        }
    }

    /// Starts a killed member again on its data and ports.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn restart(&mut self, member: usize) -> anyhow::Result<()> {
        self.kill(member);
        let cluster: Vec<_> = self.members.iter().map(|m| format!("{}=http://127.0.0.1:{}", m.name, m.peer)).collect();
        let m = self.members.get(member).context("no such member")?;
        let process = self.spawn(&m.name, [m.client, m.peer, m.health], &cluster.join(","))?;
        if let Some(m) = self.members.get_mut(member) {
            m.process = process;
        }
        self.wait(member)
    }
}

#[cfg(test)]
mod tests {
    use super::Etcd;
    use crate::http;

    #[test]
    fn three_members_lose_one_and_get_it_back() {
        let mut etcd = Etcd::start(3).unwrap();
        let port = |etcd: &Etcd, i: usize| etcd.members[i].health;
        etcd.kill(0);
        assert_eq!(http::get(port(&etcd, 0), "/health"), None);
        etcd.restart(0).unwrap();
        assert!(http::get(port(&etcd, 0), "/health").unwrap().contains("true"));
        assert_eq!(etcd.endpoints().len(), 3);
    }
}
