//! Creating and changing changefeeds.

use crate::{
    CliError, Terminal,
    args::{CreateArgs, UpdateArgs},
    client::{Answer, Client},
    cluster::{self, text},
    output::span,
};
use serde_json::{Map, Value, json};
use std::path::Path;
use tg_config::{ChangefeedConfig, SecretUri, SinkUri, Warning};
use tg_model::{ChangefeedId, Ts};

/// A start further back than this is asked about.
const OLD_START_MS: u64 = 86_400_000;

pub(crate) async fn create(
    client: &Client,
    terminal: &mut Terminal<'_>,
    as_json: bool,
    args: CreateArgs,
) -> Result<(), CliError> {
    // Read here first: mistakes in a file are best shown with its lines.
    let uri = SinkUri::parse(&args.sink_uri)?;
    if let Some(name) = args.changefeed_id.as_deref().filter(|n| ChangefeedId::new(&client.namespace, n).is_none()) {
        let reason =
            format!("`{name}` is no name; use letters, digits, - and _, at most {}", ChangefeedId::LEN_MAX_BYTES);
        return Err(CliError::BadArgument { flag: "--changefeed-id", reason });
    }
    let (mut config, warnings) = load(args.config.as_deref())?;
    warn(terminal, warnings.iter().chain(&uri.warnings))?;
    if let Some(url) = args.schema_registry {
        config.sink.schema_registry = Some(SecretUri::new(url));
    }
    let now = cluster::tso(client).await?;
    let start_ts = args.start_ts.unwrap_or(now);
    let age_ms = Ts::new(now).ms_since(Ts::new(start_ts));
    if age_ms > OLD_START_MS {
        let what = format!("The start lies {} back; catching up may take long.", span(age_ms));
        terminal.confirm(args.no_confirm, &what)?;
    }
    let replica_config = config.to_stored();
    let verify = json!({ "replica_config": replica_config, "start_ts": start_ts, "sink_uri": args.sink_uri });
    let path = format!("/api/v2/verify_table?keyspace={}", client.namespace);
    let tables = client.post(&path, &verify).await?.body;
    let ineligible = names(&tables, "ineligible_tables");
    if !ineligible.is_empty() && !config.force_replicate {
        let what = format!("Tables without a usable key will be left out: {}.", ineligible.join(", "));
        terminal.confirm(args.no_confirm || config.ignore_ineligible_table == Some(true), &what)?;
        config.ignore_ineligible_table = Some(true);
    }
    let body = json!({
        "changefeed_id": args.changefeed_id.unwrap_or_default(),
        "start_ts": start_ts,
        "target_ts": args.target_ts.unwrap_or_default(),
        "sink_uri": args.sink_uri,
        "replica_config": config.to_stored(),
    });
    let answer = client.post(&format!("/api/v2/changefeeds?keyspace={}", client.namespace), &body).await?;
    if as_json {
        return terminal.json(&answer.body);
    }
    terminal.say("Create changefeed successfully!")?;
    show(terminal, &answer, &tables, args.verbose)
}

fn show(terminal: &mut Terminal<'_>, answer: &Answer, tables: &Value, verbose: bool) -> Result<(), CliError> {
    let info = &answer.body;
    let count = |list: &str| names(tables, list).len().to_string();
    terminal.pairs(&[
        ("ID", text(info, "id")),
        ("Sink", text(info, "sink_uri")),
        ("Start", format!("{} ({})", text(info, "start_ts"), text(info, "checkpoint_time"))),
        ("Target", text(info, "target_ts")),
        ("State", text(info, "state")),
        ("Tables", format!("{} ({} without a key)", count("all_tables"), count("ineligible_tables"))),
    ])?;
    if verbose {
        for list in ["eligible_tables", "ineligible_tables"] {
            terminal.say(&format!("{}: {}", list.replace('_', " "), names(tables, list).join(", ")))?;
        }
    }
    Ok(())
}

pub(crate) async fn update(
    client: &Client,
    terminal: &mut Terminal<'_>,
    as_json: bool,
    args: UpdateArgs,
) -> Result<(), CliError> {
    let id = &args.id.changefeed_id;
    let old = client.get(&client.feed(id, "")).await?;
    let mut body = Map::new();
    let mut after = old.clone();
    if let Some(uri) = &args.sink_uri {
        let parsed = SinkUri::parse(uri)?;
        warn(terminal, &parsed.warnings)?;
        body.insert("sink_uri".to_owned(), uri.as_str().into());
        after["sink_uri"] = parsed.to_string().into();
    }
    if let Some(target) = args.target_ts {
        body.insert("target_ts".to_owned(), target.into());
        after["target_ts"] = target.into();
    }
    if args.config.is_some() {
        let (mut config, warnings) = load(args.config.as_deref())?;
        warn(terminal, &warnings)?;
        let (before, _) = ChangefeedConfig::from_json(&old["config"])?;
        config.ignore_ineligible_table = config.ignore_ineligible_table.or(before.ignore_ineligible_table);
        body.insert("replica_config".to_owned(), config.to_stored());
        after["config"] = config.to_json();
    }
    let mut changes = Vec::new();
    diff("", &old, &after, &mut changes);
    if changes.is_empty() && body.get("sink_uri").is_none() {
        return terminal.say("Nothing changes: the changefeed is configured so already.");
    }
    writeln!(terminal.err, "Changes of {id}:")?;
    for change in &changes {
        writeln!(terminal.err, "  {change}")?;
    }
    let confirmed = args.no_confirm || !terminal.interactive;
    terminal.confirm(confirmed, "The changefeed will be changed.")?;
    let answer = client.put(&client.feed(id, ""), &Value::Object(body)).await?;
    for warning in &answer.warnings {
        writeln!(terminal.err, "warning: {warning}")?;
    }
    if as_json {
        return terminal.json(&answer.body);
    }
    terminal.say(&format!("Update changefeed config successfully!\nID: {id}"))?;
    let swapped = &answer.body["swapped"];
    if swapped.is_object() {
        terminal.say(&format!("Plugins: {}", crate::plugin::swap_line(swapped)))?;
    }
    Ok(())
}

/// Reads a changefeed file; none is the default configuration.
fn load(path: Option<&Path>) -> Result<(ChangefeedConfig, Vec<Warning>), CliError> {
    path.map_or_else(|| Ok((ChangefeedConfig::default(), Vec::new())), |path| Ok(ChangefeedConfig::load(path)?))
}

fn warn<'a>(terminal: &mut Terminal<'_>, warnings: impl IntoIterator<Item = &'a Warning>) -> Result<(), CliError> {
    for warning in warnings {
        writeln!(terminal.err, "warning: {warning}")?;
    }
    Ok(())
}

/// `schema.table` of a list of tables.
fn names(tables: &Value, list: &str) -> Vec<String> {
    let tables = tables.get(list).and_then(Value::as_array).into_iter().flatten();
    tables.map(|t| format!("{}.{}", text(t, "database_name"), text(t, "table_name"))).collect()
}

/// Lists what differs, by path.
fn diff(path: &str, old: &Value, new: &Value, changes: &mut Vec<String>) {
    match (old, new) {
        (Value::Object(a), Value::Object(b)) => {
            let mut keys: Vec<&String> = a.keys().chain(b.keys()).collect();
            keys.sort();
            keys.dedup();
            for key in keys {
                let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                let (old, new) = (a.get(key).unwrap_or(&Value::Null), b.get(key).unwrap_or(&Value::Null));
                diff(&below, old, new, changes);
            }
        }
        _ if old == new => {}
        _ => changes.push(format!("{path}: {old} -> {new}")),
    }
}
