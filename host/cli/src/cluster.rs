//! Commands on nodes and the upstream.

use crate::{
    CliError, Terminal,
    client::{Client, encode},
};
use serde_json::{Value, json};

pub(crate) fn text(value: &Value, name: &str) -> String {
    match value.get(name) {
        Some(Value::String(s)) => s.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    }
}

pub(crate) fn items(list: &Value) -> &[Value] {
    list.get("items").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

pub(crate) async fn captures(client: &Client, terminal: &mut Terminal<'_>, as_json: bool) -> Result<(), CliError> {
    let answer = client.get("/api/v2/captures").await?;
    let captures = items(&answer);
    if as_json {
        // The names that `cdc cli capture list` prints.
        let renamed = captures.iter().map(|c| {
            json!({ "id": c["id"], "is-owner": c["is_owner"], "address": c["address"], "cluster-id": c["cluster_id"], "state": c["tidegate_state"] })
        });
        return terminal.json(&renamed.collect());
    }
    let owner = |c: &Value| {
        if c["is_owner"] == true { "owner".to_owned() } else { String::new() }
    };
    let row =
        |c: &Value| vec![text(c, "id"), text(c, "address"), owner(c), text(c, "cluster_id"), text(c, "tidegate_state")];
    terminal.table(&["ID", "ADDRESS", "ROLE", "CLUSTER", "STATE"], captures.iter().map(row).collect())
}

pub(crate) async fn drain(client: &Client, terminal: &mut Terminal<'_>, id: &str) -> Result<(), CliError> {
    let answer = client.post(&format!("/api/v2/captures/{id}/drain"), &json!({})).await?;
    terminal.say(&format!("Node {id} still holds {} tables.", text(&answer.body, "current_table_count")))
}

/// Puts a node into maintenance for so many seconds of absence, or takes it out.
pub(crate) async fn maintenance(
    client: &Client,
    terminal: &mut Terminal<'_>,
    as_json: bool,
    node: &str,
    seconds: Option<u64>,
) -> Result<(), CliError> {
    let path = format!("/api/v2/tidegate/captures/{}/maintenance", encode(node));
    let answer = match seconds {
        Some(seconds) => client.post(&format!("{path}?away_max_ms={}", seconds * 1_000), &json!({})).await?.body,
        None => client.delete(&path).await?,
    };
    if as_json {
        return terminal.json(&answer);
    }
    let address = text(&answer, "address");
    let Some(seconds) = seconds else {
        return terminal.say(&format!("Node {address} takes work again."));
    };
    terminal.say(&format!(
        "Node {address} is in maintenance: it gets nothing new, and what it runs waits for it while it is away, for {seconds} s.\n\
         `tidegate capture maintenance {address} --off` ends that."
    ))
}

pub(crate) async fn status(client: &Client, terminal: &mut Terminal<'_>, as_json: bool) -> Result<(), CliError> {
    let status = client.get("/api/v2/status").await?;
    if as_json {
        return terminal.json(&status);
    }
    let liveness = ["alive", "draining", "stopping"];
    let liveness = status["liveness"].as_u64().and_then(|n| liveness.get(usize::try_from(n).ok()?).copied());
    let health = match client.get("/api/v2/health").await {
        Ok(_) => "healthy".to_owned(),
        Err(CliError::Refused { message, .. }) => message,
        Err(error) => return Err(error),
    };
    terminal.pairs(&[
        ("Node", text(&status, "id")),
        ("Version", text(&status, "version")),
        ("Cluster", text(&status, "cluster_id")),
        ("Owner", text(&status, "is_owner")),
        ("State", liveness.unwrap_or_default().to_owned()),
        ("Health", health),
    ])
}

/// A fresh timestamp.
pub(crate) async fn tso(client: &Client) -> Result<u64, CliError> {
    let answer = client.post("/api/v2/tso", &json!({})).await?.body;
    let part = |name: &str| answer.get(name).and_then(Value::as_u64).unwrap_or_default();
    Ok(tg_model::Ts::compose(part("timestamp"), part("logic_time")).get())
}
