//! Where and how to connect.

use crate::Secret;
use mysql_async::{ClientIdentity, Opts, OptsBuilder, SslOpts};
use std::path::PathBuf;
use std::time::Duration;

/// TCP keep-alive of idle connections.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// TLS of a target. The server is always authenticated, by `ca` if given, else by the well-known authorities.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MysqlTls {
    /// Certificate of the authority, PEM.
    pub ca: Option<PathBuf>,
    /// The client's certificate chain and private key, PEM.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// A MySQL, MariaDB or TiDB server and how to use it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MysqlTarget {
    /// Name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// User.
    pub user: String,
    /// Password; empty: none. When the server denies it and it is base64, what it decodes to is tried as well.
    pub password: Secret,
    /// TLS; `None`: plain TCP.
    pub tls: Option<MysqlTls>,
    /// To connect and set a session up.
    pub connect_timeout: Duration,
    /// For one round trip of rows or queries.
    pub statement_timeout: Duration,
    /// For one DDL.
    pub ddl_timeout: Duration,
    /// Several statements in one packet.
    pub multi_statements: bool,
    /// TiDB: `tidb_txn_mode`.
    pub tidb_txn_mode: String,
    /// Lanes of each slot that writes here; the lane with this number runs DDL.
    pub lanes: u32,
    /// Database of the progress table.
    pub progress_database: String,
    /// Tells a changefeed from earlier ones of its name in the progress table: their positions are not its own. May be empty.
    pub incarnation: String,
    /// Keep progress and fence in the downstream; off: transactions carry rows only.
    pub progress: bool,
}

impl Default for MysqlTarget {
    /// `root@127.0.0.1:4000` without password, one lane.
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 4000,
            user: "root".to_owned(),
            password: Secret::default(),
            tls: None,
            connect_timeout: Duration::from_secs(30),
            statement_timeout: Duration::from_secs(120),
            ddl_timeout: Duration::from_secs(6 * 3600),
            multi_statements: true,
            tidb_txn_mode: "optimistic".to_owned(),
            lanes: 1,
            progress_database: "tidegate".to_owned(),
            incarnation: String::new(),
            progress: true,
        }
    }
}

impl MysqlTarget {
    /// `user@host:port`, for messages.
    #[must_use]
    pub fn display_name(&self) -> String {
        format!("{}@{}:{}", self.user, self.host, self.port)
    }

    pub(crate) fn opts(&self, password: &str) -> Opts {
        let ssl = self.tls.as_ref().map(|tls| {
            let roots = tls.ca.iter().map(|p| p.clone().into()).collect();
            let identity = tls.identity.as_ref().map(|(c, k)| ClientIdentity::new(c.clone().into(), k.clone().into()));
            SslOpts::default()
                .with_root_certs(roots)
                .with_disable_built_in_roots(tls.ca.is_some())
                .with_client_identity(identity)
        });
        OptsBuilder::default()
            .ip_or_hostname(self.host.clone())
            .tcp_port(self.port)
            .user(Some(self.user.clone()))
            .pass((!password.is_empty()).then(|| password.to_owned()))
            .ssl_opts(ssl)
            .prefer_socket(false)
            .tcp_nodelay(true)
            .tcp_keepalive(Some(KEEPALIVE))
            .stmt_cache_size(0)
            // The guard's matched rows count, changed or not.
            .client_found_rows(true)
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::MysqlTarget;
    use crate::Secret;

    #[test]
    fn the_password_is_never_shown() {
        let target = MysqlTarget { password: Secret::new("hunter2".into()), ..MysqlTarget::default() };
        assert!(!format!("{target:?} {} {}", target.password, target.display_name()).contains("hunter2"));
        assert!(target.opts("x").client_found_rows());
    }
}
