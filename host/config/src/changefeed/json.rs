//! The `replica_config` object of the HTTP API.
//!
//! Its members are the keys of the file with `_` for `-`, durations in nanoseconds, and some irregular names.

use super::ChangefeedConfig;
use crate::{ConfigError, Interval, Location, Warning, decode};
use serde_json::{Map, Value};

/// What errors call the object.
const SOURCE: &str = "replica_config";
/// Unknown members that are passed over before the object is refused.
const UNKNOWN_MAX: usize = 64;

/// Members whose name is not the key with `_` for `-`: (in JSON, in a file).
const IRREGULAR: &[(&str, &str)] = &[
    ("file_index_width", "file-index-digit"),
    ("max_multi_update_row_count", "max-multi-update-row"),
    ("advance_timeout", "advance-timeout-in-sec"),
    ("send-all-bootstrap-at-start", "send-all-bootstrap-at-start"),
    ("target-schema", "target-schema"),
    ("target-table", "target-table"),
];
/// Irregular members of `pulsar_config`; the others have the name they have in a file.
const IRREGULAR_PULSAR: &[(&str, &str)] =
    &[("tls-certificate-path", "tls-key-file-path"), ("tls-private-key-path", "tls-certificate-file")];
/// Keys that hold an [`Interval`].
const DURATIONS: &[&str] = &[
    "sync-point-interval",
    "sync-point-retention",
    "active-active-progress-interval",
    "active-active-sync-stats-interval",
    "changefeed-error-stuck-duration",
    "region-count-refresh-interval",
];
/// Top-level members that are left out while they have their default, as TiCDC leaves them out.
const OMITTED_BY_DEFAULT: &[&str] = &[
    "performance_mode",
    "force_replicate",
    "enable_active_active",
    "active_active_progress_interval",
    "active_active_sync_stats_interval",
    "tidegate",
];

impl ChangefeedConfig {
    /// Reads a `replica_config`. Members that do not exist are passed over with a warning, because clients of
    /// other versions send them; `null` is the same as nothing.
    ///
    /// # Errors
    /// When a value or a combination of values is not allowed; with the path of the member.
    pub fn from_json(json: &Value) -> Result<(Self, Vec<Warning>), ConfigError> {
        let mut tree = to_keys(json, Place::Top);
        let mut warnings = Vec::new();
        let config: Self = loop {
            let error = match serde_path_to_error::deserialize(&tree) {
                Ok(config) => break config,
                Err(error) => error,
            };
            let path = error.path().to_string();
            let error = decode::from_serde(Location::whole(SOURCE), &path, &error.inner().to_string());
            let ConfigError::UnknownKey { suggestion, .. } = &error else {
                return Err(with_json_names(error));
            };
            if warnings.len() == UNKNOWN_MAX || !remove(&mut tree, &path) {
                return Err(with_json_names(error));
            }
            let hint = suggestion.as_ref().map(|s| format!("; did you mean `{}`?", path_to_json(s)));
            let message = format!("does not exist and was passed over{}", hint.unwrap_or_default());
            warnings.push(Warning { key: path_to_json(&path), message });
        };
        warnings.extend(config.check(&|_| Location::whole(SOURCE)).map_err(with_json_names)?);
        Ok((config, warnings))
    }

    /// Writes a `replica_config`, secrets masked.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let full = |config: &Self| from_keys(serde_json::to_value(config).unwrap_or_default(), Place::Top);
        let mut json = full(self);
        let default = full(&Self::default());
        if let Some(members) = json.as_object_mut() {
            members.retain(|k, v| !(OMITTED_BY_DEFAULT.contains(&k.as_str()) && default.get(k) == Some(v)));
        }
        json
    }

    /// Writes what [`Self::from_stored`] reads: everything, with secrets. For the metadata store only.
    #[must_use]
    pub fn to_stored(&self) -> Value {
        let mut json = self.to_json();
        self.expose_into(&mut json);
        json
    }

    /// Reads what [`Self::to_stored`] wrote.
    ///
    /// # Errors
    /// As [`Self::from_json`].
    pub fn from_stored(json: &Value) -> Result<Self, ConfigError> {
        Self::from_json(json).map(|(config, _)| config)
    }
}

/// Which naming rules hold for the members of an object.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Top,
    Pulsar,
    /// Kinds of grants.
    Grants,
    /// Names of grants: the user's.
    GrantNames,
    /// What a plugin is told: not ours to rename.
    Foreign,
}

