//! Where and how to connect.

use std::path::PathBuf;
use std::time::Duration;
use tg_sql::Secret;
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

/// TCP keep-alive of idle connections, and the longest a server may leave bytes unacknowledged.
const KEEPALIVE: Duration = Duration::from_secs(30);
/// What the server shows the session as.
const APPLICATION: &str = "tidegate";

/// What is asked of the server's certificate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verify {
    /// Nothing: what passes is encrypted, and anybody may have answered.
    Nothing,
    /// Signed by an authority.
    Authority,
    /// Signed by an authority, for this host.
    Host,
}

/// TLS of a target.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PostgresTls {
    /// What is asked of the server's certificate.
    pub verify: Verify,
    /// Plain TCP where the server has no TLS.
    pub or_plain: bool,
    /// Certificate of the authority, PEM; `None`: the well-known ones.
    pub ca: Option<PathBuf>,
    /// The client's certificate chain and private key, PEM.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// A PostgreSQL server, one database of it, and how to use it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PostgresTarget {
    /// Name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Role.
    pub user: String,
    /// Password; empty: none.
    pub password: Secret,
    /// Database.
    pub database: String,
    /// TLS; `None`: plain TCP.
    pub tls: Option<PostgresTls>,
    /// To connect and set a session up.
    pub connect_timeout: Duration,
    /// For one round trip of rows or queries.
    pub statement_timeout: Duration,
    /// For one DDL.
    pub ddl_timeout: Duration,
    /// Lanes of each slot that writes here; the lane with this number runs DDL.
    pub lanes: u32,
    /// Schema of the progress table.
    pub progress_schema: String,
    /// Tells a changefeed from earlier ones of its name in the progress table: their positions are not its own. May be empty.
    pub incarnation: String,
    /// Keep progress and fence in the downstream; off: transactions carry rows only.
    pub progress: bool,
}

impl Default for PostgresTarget {
    /// `postgres@127.0.0.1:5432/postgres` without password, one lane.
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 5432,
            user: "postgres".to_owned(),
            password: Secret::default(),
            database: "postgres".to_owned(),
            tls: None,
            connect_timeout: Duration::from_secs(30),
            statement_timeout: Duration::from_secs(120),
            ddl_timeout: Duration::from_secs(6 * 3600),
            lanes: 1,
            progress_schema: "tidegate".to_owned(),
            incarnation: String::new(),
            progress: true,
        }
    }
}

impl PostgresTarget {
    /// `user@host:port/database`, for messages.
    #[must_use]
    pub fn display_name(&self) -> String {
        format!("{}@{}:{}/{}", self.user, self.host, self.port, self.database)
    }

    pub(crate) fn config(&self) -> Config {
        let mut config = Config::new();
        config
            .host(&self.host)
            .port(self.port)
            .user(&self.user)
            .dbname(&self.database)
            .application_name(APPLICATION)
            .connect_timeout(self.connect_timeout)
            .keepalives(true)
            .keepalives_idle(KEEPALIVE)
            .tcp_user_timeout(KEEPALIVE)
            .ssl_mode(match &self.tls {
                None => SslMode::Disable,
                Some(tls) if tls.or_plain => SslMode::Prefer,
                Some(_) => SslMode::Require,
            });
        if !self.password.reveal().is_empty() {
            config.password(self.password.reveal());
        }
        config
    }
}

#[cfg(test)]
mod tests {
    use super::PostgresTarget;
    use tg_sql::Secret;

    #[test]
    fn the_password_is_never_shown() {
        let target = PostgresTarget { password: Secret::new("hunter2".into()), ..PostgresTarget::default() };
        assert!(!format!("{target:?} {:?} {}", target.config(), target.display_name()).contains("hunter2"));
    }
}
