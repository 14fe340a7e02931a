//! What the configuration says.

use tidegate_sdk::{Failure, TablePattern};

/// Where a table goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// It keeps its name.
    Same,
    /// Database and table.
    To(String, String),
    /// It is left out.
    Nowhere,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Rule {
    tables: TablePattern,
    database: Option<String>,
    table: Option<String>,
    leave_out: bool,
}

/// The rules in order: the first that matches a table decides.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    rules: Vec<Rule>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConfig {
    rules: Vec<RawRule>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawRule {
    r#match: String,
    database: Option<String>,
    table: Option<String>,
    #[serde(default)]
    leave_out: bool,
}

impl Config {
    /// JSON Schema of the configuration.
    pub const SCHEMA: &str = r#"{
  "type": "object",
  "additionalProperties": false,
  "required": ["rules"],
  "properties": {
    "rules": {
      "type": "array", "minItems": 1, "maxItems": 1000,
      "description": "the first rule that matches a table decides; a table without a rule keeps its name",
      "items": {
        "type": "object",
        "additionalProperties": false,
        "required": ["match"],
        "properties": {
          "match": {"type": "string", "description": "`database.table`, with `*` and `?`"},
          "database": {"type": "string", "minLength": 1, "description": "new database; `{database}` and `{table}` stand for the old names"},
          "table": {"type": "string", "minLength": 1, "description": "new table; the same placeholders"},
          "leave-out": {"type": "boolean", "default": false, "description": "neither rows nor DDL of the table go on"}
        }
      }
    }
  }
}"#;

    /// Reads the JSON text.
    ///
    /// # Errors
    /// When it is not as [`Config::SCHEMA`] says, or a rule does nothing or two things.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let raw: RawConfig = serde_json::from_str(text).map_err(|e| Failure::fatal("config", e.to_string()))?;
        Ok(Self { rules: raw.rules.into_iter().map(rule).collect::<Result<_, _>>()? })
    }

    /// Where a table goes.
    #[must_use]
    pub fn table(&self, database: &str, table: &str) -> Target {
        let Some(rule) = self.rules.iter().find(|r| r.tables.matches(database, table)) else {
            return Target::Same;
        };
        if rule.leave_out {
            return Target::Nowhere;
        }
        let filled = |template: Option<&String>, old: &str| {
            template.map_or_else(|| old.to_owned(), |t| fill(t, database, table))
        };
        let to = (filled(rule.database.as_ref(), database), filled(rule.table.as_ref(), table));
        if to.0 == database && to.1 == table { Target::Same } else { Target::To(to.0, to.1) }
    }

    /// Where the statements about a database as a whole go: with all its tables, when they all go to one; else `None`.
    pub(crate) fn database(&self, database: &str) -> Option<Target> {
        let of = self.rules.iter().find(|r| r.tables.matches_database(database));
        let Some(rule) = of else { return Some(Target::Same) };
        if !rule.tables.is_whole_database() {
            return None;
        }
        if rule.leave_out {
            return Some(Target::Nowhere);
        }
        match &rule.database {
            None => Some(Target::Same),
            Some(t) if t.contains("{table}") => None,
            Some(t) => Some(Target::To(fill(t, database, ""), String::new())),
        }
    }
}

fn fill(template: &str, database: &str, table: &str) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        rest = if let Some(after) = from.strip_prefix("{database}") {
            out.push_str(database);
            after
        } else if let Some(after) = from.strip_prefix("{table}") {
            out.push_str(table);
            after
        } else {
            out.push('{');
            from.get(1..).unwrap_or_default()
        };
    }
    out + rest
}

fn rule(r: RawRule) -> Result<Rule, Failure> {
    let wrong = |why: &str| Failure::fatal("config", format!("the rule for {:?} {why}", r.r#match));
    let tables = TablePattern::parse(&r.r#match).ok_or_else(|| wrong("does not name tables as `database.table`"))?;
    let renames = r.database.is_some() || r.table.is_some();
    if renames == r.leave_out {
        return Err(wrong("must either give a name or leave the tables out"));
    }
    Ok(Rule { tables, database: r.database, table: r.table, leave_out: r.leave_out })
}

#[cfg(test)]
mod tests {
    use super::{Config, Target};

    fn to(d: &str, t: &str) -> Target {
        Target::To(d.to_owned(), t.to_owned())
    }

    #[test]
    fn the_first_rule_that_matches_decides() {
        let config = Config::parse(
            r#"{"rules":[{"match":"shop.tmp_*","leave-out":true},{"match":"shop.*","database":"all","table":"{database}_{table}{x"},
                {"match":"*.same","table":"same"}]}"#,
        )
        .unwrap();
        assert_eq!(config.table("shop", "tmp_1"), Target::Nowhere);
        assert_eq!(config.table("Shop", "{table}"), to("all", "Shop_{table}{x"));
        assert_eq!(config.table("x", "same"), Target::Same);
        assert_eq!(config.table("x", "other"), Target::Same);
        assert_eq!(config.database("shop"), None, "its first rule is about some of its tables");
        assert_eq!(config.database("x"), None);
        let whole =
            Config::parse(r#"{"rules":[{"match":"a.*","database":"{database}2"},{"match":"b.*","leave-out":true}]}"#);
        let whole = whole.unwrap();
        assert_eq!(whole.database("a"), Some(to("a2", "")));
        assert_eq!((whole.database("b"), whole.database("c")), (Some(Target::Nowhere), Some(Target::Same)));
    }

    #[test]
    fn rules_that_say_nothing_or_two_things_are_named() {
        for bad in [
            r#"{"match":"a.b"}"#,
            r#"{"match":"a.b","table":"c","leave-out":true}"#,
            r#"{"match":"b","table":"c"}"#,
            r#"{"match":"a.b","tabel":"c"}"#,
        ] {
            assert!(Config::parse(&format!(r#"{{"rules":[{bad}]}}"#)).is_err(), "{bad}");
        }
    }
}
