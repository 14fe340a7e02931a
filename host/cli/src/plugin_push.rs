//! Pushing, activating, rolling back: and watching until it is certain.

use crate::{
    CliError, Terminal,
    args_plugin::PushArgs,
    client::{Client, encode},
    cluster::text,
    plugin::{path, show_swaps, swap_line},
};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Between two looks at a changefeed whose plugins are on probation.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Longest time the end of a probation is waited for.
const WAIT_MAX: Duration = Duration::from_secs(120);

pub(crate) async fn push(
    client: &Client,
    terminal: &mut Terminal<'_>,
    as_json: bool,
    args: PushArgs,
) -> Result<(), CliError> {
    let component = read(&args.file, "COMPONENT")?;
    let signature = signature(&args)?;
    let mut query = format!("/api/v2/plugins?activate={}", args.activate);
    for (name, value) in [("name", &args.name), ("version", &args.version), ("canary", &args.canary)] {
        if let Some(value) = value {
            query += &format!("&{name}={}", encode(value));
        }
    }
    let change = client.upload(&query, component, signature.as_deref()).await?;
    finish(client, terminal, as_json, change, args.no_wait).await
}

fn read(file: &Path, flag: &'static str) -> Result<Vec<u8>, CliError> {
    std::fs::read(file).map_err(|e| CliError::BadArgument { flag, reason: format!("{}: {e}", file.display()) })
}

/// The signature's text: of the file that was named, or of the one beside the component.
fn signature(args: &PushArgs) -> Result<Option<String>, CliError> {
    let beside = PathBuf::from(format!("{}.sig", args.file.display()));
    let file = match &args.signature {
        Some(file) => file,
        None if beside.exists() => &beside,
        None => return Ok(None),
    };
    let bytes = read(file, "--signature")?;
    Ok(Some(String::from_utf8_lossy(&bytes).trim().to_owned()))
}

pub(crate) async fn activate(
    client: &Client,
    terminal: &mut Terminal<'_>,
    as_json: bool,
    (plugin, canary): (&str, Option<&str>),
    no_wait: bool,
) -> Result<(), CliError> {
    let bad = || CliError::BadArgument { flag: "NAME@VERSION", reason: format!("`{plugin}` names no version") };
    let (name, version) = plugin.split_once('@').ok_or_else(bad)?;
    let mut below = format!("/activate?version={}", encode(version));
    if let Some(canary) = canary {
        below += &format!("&canary={}", encode(canary));
    }
    let change = client.post(&path(name, &below), &json!({})).await?.body;
    finish(client, terminal, as_json, change, no_wait).await
}

pub(crate) async fn roll_back(
    client: &Client,
    terminal: &mut Terminal<'_>,
    as_json: bool,
    name: &str,
    no_wait: bool,
) -> Result<(), CliError> {
    let change = client.post(&path(name, "/rollback"), &json!({})).await?.body;
    finish(client, terminal, as_json, change, no_wait).await
}

/// Shows the change, and waits until the changefeeds that swapped have kept it or gone back.
async fn finish(
    client: &Client,
    terminal: &mut Terminal<'_>,
    as_json: bool,
    mut change: Value,
    no_wait: bool,
) -> Result<(), CliError> {
    if !as_json {
        terminal.say(&headline(&change))?;
        show_swaps(terminal, &change["changefeeds"])?;
        terminal.out.flush()?;
    }
    let feeds = change["changefeeds"].as_array().cloned().unwrap_or_default();
    let mut failed = feeds.iter().find(|f| f["outcome"] == "refused").cloned();
    let swapped = feeds.iter().enumerate().filter(|(_, f)| f["outcome"] == "swapped");
    for (i, feed) in swapped.filter(|_| !no_wait) {
        let last = settled(client, feed).await?;
        if last["outcome"] != "swapped" {
            failed = Some(last.clone());
        }
        if !as_json {
            terminal.say(&format!("  {}", ended(feed, &last)))?;
        }
        change["changefeeds"][i] = last;
    }
    if as_json {
        terminal.json(&change)?;
    }
    failed.map_or(Ok(()), |feed| Err(refused(&feed)))
}

fn headline(change: &Value) -> String {
    let plugin = format!("{}@{}", text(change, "name"), text(change, "version"));
    let what = match (change["new"] == true, change["active"] == true) {
        (true, true) => "is pushed and active",
        (true, false) => "is pushed; `tidegate plugin activate` makes it the active version",
        (false, true) => "is active",
        (false, false) => "was there already",
    };
    let before = text(change, "before");
    let before = if before.is_empty() { before } else { format!(", after {before}") };
    format!("{plugin} ({}) {what}{before}.\n{}", text(change, "kind"), text(change, "digest"))
}

fn ended(feed: &Value, last: &Value) -> String {
    if last["outcome"] == "swapped" { format!("{}: stays", text(feed, "changefeed")) } else { swap_line(last) }
}

/// Waits for the end of the probation; the changefeed's last swap as it stands then.
async fn settled(client: &Client, feed: &Value) -> Result<Value, CliError> {
    let path = format!(
        "/api/v2/tidegate/changefeeds/{}/plugins?keyspace={}",
        encode(&text(feed, "changefeed")),
        encode(&text(feed, "namespace"))
    );
    let deadline = Instant::now() + WAIT_MAX;
    loop {
        let now = client.get(&path).await?;
        if now["doing"].as_str().is_none_or(str::is_empty) || Instant::now() >= deadline {
            return Ok(now.get("last").filter(|l| l.is_object()).unwrap_or(feed).clone());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn refused(feed: &Value) -> CliError {
    let code = text(feed, "code");
    let code = code.strip_prefix("TG-").and_then(|digits| digits.parse().ok()).map(tg_model::Code);
    CliError::Refused { message: format!("{}: {}", text(feed, "changefeed"), text(feed, "message")), code }
}
