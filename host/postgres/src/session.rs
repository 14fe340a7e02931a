//! How a session is set up before rows or DDL pass through it.

use crate::classify::fault;
use crate::rows::Session;
use crate::{PostgresTarget, ServerFacts};
use tg_sql::{Fault, Phase};

/// A transaction that is left open by a writer that has stopped ends by itself after this.
const IDLE_IN_TRANSACTION_MS: u32 = 60_000;
/// How often a server looks, in the middle of a statement, whether its client is still there.
const CLIENT_CHECK_MS: u32 = 5_000;
/// Servers from this version on can look.
const CLIENT_CHECK_SINCE: u32 = 140_000;
/// What a commit is worth is not left to the server's defaults: what is acknowledged must survive its crash.
const DURABLE: &str =
    "SELECT set_config('synchronous_commit','on',false) WHERE current_setting('synchronous_commit')='off'";

/// The settings as one text.
fn settings(target: &PostgresTarget, facts: &ServerFacts) -> String {
    // Statements are bounded by us; this is for those whose client is gone.
    let statement_ms = target.ddl_timeout.max(target.statement_timeout).as_millis().min(i32::MAX as u128);
    let mut all = vec![
        "SET client_encoding='UTF8'".to_owned(),
        "SET TimeZone='UTC'".to_owned(),
        "SET DateStyle='ISO, MDY'".to_owned(),
        "SET IntervalStyle='postgres'".to_owned(),
        "SET bytea_output='hex'".to_owned(),
        "SET standard_conforming_strings=on".to_owned(),
        "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED".to_owned(),
        format!("SET idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_MS}"),
        format!("SET statement_timeout={statement_ms}"),
        format!("SET lock_timeout={}", target.statement_timeout.as_millis().min(i32::MAX as u128)),
        // Notices (there already, not there) would be read for nothing.
        "SET client_min_messages=error".to_owned(),
        DURABLE.to_owned(),
    ];
    if facts.number >= CLIENT_CHECK_SINCE {
        all.push(format!("SET client_connection_check_interval={CLIENT_CHECK_MS}"));
    }
    all.join(";")
}

/// Sets the session up.
pub(crate) async fn set_up(
    session: &Session,
    target: &PostgresTarget,
    facts: &ServerFacts,
    doing: &str,
) -> Result<(), Fault> {
    session.run_all(&settings(target, facts)).await.map_err(|e| fault(&e, Phase::Undone, doing))
}
