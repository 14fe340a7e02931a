//! Commands on rows that were put aside.

use crate::{
    CliError, Terminal,
    args_plugin::{Quarantine, Rows},
    client::{Client, encode},
    cluster::{items, text},
};
use serde_json::{Value, json};

/// Characters of a reason in a list.
const REASON_CHARS: usize = 80;

pub(crate) async fn run(
    command: Quarantine,
    client: &Client,
    terminal: &mut Terminal<'_>,
    as_json: bool,
) -> Result<(), CliError> {
    match command {
        Quarantine::List { id, after, limit } => {
            list(client, terminal, as_json, &id.changefeed_id, (after, limit)).await
        }
        Quarantine::Show { id, row } => show(client, terminal, as_json, &id.changefeed_id, row).await,
        Quarantine::Replay { id, rows } => replay(client, terminal, as_json, &id.changefeed_id, rows).await,
        Quarantine::Drop { id, rows } => drop_rows(client, terminal, as_json, &id.changefeed_id, rows).await,
    }
}

fn path(client: &Client, id: &str, below: &str, query: &str) -> String {
    let (id, namespace) = (encode(id), encode(&client.namespace));
    format!("/api/v2/tidegate/changefeeds/{id}/quarantine{below}?keyspace={namespace}{query}")
}

async fn list(
    client: &Client,
    terminal: &mut Terminal<'_>,
    as_json: bool,
    id: &str,
    (after, limit): (u64, usize),
) -> Result<(), CliError> {
    let answer = client.get(&path(client, id, "", &format!("&after={after}&limit={limit}"))).await?;
    if as_json {
        return terminal.json(&answer);
    }
    let rows = items(&answer);
    if rows.is_empty() {
        writeln!(terminal.err, "No row of {id} is put aside.")?;
        return Ok(());
    }
    let row = |r: &Value| {
        let reason: String = text(r, "message").chars().take(REASON_CHARS).collect();
        vec![
            text(r, "id"),
            format!("{}.{}", text(r, "schema"), text(r, "table")),
            text(r, "op"),
            text(r, "commit_ts"),
            text(r, "by"),
            text(r, "code"),
            reason,
        ]
    };
    let head = ["ROW", "TABLE", "OP", "COMMIT-TS", "BY", "CODE", "REASON"];
    terminal.table(&head, rows.iter().map(row).collect())?;
    let total = answer["total"].as_u64().unwrap_or_default();
    if total > rows.len() as u64 {
        writeln!(terminal.err, "{} of {total} rows; --after and --limit show others.", rows.len())?;
    }
    Ok(())
}

async fn show(client: &Client, terminal: &mut Terminal<'_>, as_json: bool, id: &str, row: u64) -> Result<(), CliError> {
    let found = client.get(&path(client, id, &format!("/rows/{row}"), "")).await?;
    if as_json {
        return terminal.json(&found);
    }
    terminal.pairs(&[
        ("Row", text(&found, "id")),
        ("Table", format!("{}.{}", text(&found, "schema"), text(&found, "table"))),
        ("Op", text(&found, "op")),
        ("Commit", text(&found, "commit_ts")),
        ("By", text(&found, "by")),
        ("Reason", format!("{}: {}", text(&found, "code"), text(&found, "message"))),
    ])?;
    terminal.json(&found["row"])
}

fn chosen(rows: &Rows) -> Value {
    if rows.all { json!({ "all": true }) } else { json!({ "ids": rows.rows }) }
}

fn named(rows: &Rows) -> String {
    if rows.all { "All rows".to_owned() } else { format!("{} rows", rows.rows.len()) }
}

async fn replay(
    client: &Client,
    terminal: &mut Terminal<'_>,
    as_json: bool,
    id: &str,
    rows: Rows,
) -> Result<(), CliError> {
    let confirmed = rows.no_confirm || !terminal.interactive;
    let what =
        format!("{} of {id} will be written; what was written to their keys since is written over.", named(&rows));
    terminal.confirm(confirmed, &what)?;
    let done = client.post(&path(client, id, "/replay", ""), &chosen(&rows)).await?.body;
    if as_json {
        return terminal.json(&done);
    }
    terminal.say(&format!("{} rows are written and out of the quarantine.", text(&done, "written")))?;
    for refused in done["refused"].as_array().into_iter().flatten() {
        let reason = refused[1].as_str().unwrap_or_default();
        terminal.say(&format!("  row {} stays: {reason}", refused[0]))?;
    }
    Ok(())
}

async fn drop_rows(
    client: &Client,
    terminal: &mut Terminal<'_>,
    as_json: bool,
    id: &str,
    rows: Rows,
) -> Result<(), CliError> {
    let confirmed = rows.no_confirm || !terminal.interactive;
    terminal.confirm(confirmed, &format!("{} of {id} will be deleted for good.", named(&rows)))?;
    let done = client.post(&path(client, id, "/drop", ""), &chosen(&rows)).await?.body;
    if as_json {
        return terminal.json(&done);
    }
    terminal.say(&format!("{} rows are deleted.", text(&done, "dropped")))
}
