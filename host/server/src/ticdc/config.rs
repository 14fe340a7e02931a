//! TiCDC's configuration of a changefeed, read as ours: what is the same, what does nothing here, what would be something else.

use serde_json::{Map, Value};
use tg_config::{ChangefeedConfig, Warning};

/// How [`ChangefeedConfig::from_json`] begins what it says of a member that it does not know.
const UNKNOWN: &str = "does not exist";
/// Sections that say how TiCDC works, not what it delivers.
const OF_TICDC: &[&str] = &["scheduler", "mounter", "synced_status", "consistent"];
/// Members of other versions of TiCDC that say what is so here anyway.
const SO_ANYWAY: &[(&str, bool)] = &[("enable_old_value", true)];
/// What is known here and has no effect, and would have changed what reaches the downstream, or how safely.
const MISSED: &[&str] = &["enable-active-active", "consistent.level", "sink.dispatchers.target-schema"];

/// The configuration with what does nothing here, or why it cannot be taken over.
pub(super) fn read(json: &Value) -> Result<(ChangefeedConfig, Vec<String>), Vec<String>> {
    let (config, warnings) = ChangefeedConfig::from_json(json).map_err(|e| vec![e.to_string()])?;
    let (refused, said): (Vec<&Warning>, Vec<&Warning>) = warnings.iter().partition(|w| changes(json, w));
    if refused.is_empty() {
        return Ok((config, said.into_iter().map(|w| format!("`{}` {}", w.key, w.message)).collect()));
    }
    Err(refused
        .into_iter()
        .map(|w| format!("`{}` would change what is delivered, and {}", w.key, meaning(w)))
        .collect())
}

fn meaning(warning: &Warning) -> &'static str {
    if warning.message.starts_with(UNKNOWN) { "is not known here" } else { "is not implemented here" }
}

/// Whether what has no effect here would have had one that is seen downstream.
fn changes(json: &Value, warning: &Warning) -> bool {
    if !warning.message.starts_with(UNKNOWN) {
        return MISSED.contains(&warning.key.as_str());
    }
    let key = plain(&warning.key);
    let section = key.split('.').next().unwrap_or_default();
    let value = member(json, &key);
    if let Some((_, is)) = SO_ANYWAY.iter().find(|(name, _)| *name == key) {
        return value != Some(&Value::Bool(*is));
    }
    !(OF_TICDC.contains(&section) || value.is_none_or(says_nothing))
}

fn plain(name: &str) -> String {
    name.replace('-', "_")
}

/// The member with this path, like `sink.dispatchers[0].matcher`, whichever way its names are written.
fn member<'a>(json: &'a Value, path: &str) -> Option<&'a Value> {
    let mut at = json;
    for step in path.split('.') {
        let (name, index) =
            step.split_once('[').map_or((step, None), |(n, i)| (n, i.trim_end_matches(']').parse().ok()));
        at = at.as_object()?.iter().find(|(known, _)| plain(known) == name).map(|(_, value)| value)?;
        if let Some(i) = index {
            let i: usize = i;
            at = at.get(i)?;
        }
    }
    Some(at)
}

/// Switched off, or not set.
fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(n) => n.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.values().all(says_nothing),
    }
}

/// Members of an object that are set and none of these: names, sorted.
pub(super) fn others(object: &Map<String, Value>, known: &[&str]) -> Vec<String> {
    let set = object.iter().filter(|(name, value)| !known.contains(&name.as_str()) && !says_nothing(value));
    let mut names: Vec<String> = set.map(|(name, _)| format!("`{name}`")).collect();
    names.sort_unstable();
    names
}
