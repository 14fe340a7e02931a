//! From a target to a session that is ready.

use crate::classify::fault;
use crate::rows::Session;
use crate::session::set_up;
use crate::tls::Connector;
use crate::{PostgresTarget, ServerFacts};
use tg_sql::{Fault, FaultKind, Phase, patiently, within};
use tokio_postgres::NoTls;

/// Connects, trying again while the server cannot be reached, and sets the session up.
pub(crate) async fn connect(target: &PostgresTarget) -> Result<(Session, ServerFacts), Fault> {
    patiently(|| once(target)).await
}

async fn once(target: &PostgresTarget) -> Result<(Session, ServerFacts), Fault> {
    let doing = format!("connecting to {}", target.display_name());
    let ready = async {
        let session = open(target, &doing).await?;
        let facts = learn(&session, &doing).await?;
        set_up(&session, target, &facts, &doing).await?;
        Ok((session, facts))
    };
    within(target.connect_timeout, FaultKind::Retryable, &doing, ready).await
}

async fn open(target: &PostgresTarget, doing: &str) -> Result<Session, Fault> {
    let config = target.config();
    let failed = |e: tokio_postgres::Error| fault(&e, Phase::Undone, doing);
    // A driver that ends with an error has told the client so already.
    let Some(tls) = &target.tls else {
        let (client, connection) = config.connect(NoTls).await.map_err(failed)?;
        let driver = tokio::spawn(async move {
            let _ = connection.await;
        });
        return Ok(Session::new(client, driver.abort_handle()));
    };
    let connector = Connector::new(tls).map_err(|why| Fault::own(FaultKind::Denied, doing, why))?;
    let (client, connection) = config.connect(connector).await.map_err(failed)?;
    let driver = tokio::spawn(async move {
        let _ = connection.await;
    });
    Ok(Session::new(client, driver.abort_handle()))
}

async fn learn(session: &Session, doing: &str) -> Result<ServerFacts, Fault> {
    let query = "SELECT current_setting('server_version'),current_setting('server_version_num')";
    let (rows, _) = session.rows(query, 1).await.map_err(|e| fault(&e, Phase::Undone, doing))?;
    let mut row = rows.into_iter().next().unwrap_or_default().into_iter().flatten();
    let version = row.next().ok_or_else(|| Fault::own(FaultKind::Retryable, doing, "no answer to its version"))?;
    let number = row.next().and_then(|n| n.parse().ok()).unwrap_or(0);
    Ok(ServerFacts { version: format!("PostgreSQL {version}"), number })
}
