//! From a target to a session that is ready.

use crate::classify::fault;
use crate::session::set_up;
use crate::{Flavor, MysqlTarget, ServerFacts};
use base64::Engine;
use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use tg_sql::{Fault, FaultKind, Phase, patiently, within};

/// What `max_allowed_packet` is taken for when the server does not say.
const PACKET_DEFAULT_BYTES: u32 = 4 << 20;

/// Connects, trying again while the server cannot be reached, and sets the session up.
pub(crate) async fn connect(target: &MysqlTarget) -> Result<(Conn, ServerFacts), Fault> {
    patiently(|| once(target)).await
}

async fn once(target: &MysqlTarget) -> Result<(Conn, ServerFacts), Fault> {
    let doing = format!("connecting to {}", target.display_name());
    let ready = async {
        let mut conn = authenticate(target, &doing).await?;
        let facts = learn(&mut conn, &doing).await?;
        set_up(&mut conn, facts.flavor, &target.tidb_txn_mode, &doing).await?;
        Ok((conn, facts))
    };
    within(target.connect_timeout, FaultKind::Retryable, &doing, ready).await
}

async fn authenticate(target: &MysqlTarget, doing: &str) -> Result<Conn, Fault> {
    let failed = |e| fault(e, Phase::Undone, doing);
    let first = Conn::new(target.opts(target.password.reveal())).await.map_err(failed);
    match first {
        Err(denied) if denied.kind == FaultKind::Denied => match decoded(target.password.reveal()) {
            Some(password) => Conn::new(target.opts(&password)).await.map_err(|_| denied),
            None => Err(denied),
        },
        other => other,
    }
}

/// What a password in base64 stands for.
fn decoded(password: &str) -> Option<String> {
    let bytes = base64::engine::general_purpose::STANDARD.decode(password).ok()?;
    String::from_utf8(bytes).ok().filter(|p| !p.is_empty())
}

async fn learn(conn: &mut Conn, doing: &str) -> Result<ServerFacts, Fault> {
    let query = "SELECT VERSION(),@@max_allowed_packet";
    let row: Option<(String, u64)> = conn.query_first(query).await.map_err(|e| fault(e, Phase::Undone, doing))?;
    let (version, packet) = row.ok_or_else(|| Fault::own(FaultKind::Retryable, doing, "no answer to its version"))?;
    let tidb = Flavor::of(&version, false) == Flavor::Mysql
        && conn.query_first::<String, _>("SELECT tidb_version()").await.is_ok();
    Ok(ServerFacts {
        flavor: Flavor::of(&version, tidb),
        version,
        max_packet_bytes: if packet == 0 { PACKET_DEFAULT_BYTES } else { u32::try_from(packet).unwrap_or(u32::MAX) },
    })
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn only_base64_is_decoded() {
        assert_eq!(decoded("aHVudGVyMg==").as_deref(), Some("hunter2"));
        for plain in ["", "secret!", "/w=="] {
            assert_eq!(decoded(plain), None, "{plain:?}");
        }
    }
}