impl Place {
    fn inside(self, key: &str) -> Self {
        match (self, key) {
            (Self::Top, "pulsar-config") => Self::Pulsar,
            (Self::Top, "config" | "headers") => Self::Foreign,
            (Self::Top, "grants") => Self::Grants,
            (Self::Grants, _) => Self::GrantNames,
            (Self::GrantNames, _) => Self::Top,
            _ => self,
        }
    }

    fn key(self, name: &str) -> String {
        let irregular = if self == Self::Pulsar { IRREGULAR_PULSAR } else { IRREGULAR };
        match irregular.iter().find(|(json, _)| *json == name) {
            _ if matches!(self, Self::Foreign | Self::GrantNames) => name.to_owned(),
            Some((_, key)) => (*key).to_owned(),
            None => name.replace('_', "-"),
        }
    }

    fn name(self, key: &str) -> String {
        let irregular = if self == Self::Pulsar { IRREGULAR_PULSAR } else { IRREGULAR };
        match irregular.iter().find(|(_, file)| *file == key) {
            _ if matches!(self, Self::Foreign | Self::GrantNames) => key.to_owned(),
            Some((name, _)) => (*name).to_owned(),
            None if matches!(self, Self::Top | Self::Grants) => key.replace('-', "_"),
            _ => key.to_owned(),
        }
    }
}

/// From the API's names to a file's.
fn to_keys(json: &Value, place: Place) -> Value {
    match json {
        Value::Object(members) => {
            let rename = |(name, value): (&String, &Value)| {
                let key = place.key(name);
                let inside = place.inside(&key);
                (place == Place::Foreign || !value.is_null()).then(|| (key, to_keys(value, inside)))
            };
            Value::Object(members.iter().filter_map(rename).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(|v| to_keys(v, place)).collect()),
        other => other.clone(),
    }
}

/// From a file's names to the API's; leaves out what TiCDC leaves out.
fn from_keys(tree: Value, place: Place) -> Value {
    match tree {
        Value::Object(members) if place == Place::Foreign => Value::Object(members),
        Value::Object(members) => {
            let mut named = Map::new();
            for (key, value) in members {
                let value = match &value {
                    Value::Array(items) if items.is_empty() && key == "ignore-sql" => Value::Null,
                    // A plugin that is granted nothing is another thing than one that gets what is usual.
                    Value::Array(items) if items.is_empty() && key != "grants" => continue,
                    Value::Null => continue,
                    Value::String(text) if DURATIONS.contains(&key.as_str()) => {
                        text.parse::<Interval>().map_or(Value::Null, |i| i.as_nanos().into())
                    }
                    _ => from_keys(value, place.inside(&key)),
                };
                named.insert(place.name(&key), value);
            }
            Value::Object(named)
        }
        Value::Array(items) => Value::Array(items.into_iter().map(|v| from_keys(v, place)).collect()),
        other => other,
    }
}

/// Takes the member with this path out; `false` when there is none.
fn remove(tree: &mut Value, path: &str) -> bool {
    let (parent, last) = path.rsplit_once('.').unwrap_or(("", path));
    let mut at = Some(tree);
    for step in parent.split('.').filter(|s| !s.is_empty()) {
        let (name, index) = step.split_once('[').unwrap_or((step, ""));
        at = at.and_then(|v| v.get_mut(name));
        if let Ok(i) = index.trim_end_matches(']').parse::<usize>() {
            at = at.and_then(|v| v.get_mut(i));
        }
    }
    at.and_then(Value::as_object_mut).is_some_and(|members| members.remove(last).is_some())
}

/// The path with the API's names.
fn path_to_json(path: &str) -> String {
    let mut place = Place::Top;
    let named = path.split('.').map(|step| {
        let (key, index) = step.find('[').map_or((step, ""), |i| step.split_at(i));
        let name = place.name(key) + index;
        place = place.inside(key);
        name
    });
    named.collect::<Vec<_>>().join(".")
}

fn with_json_names(error: ConfigError) -> ConfigError {
    match error {
        ConfigError::UnknownKey { at, key, suggestion } => {
            let suggestion = suggestion.map(|s| path_to_json(&s));
            ConfigError::UnknownKey { at, key: path_to_json(&key), suggestion }
        }
        ConfigError::BadValue { at, key, reason } => ConfigError::BadValue { at, key: path_to_json(&key), reason },
        ConfigError::Conflict { at, key, reason } => ConfigError::Conflict { at, key: path_to_json(&key), reason },
        other => other,
    }
}
