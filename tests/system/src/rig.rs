//! Upstream, product and downstream together.

use crate::api::Api;
use crate::compare;
use crate::sql::Sql;
use crate::{MariaDb, Tidegate, UpstreamTidb};
use anyhow::{Context, ensure};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tempfile::TempDir;

/// How long a changefeed may take to catch up on a busy machine.
pub const CATCH_UP: Duration = Duration::from_secs(45);

static SHARED: Mutex<Weak<Rig>> = Mutex::new(Weak::new());

/// An upstream, a Tidegate that reads it, and a MariaDB.
#[derive(Debug)]
pub struct Rig {
    /// The product.
    pub tidegate: Tidegate,
    /// The source.
    pub upstream: UpstreamTidb,
    /// The target.
    pub downstream: MariaDb,
    _folder: TempDir,
}

/// A changefeed of one database, with connections to both sides.
#[derive(Debug)]
pub struct Feed {
    /// Name of the changefeed and of its database.
    pub db: String,
    /// In the upstream's database.
    pub up: Sql,
    /// In no database.
    pub down: Sql,
    api: Api,
    urls: [String; 2],
}

impl Rig {
    /// Starts all three.
    ///
    /// # Errors
    /// When one of them does not come up.
    pub fn start() -> anyhow::Result<Self> {
        Self::start_with(&[])
    }

    /// Starts all three, the upstream with options.
    ///
    /// # Errors
    /// When one of them does not come up.
    pub fn start_with(upstream: &[&str]) -> anyhow::Result<Self> {
        let rig = Self::put_together(upstream, |pd, folder| Tidegate::start(pd, folder).map(Some))?;
        rig.context("a server always starts or says why")
    }

    /// Starts all three, the product on a disk of its own; `None`: the system does not allow that here.
    ///
    /// # Errors
    /// When one of them does not come up.
    pub fn start_on_small_disk(disk_mib: u32) -> anyhow::Result<Option<Self>> {
        Self::put_together(&[], |pd, folder| Tidegate::start_on_small_disk(pd, folder, disk_mib))
    }

    fn put_together(
        upstream: &[&str],
        product: impl FnOnce(&str, &Path) -> anyhow::Result<Option<Tidegate>>,
    ) -> anyhow::Result<Option<Self>> {
        ensure!(MariaDb::is_installed(), "MariaDB is missing: install Debian's package mariadb-server");
        let folder = TempDir::with_prefix("tidegate-system-")?;
        // A changefeed has dozens of connections, and a test binary many changefeeds.
        let downstream = MariaDb::start_with(&["--max-connections=2000"])?;
        let upstream = UpstreamTidb::start_with(upstream)?;
        let tidegate = product(&upstream.pd(), folder.path())?;
        Ok(tidegate.map(|tidegate| Self { tidegate, upstream, downstream, _folder: folder }))
    }

    /// The rig that all tests of this process share; it stops when the last of them lets it go.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn shared() -> anyhow::Result<Arc<Self>> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rig) = shared.upgrade() {
            return Ok(rig);
        }
        let rig = Arc::new(Self::start()?);
        *shared = Arc::downgrade(&rig);
        Ok(rig)
    }

    /// The sink URI of the downstream.
    #[must_use]
    pub fn sink_uri(&self) -> String {
        self.downstream.url()
    }

    /// Creates database `db` upstream, and a changefeed of that name for it that began just before.
    /// `config` is a `replica_config`; its filter is set here.
    ///
    /// # Errors
    /// When the upstream or the API refuses.
    pub async fn feed(&self, db: &str, config: Value) -> anyhow::Result<Feed> {
        let mut feed = self.connect(db).await?;
        let start_ts = feed.up.now_ts().await?;
        feed.up.run(&format!("CREATE DATABASE {db}")).await?;
        feed.up.run(&format!("USE {db}")).await?;
        let config = with_filter(config, &format!("{db}.*"));
        let body =
            json!({"changefeed_id": db, "start_ts": start_ts, "sink_uri": self.sink_uri(), "replica_config": config});
        feed.api.create(&body).await.with_context(|| self.tidegate.log_tail())?;
        Ok(feed)
    }

    /// Connections for a database whose changefeed the test makes itself.
    ///
    /// # Errors
    /// When a server does not answer.
    pub async fn connect(&self, db: &str) -> anyhow::Result<Feed> {
        let urls = [self.upstream.url(), self.downstream.url()];
        let [up, down] = [Sql::connect(&urls[0]).await?, Sql::connect(&urls[1]).await?];
        Ok(Feed { db: db.to_owned(), up, down, api: self.tidegate.api(), urls })
    }
}

/// `config` with a table filter.
fn with_filter(mut config: Value, rule: &str) -> Value {
    if let Some(members) = config.as_object_mut() {
        let filter = members.entry("filter").or_insert_with(|| json!({}));
        filter["rules"] = json!([rule]);
    }
    config
}

impl Feed {
    /// Waits until everything that is committed upstream now is downstream.
    ///
    /// # Errors
    /// When it takes longer than [`CATCH_UP`] or the changefeed fails.
    pub async fn catch_up(&mut self) -> anyhow::Result<()> {
        let now = self.up.now_ts().await?;
        self.api.wait_checkpoint(&self.db, now, CATCH_UP).await
    }

    /// Catches up and compares every table of the database; returns tables and rows compared.
    ///
    /// # Errors
    /// When something differs; the message says what.
    pub async fn verify(&mut self) -> anyhow::Result<(usize, usize)> {
        self.catch_up().await?;
        let found = compare(&self.urls[0], &self.urls[1], &[&self.db]).await?;
        ensure!(
            found.differences.is_empty(),
            "{}: upstream and downstream differ:\n{}",
            self.db,
            found.differences.join("\n")
        );
        Ok((found.tables, found.rows))
    }
}
