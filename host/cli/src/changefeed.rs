//! Commands on changefeeds, without create and update.

use crate::{
    CliError, Terminal,
    client::Client,
    cluster::{self, items, text},
    output::{bytes, count, span},
};
use serde_json::{Value, json};
use tg_model::CodePage;

/// Characters of an error in a list.
const ERROR_CHARS: usize = 72;

pub(crate) async fn list(
    client: &Client,
    terminal: &mut Terminal<'_>,
    as_json: bool,
    all: bool,
) -> Result<(), CliError> {
    let state = if all { "all" } else { "" };
    if as_json {
        let answer = client.get(&format!("/api/v2/changefeeds?keyspace={}&state={state}", client.namespace)).await?;
        // The shape that `cdc cli changefeed list` prints.
        let summary = |f: &Value| {
            json!({
                "id": f["id"],
                "keyspace": f["keyspace"],
                "summary": {
                    "state": f["state"],
                    "tso": f["checkpoint_tso"],
                    "checkpoint": f["checkpoint_time"],
                    "error": f["error"],
                },
            })
        };
        return terminal.json(&items(&answer).iter().map(summary).collect());
    }
    let path = format!("/api/v2/tidegate/overview?keyspace={}&state={state}", client.namespace);
    let overview = client.get(&path).await?;
    let feeds = overview.get("changefeeds").and_then(Value::as_array).cloned().unwrap_or_default();
    if feeds.is_empty() {
        writeln!(terminal.err, "No changefeed. Create one with `tidegate changefeed create --sink-uri …`.")?;
        return Ok(());
    }
    let row = |f: &Value| {
        let p = &f["progress"];
        vec![
            text(f, "id"),
            text(f, "state"),
            span(p["checkpoint_lag_ms"].as_u64().unwrap_or_default()),
            text(f, "checkpoint_time"),
            count(p["rows_per_sec"].as_f64().unwrap_or_default()),
            count(p["rows_total"].as_f64().unwrap_or_default()),
            text(f, "sink_uri"),
            short(error_line(&f["error"])),
        ]
    };
    let head = ["ID", "STATE", "LAG", "CHECKPOINT", "ROWS/S", "ROWS", "SINK", "ERROR"];
    terminal.table(&head, feeds.iter().map(row).collect())
}

/// `code: message`, or nothing.
fn error_line(error: &Value) -> String {
    if error.is_object() { format!("{}: {}", text(error, "code"), text(error, "message")) } else { String::new() }
}

/// As much of an error as a line of a list takes; `query` shows all of it.
fn short(text: String) -> String {
    if text.chars().count() <= ERROR_CHARS { text } else { text.chars().take(ERROR_CHARS - 1).chain(['…']).collect() }
}

pub(crate) async fn query(
    client: &Client,
    terminal: &mut Terminal<'_>,
    as_json: bool,
    id: &str,
    simple: bool,
    pages: &[&[CodePage]],
) -> Result<(), CliError> {
    let mut info = client.get(&client.feed(id, "")).await?;
    if as_json {
        if let Some(members) = info.as_object_mut() {
            let checkpoint = members.remove("checkpoint_ts").unwrap_or_default();
            members.insert("checkpoint_tso".to_owned(), checkpoint);
            let kept = ["upstream_id", "id", "keyspace", "state", "checkpoint_tso", "checkpoint_time", "error"];
            members.retain(|name, _| if simple { kept.contains(&name.as_str()) } else { name != "gid" });
        }
        return terminal.json(&info);
    }
    let lines = |simple: bool| {
        let detail = |name: &str| {
            if simple { String::new() } else { text(&info, name) }
        };
        [
            ("ID", text(&info, "id")),
            ("State", text(&info, "state")),
            ("Sink", detail("sink_uri")),
            ("Created", detail("create_time")),
            ("Start", detail("start_ts")),
            ("Target", detail("target_ts")),
            ("Checkpoint", format!("{} ({})", text(&info, "checkpoint_ts"), text(&info, "checkpoint_time"))),
            ("Resolved", detail("resolved_ts")),
            ("Leader", detail("maintainer_addr")),
            ("Error", error_line(&info["error"])),
        ]
    };
    terminal.pairs(&lines(simple))?;
    show_help(terminal, &info["error"], pages)?;
    if simple {
        return Ok(());
    }
    let path = format!("/api/v2/tidegate/changefeeds/{id}/progress?keyspace={}", client.namespace);
    let progress = client.get(&path).await?;
    show_progress(terminal, &progress["progress"])
}

/// Why an error of this code happens and what to do about it.
fn show_help(terminal: &mut Terminal<'_>, error: &Value, pages: &[&[CodePage]]) -> Result<(), CliError> {
    let code = text(error, "code");
    let page = pages.iter().copied().flatten().find(|p| p.code.to_string() == code);
    page.map_or(Ok(()), |p| terminal.say(&format!("  why:  {}\n  next: {}", p.cause, p.action)))
}

fn show_progress(terminal: &mut Terminal<'_>, p: &Value) -> Result<(), CliError> {
    let number = |name: &str| p[name].as_u64().unwrap_or_default();
    let real = |name: &str| p[name].as_f64().unwrap_or_default();
    let ddls = match (number("ddls_total"), number("syncpoints_total")) {
        (ddls, 0) => ddls.to_string(),
        (ddls, syncpoints) => format!("{ddls}, and {syncpoints} sync points"),
    };
    let memory = format!("{} of {}", bytes(number("memory_bytes")), bytes(number("memory_limit_bytes")));
    terminal.pairs(&[
        ("Lag", span(number("checkpoint_lag_ms"))),
        ("Rows", format!("{} ({}/s)", count(real("rows_total")), count(real("rows_per_sec")))),
        ("Bytes", format!("{} ({}/s)", bytes(number("bytes_total")), bytes(real("bytes_per_sec") as u64))),
        ("DDLs", ddls),
        ("Tables", number("tables").to_string()),
        ("Memory", memory),
        ("On disk", bytes(number("spilled_bytes"))),
        ("Put aside", rows_aside(p)),
    ])?;
    show_plugins(terminal, &p["plugins"])?;
    show_waiting(terminal, p)
}

