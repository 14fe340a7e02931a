//! Finding the rule of a table.

use crate::columns;
use crate::config::RulesConfig;
use tg_filter::{ColumnFilter, FilterError, TableFilter};
use tg_format_partition::{PartitionRule, TopicError, TopicExpression};
use tidegate_sdk::{DdlEvent, TableSchema};

/// What is wrong with rules, or with a table under them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RulesError {
    /// A matcher or a column rule.
    Rule {
        /// The list and the number in it.
        at: String,
        /// What is wrong.
        source: FilterError,
    },
    /// A topic.
    Topic {
        /// The list and the number in it.
        at: String,
        /// What is wrong.
        source: TopicError,
    },
    /// What a table keeps has no key.
    NoKey {
        /// Full name.
        table: String,
    },
    /// A column that is not sent decides about the partition.
    ColumnGone {
        /// Full name.
        table: String,
        /// Column.
        column: String,
    },
}

impl std::fmt::Display for RulesError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rule { at, source } => write!(f, "{at}: {source}"),
            Self::Topic { at, source } => write!(f, "{at}: {source}"),
            Self::NoKey { table } => write!(
                f,
                "the column selector of {table} leaves neither its primary key nor a whole unique key: consumers could not tell rows apart"
            ),
            Self::ColumnGone { table, column } => write!(
                f,
                "the column selector of {table} leaves out the column {column}, which its dispatcher chooses partitions by"
            ),
        }
    }
}

impl std::error::Error for RulesError {}

struct Rule {
    matcher: TableFilter,
    topic: Option<TopicExpression>,
    partition: PartitionRule,
}

/// All rules of a changefeed.
pub struct Rules {
    default_topic: String,
    rules: Vec<Rule>,
    selectors: Vec<(TableFilter, ColumnFilter)>,
}

impl Rules {
    /// Reads the rules.
    ///
    /// # Errors
    /// For the first that cannot be read; the default topic must be a topic's name.
    pub fn new(config: &RulesConfig) -> Result<Self, RulesError> {
        let topic = |at: &str, text: &str, per_table: bool| {
            let failed = |source| RulesError::Topic { at: at.to_owned(), source };
            TopicExpression::parse(text, per_table).map_err(failed)
        };
        let default_topic = topic("the topic of the sink URI", &config.topic, false)?.topic("", "");
        let mut rules = Vec::with_capacity(config.dispatchers.len());
        for (i, rule) in config.dispatchers.iter().enumerate() {
            let at = format!("sink.dispatchers[{i}]");
            let failed = |source| RulesError::Rule { at: at.clone(), source };
            let given = rule.topic.as_deref().filter(|t| !t.is_empty());
            rules.push(Rule {
                matcher: TableFilter::parse(&rule.matcher, config.case_sensitive).map_err(failed)?,
                topic: given.map(|t| topic(&at, t, config.topic_per_table)).transpose()?,
                partition: PartitionRule::parse(
                    rule.partition.as_deref().unwrap_or_default(),
                    rule.index.as_deref(),
                    &rule.columns,
                )
                .for_kafka(),
            });
        }
        let mut selectors = Vec::with_capacity(config.column_selectors.len());
        for (i, rule) in config.column_selectors.iter().enumerate() {
            let failed = |source| RulesError::Rule { at: format!("sink.column-selectors[{i}]"), source };
            let tables = TableFilter::parse(&rule.matcher, config.case_sensitive).map_err(failed)?;
            // Names of columns are the same in either case.
            selectors.push((tables, ColumnFilter::parse(&rule.columns, false).map_err(failed)?));
        }
        Ok(Self { default_topic, rules, selectors })
    }

    fn rule(&self, database: &str, table: &str) -> Option<&Rule> {
        self.rules.iter().find(|r| r.matcher.matches(database, table))
    }

    /// Topic of a table.
    #[must_use]
    pub fn topic(&self, database: &str, table: &str) -> String {
        let expression = self.rule(database, table).and_then(|r| r.topic.as_ref());
        expression.map_or_else(|| self.default_topic.clone(), |e| e.topic(database, table))
    }

    /// Topic of a DDL: of the table by its name before, and the default one for schemas.
    #[must_use]
    pub fn ddl_topic(&self, ddl: &DdlEvent) -> String {
        match &ddl.before {
            _ if ddl.table.is_empty() => self.default_topic.clone(),
            Some(before) => self.topic(&before.database, &before.name),
            None => self.topic(&ddl.database, &ddl.table),
        }
    }

    /// How the partitions of a table are chosen.
    #[must_use]
    pub fn partition(&self, database: &str, table: &str) -> PartitionRule {
        self.rule(database, table).map_or(PartitionRule::Table, |r| r.partition.clone())
    }

