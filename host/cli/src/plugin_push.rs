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
/// After so long the node that runs a changefeed knows what the name of a plugin has come to mean: it looks every second.
const NOTICED: Duration = Duration::from_secs(3);
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
    let version = format!("{}@{}", text(&change, "name"), text(&change, "version"));
    for (i, feed) in feeds.iter().enumerate().filter(|_| !no_wait) {
        let last = match feed["outcome"].as_str() {
            Some("swapped") => settled(client, feed).await?,
            Some("elsewhere") => arrived(client, feed, &version).await?,
            _ => continue,
        };
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

fn plugins_of(feed: &Value) -> String {
    let (name, namespace) = (text(feed, "changefeed"), text(feed, "namespace"));
    format!("/api/v2/tidegate/changefeeds/{}/plugins?keyspace={}", encode(&name), encode(&namespace))
}

/// Waits until the node that runs a changefeed has swapped it to a version and kept that, or will not; how it ended.
async fn arrived(client: &Client, feed: &Value, version: &str) -> Result<Value, CliError> {
    let begun = Instant::now();
    loop {
        let looked = begun.elapsed();
        match client.get(&plugins_of(feed)).await {
            Ok(now) => {
                if let Some(end) = end_of(feed, &now, version, looked >= NOTICED) {
                    return Ok(end);
                }
            }
            // The changefeed may be on its way to another node.
            Err(error) if looked >= WAIT_MAX => return Err(error),
            Err(_) => {}
        }
        if looked >= WAIT_MAX {
            return Ok(feed.clone());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// How a swap on another node has ended, from what that node says of the changefeed; `None`: it has not. `noticed`: that node has had
/// time to see that there is something to swap to.
fn end_of(feed: &Value, now: &Value, version: &str, noticed: bool) -> Option<Value> {
    if now["doing"].as_str().is_some_and(|doing| !doing.is_empty()) {
        return None;
    }
    let tried = |last: &&Value| {
        let to = last["to"].as_array().into_iter().flatten();
        to.filter_map(Value::as_str).any(|to| to.split(' ').next_back() == Some(version))
    };
    let last = now.get("last").filter(tried);
    let mut plugins = now["plugins"].as_array().into_iter().flatten();
    if plugins.any(|p| format!("{}@{}", text(p, "name"), text(p, "version")) == version) {
        let mut swapped = last.unwrap_or(feed).clone();
        swapped["outcome"] = json!("swapped");
        return Some(swapped);
    }
    last.filter(|last| noticed && last["outcome"] != "swapped").cloned()
}

/// Waits for the end of the probation; the changefeed's last swap as it stands then.
async fn settled(client: &Client, feed: &Value) -> Result<Value, CliError> {
    let path = plugins_of(feed);
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

#[cfg(test)]
mod tests {
    use super::end_of;
    use serde_json::{Value, json};

    fn now(runs: &str, doing: &str, last: &Value) -> Value {
        json!({"plugins": [{"name": "orders", "version": runs}], "doing": doing, "last": last})
    }

    #[test]
    fn a_swap_on_another_node_ends_when_that_node_says_so() {
        let feed = json!({"changefeed": "shop", "outcome": "elsewhere", "message": "it runs on h:1"});
        let end = |now: &Value, noticed| end_of(&feed, now, "orders@2", noticed);
        let last = |outcome: &str, to: &str| json!({"outcome": outcome, "to": [format!("sink {to}")]});
        assert_eq!(end(&now("1", "", &Value::Null), true), None, "it has not looked yet");
        assert_eq!(end(&now("2", "on probation", &last("swapped", "orders@2")), true), None);
        let kept = end(&now("2", "", &last("swapped", "orders@2")), false).unwrap();
        assert_eq!(kept["outcome"], "swapped");
        let found = end(&now("2", "", &Value::Null), false).unwrap();
        assert_eq!(found["outcome"], "swapped", "it began with the version");
        let back = now("1", "", &last("rolled-back", "orders@2"));
        assert_eq!(end(&back, false), None, "that may have been an earlier try");
        assert_eq!(end(&back, true).unwrap()["outcome"], "rolled-back");
        assert_eq!(end(&now("1", "", &last("refused", "orders@3")), true), None, "of another version");
    }
}
