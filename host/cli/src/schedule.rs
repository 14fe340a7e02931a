//! Commands on the schedule.

use crate::{CliError, Terminal, args::Schedule, client::Client, cluster::text};
use serde_json::{Map, Value};

const LIMITS: &str = "/api/v2/tidegate/schedule/limits";

pub(crate) async fn run(
    command: Option<Schedule>,
    client: &Client,
    terminal: &mut Terminal<'_>,
    as_json: bool,
) -> Result<(), CliError> {
    match command {
        None => show(client, terminal, as_json).await,
        Some(Schedule::Limits { set }) => limits(client, terminal, as_json, &set).await,
    }
}

/// Where changefeeds are, where they are to be, and why.
async fn show(client: &Client, terminal: &mut Terminal<'_>, as_json: bool) -> Result<(), CliError> {
    let schedule = client.get("/api/v2/tidegate/schedule").await?;
    if as_json {
        return terminal.json(&schedule);
    }
    if schedule["owner"].is_null() {
        return terminal.say("This server is alone: nothing is scheduled.");
    }
    let list = |name: &str| schedule[name].as_array().cloned().unwrap_or_default();
    terminal.say(&format!("The owner is {}.", text(&schedule["owner"], "address")))?;
    let owner = text(&schedule["owner"], "capture");
    let role = |n: &Value| if text(n, "capture") == owner { "owner".to_owned() } else { String::new() };
    let state = |n: &Value| {
        if n["away"] == true { format!("{}, away", text(n, "state")) } else { text(n, "state") }
    };
    let node = |n: &Value| {
        vec![text(n, "address"), role(n), state(n), text(n, "zone"), text(n, "changefeeds"), text(n, "version")]
    };
    let columns = ["NODE", "ROLE", "STATE", "ZONE", "CHANGEFEEDS", "VERSION"];
    terminal.table(&columns, list("nodes").iter().map(node).collect())?;
    let feed = |f: &Value| {
        vec![
            text(f, "namespace"),
            text(f, "changefeed"),
            text(f, "doing"),
            text(f, "at"),
            text(f, "target"),
            text(f, "epoch"),
        ]
    };
    let columns = ["NAMESPACE", "CHANGEFEED", "DOING", "AT", "TARGET", "EPOCH"];
    terminal.table(&columns, list("changefeeds").iter().map(feed).collect())?;
    let decision = |d: &Value| {
        let ago = d["ago_ms"].as_u64().unwrap_or_default() / 1_000;
        vec![format!("{ago} s"), text(d, "changefeed"), text(d, "from"), text(d, "to"), text(d, "why")]
    };
    terminal.say(&format!("Limits: {}.", in_short(&list("limits"))))?;
    terminal.table(&["AGO", "CHANGEFEED", "FROM", "TO", "WHY"], list("decisions").iter().map(decision).collect())
}

/// Limits and their values in one line; what is set stands out.
fn in_short(limits: &[Value]) -> String {
    let one = |l: &Value| {
        let set = if l["value"] == l["default"] { "" } else { " (set)" };
        format!("{} {}{set}", text(l, "name"), text(l, "value"))
    };
    limits.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Shows the limits, after it has set some.
async fn limits(
    client: &Client,
    terminal: &mut Terminal<'_>,
    as_json: bool,
    set: &[(String, Option<u64>)],
) -> Result<(), CliError> {
    let answer = if set.is_empty() {
        client.get(LIMITS).await?
    } else {
        let wanted: Map<String, Value> = set.iter().map(|(name, value)| (name.clone(), (*value).into())).collect();
        client.put(LIMITS, &wanted.into()).await?.body
    };
    if as_json {
        return terminal.json(&answer);
    }
    let row = |l: &Value| {
        let range = format!("{} to {}", text(l, "least"), text(l, "most"));
        vec![text(l, "name"), text(l, "value"), text(l, "default"), range, text(l, "means")]
    };
    let rows = answer["limits"].as_array().map_or(&[][..], Vec::as_slice).iter().map(row).collect();
    terminal.table(&["LIMIT", "VALUE", "DEFAULT", "RANGE", "MEANS"], rows)
}

/// Reads `NAME=VALUE`; the value may be `default`.
pub(crate) fn setting(given: &str) -> Result<(String, Option<u64>), String> {
    let (name, value) = given.split_once('=').ok_or("write it as NAME=VALUE")?;
    let value = match value.trim() {
        "default" => None,
        number => Some(number.parse().map_err(|_| format!("`{number}` is neither a number nor `default`"))?),
    };
    Ok((name.trim().to_owned(), value))
}

#[cfg(test)]
mod tests {
    use super::setting;

    #[test]
    fn settings_are_names_with_numbers() {
        assert_eq!(setting("moves=8"), Ok(("moves".to_owned(), Some(8))));
        assert_eq!(setting("rest-ms = default"), Ok(("rest-ms".to_owned(), None)));
        for bad in ["moves", "moves=", "moves=-1", "moves=many", "moves=99999999999999999999"] {
            assert!(setting(bad).is_err(), "{bad}");
        }
    }
}
