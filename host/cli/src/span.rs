//! Commands on the places of tables.

use crate::{
    CliError, Terminal,
    args::Span,
    client::{Client, encode},
    cluster::text,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(crate) async fn run(
    command: Span,
    client: &Client,
    terminal: &mut Terminal<'_>,
    as_json: bool,
) -> Result<(), CliError> {
    match command {
        Span::List { id } => list(client, terminal, as_json, &id.changefeed_id).await,
        Span::Move { id, slot, to, .. } => {
            let id = id.changefeed_id;
            client.post(&path(client, &id, "/move"), &json!({ "slot": slot, "to": to })).await?;
            let to = to.as_deref().unwrap_or("wherever it fits");
            terminal.say(&format!("Slot {slot} of {id} goes to {to}; `tidegate span list` shows when it is there."))
        }
    }
}

fn path(client: &Client, id: &str, below: &str) -> String {
    let (id, namespace) = (encode(id), encode(&client.namespace));
    format!("/api/v2/tidegate/changefeeds/{id}/spans{below}?keyspace={namespace}")
}

async fn list(client: &Client, terminal: &mut Terminal<'_>, as_json: bool, id: &str) -> Result<(), CliError> {
    let answer = client.get(&path(client, id, "")).await?;
    if as_json {
        return terminal.json(&answer);
    }
    let members = |name: &str| answer[name].as_array().cloned().unwrap_or_default();
    let slots = members("slots");
    if slots.is_empty() {
        return terminal.say(&format!("{id} does not run."));
    }
    let pinned = |s: &Value| if s["pinned"] == true { "pinned".to_owned() } else { String::new() };
    let slot = |s: &Value| vec![text(s, "slot"), text(s, "address"), text(s, "capture"), text(s, "tables"), pinned(s)];
    terminal.table(&["SLOT", "NODE", "ID", "TABLES", ""], slots.iter().map(slot).collect())?;
    let address: BTreeMap<String, String> = slots.iter().map(|s| (text(s, "slot"), text(s, "address"))).collect();
    let span = |s: &Value| {
        let slot = text(s, "slot");
        let at = address.get(&slot).cloned().unwrap_or_default();
        vec![text(s, "table_id"), format!("{}.{}", text(s, "schema"), text(s, "table")), slot, at]
    };
    terminal.table(&["TABLE ID", "TABLE", "SLOT", "NODE"], members("spans").iter().map(span).collect())
}