/// How many rows are in the quarantine; nothing when there is none.
fn rows_aside(progress: &Value) -> String {
    match progress["quarantined"].as_u64().unwrap_or_default() {
        0 => String::new(),
        n => format!("{n} rows; `tidegate quarantine list` shows them"),
    }
}

/// The plugins in the order rows pass them, and what happened to them last.
fn show_plugins(terminal: &mut Terminal<'_>, plugins: &Value) -> Result<(), CliError> {
    for plugin in plugins["plugins"].as_array().into_iter().flatten() {
        let follows = if plugin["follows"] == true { "" } else { ", stays with this version" };
        let name = format!("{}@{}", text(plugin, "name"), text(plugin, "version"));
        terminal.say(&format!("Plugin:  {} {name}{follows}", text(plugin, "role")))?;
    }
    let doing = text(plugins, "doing");
    if !doing.is_empty() {
        terminal.say(&format!("Plugins are {doing}."))?;
    }
    let last = &plugins["last"];
    if last.is_object() {
        terminal.say(&format!("Last swap: {}", crate::plugin::swap_line(last)))?;
    }
    Ok(())
}

fn show_waiting(terminal: &mut Terminal<'_>, p: &Value) -> Result<(), CliError> {
    for wait in p.get("waiting").and_then(Value::as_array).into_iter().flatten() {
        let since = span(wait["since_ms"].as_u64().unwrap_or_default());
        terminal.say(&format!("Waiting for {since}: {}\n  next: {}", text(wait, "what"), text(wait, "next_step")))?;
    }
    Ok(())
}

pub(crate) async fn why(
    client: &Client,
    terminal: &mut Terminal<'_>,
    as_json: bool,
    id: &str,
    pages: &[&[CodePage]],
) -> Result<(), CliError> {
    let path = format!("/api/v2/tidegate/changefeeds/{id}/why?keyspace={}", client.namespace);
    let why = client.get(&path).await?;
    if as_json {
        return terminal.json(&why);
    }
    let lag = span(why["checkpoint_lag_ms"].as_u64().unwrap_or_default());
    terminal.say(&format!("{id} is {}, {lag} behind.", text(&why, "state")))?;
    let error = error_line(&why["error"]);
    if !error.is_empty() {
        terminal.say(&format!("Last error: {error}"))?;
        show_help(terminal, &why["error"], pages)?;
    }
    show_plugins(terminal, &why["plugins"])?;
    let aside = rows_aside(&why);
    if !aside.is_empty() {
        terminal.say(&format!("Put aside: {aside}"))?;
    }
    if error.is_empty() && why["waiting"].as_array().is_none_or(Vec::is_empty) {
        terminal.say("It waits for nothing.")?;
    }
    show_waiting(terminal, &why)
}

pub(crate) async fn pause(client: &Client, terminal: &mut Terminal<'_>, id: &str) -> Result<(), CliError> {
    client.post(&client.feed(id, "/pause"), &json!({})).await?;
    writeln!(terminal.err, "Paused {id}; `tidegate changefeed resume -c {id}` goes on from its checkpoint.")?;
    Ok(())
}

pub(crate) async fn resume(
    client: &Client,
    terminal: &mut Terminal<'_>,
    id: &str,
    from: Option<&str>,
    no_confirm: bool,
) -> Result<(), CliError> {
    let overwrite = match from {
        None => 0,
        Some("now") => cluster::tso(client).await?,
        Some(text) => text.parse().map_err(|_| CliError::BadArgument {
            flag: "--overwrite-checkpoint-ts",
            reason: format!("`{text}` is neither `now` nor a timestamp like 470609059287662600"),
        })?,
    };
    if overwrite != 0 {
        let info = client.get(&client.feed(id, "")).await?;
        let old = text(&info, "checkpoint_ts");
        let what = format!("Changes of {id} from {old} to {overwrite} will not be as they were committed.");
        terminal.confirm(no_confirm, &what)?;
    }
    client.post(&client.feed(id, "/resume"), &json!({ "overwrite_checkpoint_ts": overwrite })).await?;
    terminal.say("Resume changefeed successfully!")?;
    terminal.say(&format!("ID: {id}\nOverwriteCheckpointTs: {}", overwrite != 0))
}

pub(crate) async fn remove(
    client: &Client,
    terminal: &mut Terminal<'_>,
    id: &str,
    no_confirm: bool,
) -> Result<(), CliError> {
    let info = match client.get(&client.feed(id, "")).await {
        Ok(info) => info,
        // Gone is what was wanted, as for `cdc cli`.
        Err(CliError::Refused { code: Some(tg_model::Code(6101)), .. }) => {
            return terminal.say(&format!("Changefeed not found.\nID: {id}"));
        }
        Err(error) => return Err(error),
    };
    // Scripts remove without a flag; only a person is asked.
    let confirmed = no_confirm || !terminal.interactive;
    terminal.confirm(confirmed, &format!("{id} and its checkpoint will be removed."))?;
    client.delete(&client.feed(id, "")).await?;
    terminal.say("Changefeed remove successfully.")?;
    terminal.say(&format!("ID: {id}"))?;
    terminal.say(&format!("CheckpointTs: {}\nSinkURI: {}", text(&info, "checkpoint_ts"), text(&info, "sink_uri")))
}
