//! How plugins are told of the rules.

use serde::Deserialize;

/// The part of a plugin's configuration that these rules are made of.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RulesConfig {
    /// Topic of everything that no rule gives another.
    pub topic: String,
    /// The protocol has one schema a topic, so that topic expressions need `{schema}` and `{table}`.
    pub topic_per_table: bool,
    /// Letters of different case are different in matchers.
    pub case_sensitive: bool,
    /// The first that matches counts.
    pub dispatchers: Vec<DispatchRule>,
    /// The first that matches counts.
    pub column_selectors: Vec<SelectRule>,
    /// Updates that change a key stay one change.
    pub output_raw_change_event: bool,
}

impl Default for RulesConfig {
    fn default() -> Self {
        Self {
            topic: "tidegate".to_owned(),
            topic_per_table: false,
            case_sensitive: false,
            dispatchers: Vec::new(),
            column_selectors: Vec::new(),
            output_raw_change_event: false,
        }
    }
}

/// One of `[[sink.dispatchers]]`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct DispatchRule {
    /// Table rules.
    pub matcher: Vec<String>,
    /// Topic expression; `None`: the default topic.
    pub topic: Option<String>,
    /// How partitions are chosen.
    pub partition: Option<String>,
    /// A unique index, for `index-value`.
    pub index: Option<String>,
    /// Columns, for `columns`.
    pub columns: Vec<String>,
}

/// One of `[[sink.column-selectors]]`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct SelectRule {
    /// Table rules.
    pub matcher: Vec<String>,
    /// Column rules; the last that matches counts.
    pub columns: Vec<String>,
}