    /// The default topic.
    #[must_use]
    pub fn default_topic(&self) -> &str {
        &self.default_topic
    }

    /// Topics that are known without any table.
    pub fn fixed_topics(&self) -> impl Iterator<Item = String> {
        let fixed = self.rules.iter().filter_map(|r| r.topic.as_ref()).filter(|t| t.is_fixed());
        std::iter::once(self.default_topic.clone()).chain(fixed.map(|t| t.topic("", "")))
    }

    /// Positions of the columns that are sent; `None`: all.
    ///
    /// # Errors
    /// When no key would be left, or a column is left out that partitions are chosen by.
    pub fn columns(&self, schema: &TableSchema) -> Result<Option<Vec<u32>>, RulesError> {
        let found = self.selectors.iter().find(|(tables, _)| tables.matches(&schema.database, &schema.name));
        let Some((_, filter)) = found else { return Ok(None) };
        columns::select(schema, filter, &self.partition(&schema.database, &schema.name))
    }
}

#[cfg(test)]
mod tests {
    use super::{Rules, RulesError};
    use crate::RulesConfig;
    use tg_format_fixtures::all_types;
    use tg_format_partition::PartitionRule;

    fn config(text: &str) -> RulesConfig {
        serde_json::from_str(text).unwrap()
    }

    fn rules(text: &str) -> Rules {
        Rules::new(&config(text)).unwrap()
    }

    #[test]
    fn the_first_match_decides() {
        let rules = rules(
            r#"{"topic": "all", "dispatchers": [
                {"matcher": ["shop.*", "!shop.tmp_*"], "topic": "t_{schema}_{table}", "partition": "index-value"},
                {"matcher": ["shop.*"], "partition": "ts"},
                {"matcher": ["log.a", "log.b"], "topic": "logs", "partition": "columns", "columns": ["a"]}]}"#,
        );
        assert_eq!(rules.topic("shop", "orders"), "t_shop_orders");
        assert_eq!(rules.topic("SHOP", "tmp_1"), "all");
        assert_eq!(rules.partition("shop", "tmp_1"), PartitionRule::Ts);
        assert_eq!(rules.partition("shop", "orders"), PartitionRule::IndexValue(None));
        assert_eq!(rules.topic("log", "b"), "logs");
        assert_eq!(rules.partition("log", "a"), PartitionRule::Columns(vec!["a".to_owned()]));
        assert_eq!(rules.topic("other", "x"), "all");
        assert_eq!(rules.partition("other", "x"), PartitionRule::Table);
        assert_eq!(rules.fixed_topics().collect::<Vec<_>>(), ["all", "logs"]);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (text, at) in [
            (r#"{"topic": "a b"}"#, "the topic of the sink URI"),
            (r#"{"dispatchers": [{"matcher": ["a.*"]}, {"matcher": ["b"]}]}"#, "sink.dispatchers[1]"),
            (r#"{"dispatchers": [{"matcher": ["a.*"], "topic": "{table}"}]}"#, "sink.dispatchers[0]"),
            (
                r#"{"topic-per-table": true, "dispatchers": [{"matcher": ["a.*"], "topic": "x_{schema}"}]}"#,
                "must hold {schema} and {table}",
            ),
            (r#"{"column-selectors": [{"matcher": ["a.*"], "columns": ["["]}]}"#, "sink.column-selectors[0]"),
        ] {
            let error = Rules::new(&config(text)).err().unwrap().to_string();
            assert!(error.contains(at), "{error}");
        }
    }

    #[test]
    fn a_selection_keeps_a_key() {
        let schema = all_types();
        let all = schema.columns.len();
        let select = |columns: &str, partition: &str| {
            rules(&format!(
                r#"{{"column-selectors": [{{"matcher": ["shop.*"], "columns": {columns}}}],
                    "dispatchers": [{{"matcher": ["*.*"], "partition": "columns", "columns": ["{partition}"]}}]}}"#
            ))
            .columns(&schema)
        };
        let key = schema.row_key_columns().to_vec();
        let name = |i: u32| schema.columns[i as usize].name.clone();
        let (id, k) = (name(key[0]), name(key[1]));
        let kept = select(&format!(r#"["{id}", "{k}"]"#), &id).unwrap().unwrap();
        assert_eq!(kept.len(), 2);
        assert_eq!(select(&format!(r#"["*", "!{id}"]"#), &k), Err(RulesError::NoKey { table: "shop.all".into() }));
        let other = (0..all as u32).map(name).find(|n| *n != id && *n != k).unwrap();
        assert!(matches!(select(&format!(r#"["*", "!{other}"]"#), &other), Err(RulesError::ColumnGone { .. })));
        assert_eq!(select(&format!(r#"["*", "!{other}"]"#), &id).unwrap().unwrap().len(), all - 1);
    }
}
