//! Commands on plugins.

use crate::{
    CliError, Terminal,
    args_plugin::Plugin,
    client::{Client, encode},
    cluster::{items, text},
    output::{bytes, count},
    plugin_push, plugin_sign,
};
use serde_json::Value;
use std::time::Duration;

/// Longest time one question for lines waits.
const FOLLOW_WAIT: Duration = Duration::from_secs(20);
/// Most lines asked for at a time.
const LINES_MAX: usize = 1_000;
/// Digits of a digest in a list.
const DIGEST_CHARS: usize = 12;

pub(crate) async fn run(
    command: Plugin,
    client: &Client,
    terminal: &mut Terminal<'_>,
    as_json: bool,
) -> Result<(), CliError> {
    match command {
        // The binary has run it: it needs no server.
        Plugin::Author(_) => Ok(()),
        Plugin::Push(args) => plugin_push::push(client, terminal, as_json, args).await,
        Plugin::List => list(client, terminal, as_json).await,
        Plugin::Inspect { plugin } => inspect(client, terminal, as_json, &plugin).await,
        Plugin::Activate { plugin, canary, no_wait } => {
            plugin_push::activate(client, terminal, as_json, (&plugin, canary.as_deref()), no_wait).await
        }
        Plugin::Rollback { name, no_wait } => plugin_push::roll_back(client, terminal, as_json, &name, no_wait).await,
        Plugin::Remove { plugin, no_confirm } => remove(client, terminal, as_json, &plugin, no_confirm).await,
        Plugin::Logs { name, follow, lines } => logs(client, terminal, as_json, &name, (follow, lines)).await,
        Plugin::Keygen { file } => plugin_sign::keygen(terminal, as_json, &file),
        Plugin::Sign { file, key_file, out } => plugin_sign::sign(terminal, as_json, &file, &key_file, out),
    }
}

pub(crate) fn path(plugin: &str, below: &str) -> String {
    format!("/api/v2/plugins/{}{below}", encode(plugin))
}

fn short_digest(digest: &str) -> String {
    digest.trim_start_matches("sha256:").chars().take(DIGEST_CHARS).collect()
}

async fn list(client: &Client, terminal: &mut Terminal<'_>, as_json: bool) -> Result<(), CliError> {
    let answer = client.get("/api/v2/plugins").await?;
    let plugins = items(&answer);
    if as_json {
        return terminal.json(&Value::Array(plugins.to_vec()));
    }
    let row = |p: &Value| {
        let versions = p["versions"].as_array().map_or(&[][..], Vec::as_slice);
        let active = versions.iter().find(|v| v["active"] == true).cloned().unwrap_or_default();
        let others = versions.len().saturating_sub(1);
        let users = p["users"].as_array().map_or(0, Vec::len);
        vec![
            text(p, "name"),
            text(&active, "kind"),
            text(&active, "version"),
            if others == 0 { String::new() } else { format!("+{others}") },
            text(&active, "source"),
            bytes(active["size_bytes"].as_u64().unwrap_or_default()),
            short_digest(&text(&active, "digest")),
            users.to_string(),
        ]
    };
    let head = ["NAME", "KIND", "ACTIVE", "OTHERS", "FROM", "SIZE", "DIGEST", "USES"];
    terminal.table(&head, plugins.iter().map(row).collect())?;
    for plugin in plugins.iter().filter(|p| p["problem"].is_string()) {
        writeln!(
            terminal.err,
            "warning: {}.wasm in the plugin folder: {}",
            text(plugin, "name"),
            text(plugin, "problem")
        )?;
    }
    Ok(())
}

async fn inspect(client: &Client, terminal: &mut Terminal<'_>, as_json: bool, plugin: &str) -> Result<(), CliError> {
    let detail = client.get(&path(plugin, "")).await?;
    if as_json {
        return terminal.json(&detail);
    }
    let (version, whole, usage) = (&detail["version"], &detail["plugin"], &detail["usage"]);
    let number = |name: &str| usage[name].as_u64().unwrap_or_default();
    let active = if version["active"] == true { " (active)" } else { "" };
    let manifest = format!("{} {}", text(&detail, "manifest_name"), text(&detail, "manifest_version"));
    let calls = number("calls");
    let mean_us = if calls == 0 { 0.0 } else { number("guest_ns") as f64 / 1e3 / calls as f64 };
    terminal.pairs(&[
        ("Name", text(whole, "name")),
        ("Version", format!("{}{active}", text(version, "version"))),
        ("Kind", text(version, "kind")),
        ("Digest", text(version, "digest")),
        ("Size", bytes(version["size_bytes"].as_u64().unwrap_or_default())),
        ("From", format!("{} {}", text(version, "source"), text(version, "origin")).trim_end().to_owned()),
        ("Signed by", text(version, "signer")),
        ("Calls itself", manifest),
        (
            "Did here",
            format!("{} calls, {} rows, {mean_us:.1} us a call", count(calls as f64), count(number("rows") as f64)),
        ),
        ("Traps", number("traps").to_string()),
        ("Memory", bytes(number("memory_peak_bytes"))),
    ])?;
    show_parts(terminal, &detail)
}

