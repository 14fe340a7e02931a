//! What an author says about a plugin under test: `tests/kit.toml`.

use crate::KitError;
use crate::world::GrantNames;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Name of the file below a plugin's folder.
pub const SETTINGS_FILE: &str = "tests/kit.toml";

/// What the component is given and held to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// JSON text of the configuration.
    pub config: String,
    /// `None`: what the manifest asks for, as `downstream`.
    pub grants: Option<GrantNames>,
    /// `None`: the host's own limit.
    pub memory_bytes: Option<usize>,
    /// Objects whose path contains one of these are the plugin's bookkeeping, which depends on how rows were cut into files and how
    /// often it was started: they are not compared.
    pub bookkeeping: Vec<String>,
    /// Members of JSON with these names say when something was made: their numbers are not compared.
    pub moments: Vec<String>,
    /// Checks that are left out, with the reason.
    pub skip: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    #[serde(default)]
    config: Option<toml::Table>,
    #[serde(default)]
    grants: Option<Grants>,
    #[serde(default)]
    memory_mib: Option<usize>,
    #[serde(default)]
    bookkeeping: Vec<String>,
    #[serde(default)]
    moments: Vec<String>,
    #[serde(default)]
    skip: BTreeMap<String, String>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[derive(Default)]
pub(crate) struct Grants {
    sql: Vec<String>,
    postgres: Vec<String>,
    producer: Vec<String>,
    object_store: Vec<String>,
    http: Vec<String>,
    secret: BTreeMap<String, String>,
}

impl From<Grants> for GrantNames {
    fn from(g: Grants) -> Self {
        Self {
            sql: g.sql,
            postgres: g.postgres,
            producer: g.producer,
            object_store: g.object_store,
            http: g.http,
            secret: g.secret,
        }
    }
}

/// The JSON text of a table; empty for none.
pub(crate) fn json_of(config: Option<&toml::Table>) -> String {
    config.map(|table| serde_json::to_string(table).unwrap_or_default()).unwrap_or_default()
}

impl Settings {
    /// The settings of a file.
    ///
    /// # Errors
    /// [`KitError::File`], [`KitError::Settings`].
    pub fn load(path: &Path) -> Result<Self, KitError> {
        let file = path.display().to_string();
        let text =
            std::fs::read_to_string(path).map_err(|e| KitError::File { path: file.clone(), reason: e.to_string() })?;
        Self::from_text(&file, &text)
    }

    /// The settings in a text; `file` is for errors.
    ///
    /// # Errors
    /// [`KitError::Settings`].
    pub fn from_text(file: &str, text: &str) -> Result<Self, KitError> {
        let parsed: File = toml::from_str(text)
            .map_err(|e| KitError::Settings { file: file.to_owned(), reason: e.to_string().trim_end().to_owned() })?;
        Ok(Self {
            config: json_of(parsed.config.as_ref()),
            grants: parsed.grants.map(Into::into),
            memory_bytes: parsed.memory_mib.map(|mib| mib << 20),
            bookkeeping: parsed.bookkeeping,
            moments: parsed.moments,
            skip: parsed.skip,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Settings;

    #[test]
    fn settings_are_read_strictly() {
        let text = "memory-mib = 64\n[config]\nurl = 'x'\n[grants]\nhttp = ['hook']\nsecret = { token = 't' }\n[skip]\nbatching = 'one request a batch'\n";
        let s = Settings::from_text("kit.toml", text).unwrap();
        assert_eq!((s.config.as_str(), s.memory_bytes), (r#"{"url":"x"}"#, Some(64 << 20)));
        assert_eq!(s.grants.unwrap().http, ["hook"]);
        assert_eq!(s.skip["batching"], "one request a batch");
        assert!(Settings::from_text("kit.toml", "[grant]\n").unwrap_err().to_string().contains("kit.toml"));
        assert_eq!(Settings::from_text("kit.toml", "").unwrap(), Settings::default());
    }
}
