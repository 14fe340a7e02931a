//! Strict TOML with errors that say where and what was meant.

use crate::{ConfigError, Location, did_you_mean};
use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue};

/// Decodes `text`; `source` names it in errors.
pub(crate) fn from_toml<T: DeserializeOwned>(source: &str, text: &str) -> Result<T, ConfigError> {
    let syntax = |e: &toml::de::Error| ConfigError::Syntax {
        at: at_span(source, text, e.span().as_ref()),
        message: e.message().replace('\n', ", "),
    };
    let reader = toml::de::Deserializer::parse(text).map_err(|e| syntax(&e))?;
    serde_path_to_error::deserialize(reader).map_err(|e| {
        let at = at_span(source, text, e.inner().span().as_ref());
        from_serde(at, &e.path().to_string(), e.inner().message())
    })
}

fn at_span(source: &str, text: &str, span: Option<&std::ops::Range<usize>>) -> Location {
    span.map_or_else(|| Location::whole(source), |s| Location::at(source, text, s.start))
}

/// Turns serde's words into ours.
pub(crate) fn from_serde(at: Location, path: &str, message: &str) -> ConfigError {
    let key = path.to_owned();
    if message.starts_with("unknown field") {
        // serde: unknown field `x`, expected one of `a`, `b`
        let mut words = message.split('`').skip(1).step_by(2);
        let unknown = words.next().unwrap_or_default();
        let suggestion = did_you_mean(unknown, words).map(str::to_owned);
        return ConfigError::UnknownKey { at, key, suggestion };
    }
    // serde quotes the offending value, which must not happen to a secret.
    let secret = ["password", "secret", "token", "private-key", "access-key"].iter().any(|w| path.ends_with(w));
    let secret = secret || path.contains(".headers.") || path.starts_with("tidegate.grants.secret.");
    let reason = if secret { "is not a text".to_owned() } else { plain(&message.replace('\n', ", ")) };
    ConfigError::BadValue { at, key, reason }
}

/// serde names types as Rust does.
fn plain(message: &str) -> String {
    const TYPES: &[(&str, &str)] = &[
        ("expected u64", "expected a whole number"),
        ("expected u32", "expected a whole number"),
        ("expected u16", "expected a whole number up to 65535"),
        ("expected i32", "expected a whole number"),
        ("expected usize", "expected a whole number"),
        ("expected f64", "expected a number"),
        ("expected a boolean", "expected true or false"),
        ("expected a sequence", "expected a list"),
        ("expected a map", "expected a table"),
    ];
    let known = TYPES.iter().find(|(rust, _)| message.contains(rust));
    known.map_or_else(|| message.to_owned(), |(rust, words)| message.replace(rust, words))
}

/// Where the key with this path stands in a TOML text that has been decoded before: `filter.event-filters[0].matcher`.
pub(crate) fn locate(source: &str, text: &str, path: &str) -> Location {
    let whole = || Location::whole(source);
    let Ok(document) = DeTable::parse(text) else {
        return whole();
    };
    let mut found = None;
    let mut table = Some(document.get_ref());
    for step in path.split('.') {
        let (name, index) = match step.split_once('[') {
            Some((name, rest)) => (name, rest.trim_end_matches(']').parse::<usize>().ok()),
            None => (step, None),
        };
        let Some((key, value)) = table.and_then(|t| t.iter().find(|(k, _)| k.get_ref().as_ref() == name)) else {
            break;
        };
        found = Some(key.span());
        let value = match (index, value.get_ref()) {
            (Some(i), DeValue::Array(items)) => items.get(i),
            _ => Some(value),
        };
        table = value.and_then(|v| v.get_ref().as_table());
    }
    found.map_or_else(whole, |span| Location::at(source, text, span.start))
}