fn show_parts(terminal: &mut Terminal<'_>, detail: &Value) -> Result<(), CliError> {
    let rows = |value: &Value| value.as_array().cloned().unwrap_or_default();
    for wanted in rows(&detail["capabilities"]) {
        let must = if wanted["required"] == true { "needs" } else { "may use" };
        terminal.say(&format!("It {must} {}: {}", text(&wanted, "name"), text(&wanted, "reason")))?;
    }
    let versions = rows(&detail["plugin"]["versions"]);
    let mark = |v: &Value| if v["active"] == true { "active".to_owned() } else { String::new() };
    let row = |v: &Value| {
        let size = bytes(v["size_bytes"].as_u64().unwrap_or_default());
        vec![text(v, "version"), mark(v), size, short_digest(&text(v, "digest")), text(v, "source")]
    };
    terminal.say("")?;
    terminal.table(&["VERSION", "", "SIZE", "DIGEST", "FROM"], versions.iter().map(row).collect())?;
    let users = rows(&detail["plugin"]["users"]);
    if !users.is_empty() {
        let follows = |u: &Value| if u["follows"] == true { "follows" } else { "stays" };
        let row = |u: &Value| vec![text(u, "changefeed"), text(u, "role"), text(u, "version"), follows(u).to_owned()];
        terminal.say("")?;
        terminal.table(&["CHANGEFEED", "AS", "VERSION", ""], users.iter().map(row).collect())?;
    }
    let schema = &detail["config_schema"];
    if schema.is_object() {
        terminal.say("\nConfiguration:")?;
        terminal.json(schema)?;
    }
    Ok(())
}

async fn remove(
    client: &Client,
    terminal: &mut Terminal<'_>,
    as_json: bool,
    plugin: &str,
    no_confirm: bool,
) -> Result<(), CliError> {
    let what = if plugin.contains('@') { plugin.to_owned() } else { format!("All versions of {plugin}") };
    let confirmed = no_confirm || !terminal.interactive;
    terminal.confirm(confirmed, &format!("{what} will be removed."))?;
    let removed = client.delete(&path(plugin, "")).await?;
    if as_json {
        return terminal.json(&removed);
    }
    let name = plugin.split('@').next().unwrap_or_default();
    for version in removed["removed"].as_array().into_iter().flatten() {
        terminal.say(&format!("Removed {name}@{}.", version.as_str().unwrap_or_default()))?;
    }
    Ok(())
}

async fn logs(
    client: &Client,
    terminal: &mut Terminal<'_>,
    as_json: bool,
    name: &str,
    (follow, lines): (bool, usize),
) -> Result<(), CliError> {
    let all = client.get(&path(name, &format!("/logs?limit={LINES_MAX}"))).await?;
    let all = items(&all);
    let mut last = show_lines(terminal, as_json, all.get(all.len().saturating_sub(lines)..).unwrap_or_default())?;
    if !follow {
        return Ok(());
    }
    let wait = FOLLOW_WAIT.as_millis();
    loop {
        let more = client.get(&path(name, &format!("/logs?after={last}&limit={LINES_MAX}&wait_ms={wait}"))).await?;
        last = last.max(show_lines(terminal, as_json, items(&more))?);
    }
}

/// The number of the last line.
fn show_lines(terminal: &mut Terminal<'_>, as_json: bool, lines: &[Value]) -> Result<u64, CliError> {
    for line in lines {
        if as_json {
            terminal.say(&line.to_string())?;
            continue;
        }
        let at = i64::try_from(line["at_ms"].as_u64().unwrap_or_default()).unwrap_or_default();
        let at = jiff::Timestamp::from_millisecond(at).unwrap_or_default();
        let level = text(line, "level").to_ascii_uppercase();
        let place = format!("{} {}/{}", text(line, "changefeed"), text(line, "slot"), text(line, "lane"));
        terminal.say(&format!("{at:.3} {level:>5} {place}  {}", text(line, "text")))?;
    }
    terminal.out.flush()?;
    Ok(lines.last().and_then(|l| l["seq"].as_u64()).unwrap_or_default())
}

/// What became of the changefeeds of a change, one line each.
pub(crate) fn show_swaps(terminal: &mut Terminal<'_>, feeds: &Value) -> Result<(), CliError> {
    for feed in feeds.as_array().into_iter().flatten() {
        terminal.say(&format!("  {}", swap_line(feed)))?;
    }
    Ok(())
}

/// `orders: swapped at (…), rows waited 1.2 ms`.
pub(crate) fn swap_line(feed: &Value) -> String {
    let mut line = format!("{}: {}", text(feed, "changefeed"), text(feed, "outcome"));
    let position = text(feed, "position");
    if !position.is_empty() {
        line += &format!(" at {position}");
    }
    if let Some(us) = feed["stall_us"].as_u64() {
        line += &format!(", rows waited {:.1} ms", us as f64 / 1e3);
    }
    let (code, message) = (text(feed, "code"), text(feed, "message"));
    match (code.is_empty(), message.is_empty()) {
        (_, true) => {}
        (true, false) => line += &format!(" ({message})"),
        (false, false) => line += &format!(" ({code}: {message})"),
    }
    line
}

#[cfg(test)]
mod tests {
    use super::swap_line;
    use serde_json::json;

    #[test]
    fn a_swap_is_one_line() {
        let feed = json!({"changefeed": "orders", "outcome": "swapped", "position": "(7, rows)", "stall_us": 1_234});
        assert_eq!(swap_line(&feed), "orders: swapped at (7, rows), rows waited 1.2 ms");
        let feed = json!({"changefeed": "orders", "outcome": "refused", "code": "TG-4015", "message": "why"});
        assert_eq!(swap_line(&feed), "orders: refused (TG-4015: why)");
        let feed = json!({"changefeed": "orders", "outcome": "elsewhere", "message": "it runs on h:1"});
        assert_eq!(swap_line(&feed), "orders: elsewhere (it runs on h:1)");
    }
}
