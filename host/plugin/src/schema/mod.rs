//! The configuration of a plugin, checked against the JSON Schema of its manifest. Which part of JSON Schema: `docs/plugins.md`.
//!
//! What is found wrong is named by its path, and never shown: a configuration may hold secrets.

mod check;
mod keywords;

use serde_json::{Map, Value};

/// Longest schema in bytes.
const SCHEMA_BYTES_MAX: usize = 64 << 10;
/// Deepest nesting of a schema.
const DEPTH_MAX: usize = 16;

/// A schema that this host can check.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Schema(Option<Value>);

impl Schema {
    /// Reads the text of a manifest; empty: the plugin takes no configuration.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self(None));
        }
        if text.len() > SCHEMA_BYTES_MAX {
            return Err(format!("it has {} bytes; the limit is {SCHEMA_BYTES_MAX}", text.len()));
        }
        let schema: Value = serde_json::from_str(text).map_err(|e| format!("it is not JSON: {e}"))?;
        keywords::check(&schema, "schema", DEPTH_MAX)?;
        Ok(Self(Some(schema)))
    }

    /// Whether a configuration fits; an error names the key.
    pub(crate) fn check(&self, config: &Value) -> Result<(), String> {
        match &self.0 {
            Some(schema) => check::value(schema, config, &mut "config".to_owned()),
            None if config.as_object().is_some_and(Map::is_empty) => Ok(()),
            None => Err("this plugin takes no configuration".to_owned()),
        }
    }

    /// Texts become the numbers and booleans that the schema wants in their place: the parameters of a URI are texts.
    pub(crate) fn typed(&self, mut params: Map<String, Value>) -> Map<String, Value> {
        let properties = self.0.as_ref().and_then(|s| s.get("properties")).and_then(Value::as_object);
        for (key, value) in &mut params {
            let wanted = properties.and_then(|p| p.get(key));
            if let (Some(wanted), Some(text)) = (wanted, value.as_str())
                && !check::has_type(wanted, value)
                && let Ok(parsed) = serde_json::from_str::<Value>(text)
                && (parsed.is_number() || parsed.is_boolean())
                && check::has_type(wanted, &parsed)
            {
                *value = parsed;
            }
        }
        params
    }
}

#[cfg(test)]
mod tests {
    use super::Schema;
    use serde_json::{Map, Value, json};

    fn wrong(schema: &Value, config: &Value) -> String {
        Schema::parse(&schema.to_string()).unwrap().check(config).err().unwrap_or_default()
    }

    #[test]
    fn what_does_not_fit_is_named_by_its_key_and_not_shown() {
        let schema = json!({
            "type": "object",
            "properties": {
                "rules": { "type": "array", "minItems": 1, "maxItems": 2, "items": {
                    "type": "object",
                    "required": ["table"],
                    "additionalProperties": false,
                    "properties": {
                        "table": { "type": "string", "minLength": 1, "maxLength": 5, "pattern": "^[a-z*]+$" },
                        "how": { "enum": ["hash", "null"] },
                    },
                }},
                "limit": { "type": "integer", "minimum": 1, "maximum": 10 },
                "ratio": { "type": ["number", "null"], "exclusiveMinimum": 0, "exclusiveMaximum": 1 },
                "kind": { "const": "x" },
                "any": { "anyOf": [{ "type": "boolean" }, { "type": "string" }] },
            },
            "additionalProperties": { "type": "string" },
        });
        for good in [
            json!({}),
            json!({"rules": [{"table": "t*"}, {"table": "a", "how": "hash"}], "limit": 10, "ratio": null, "kind": "x"}),
            json!({"ratio": 0.5, "other": "text", "any": true}),
        ] {
            assert_eq!(wrong(&schema, &good), "", "{good}");
        }
        for (bad, said) in [
            (json!([]), "config must be of type object, and is an array"),
            (json!({"rules": []}), "config.rules must have at least 1 items, and has 0"),
            (json!({"rules": [{}]}), "config.rules[0] lacks the key \"table\""),
            (json!({"rules": [{"table": ""}]}), "config.rules[0].table must have at least 1 characters, and has 0"),
            (
                json!({"rules": [{"table": "secret"}]}),
                "config.rules[0].table must have at most 5 characters, and has 6",
            ),
            (json!({"rules": [{"table": "A"}]}), "config.rules[0].table must match ^[a-z*]+$"),
            (
                json!({"rules": [{"table": "a", "how": "s3cret"}]}),
                "config.rules[0].how must be one of \"hash\", \"null\"",
            ),
            (
                json!({"rules": [{"table": "a", "hwo": 1}]}),
                "config.rules[0] has the key \"hwo\", which is not known (known: how, table)",
            ),
            (json!({"limit": 0}), "config.limit must be at least 1"),
            (json!({"limit": 1.5}), "config.limit must be of type integer, and is a number"),
            (json!({"ratio": 1}), "config.ratio must be below 1"),
            (json!({"kind": 1}), "config.kind must be \"x\""),
            (json!({"any": 1}), "config.any fits none of the 2 forms it may have"),
            (json!({"other": 1}), "config.other must be of type string, and is a number"),
        ] {
            assert_eq!(wrong(&schema, &bad), said);
        }
    }

    #[test]
    fn without_a_schema_there_is_no_configuration() {
        let none = Schema::parse("").unwrap();
        assert!(none.check(&json!({})).is_ok());
        assert!(none.check(&json!({"a": 1})).is_err() && none.check(&json!("x")).is_err());
    }

    #[test]
    fn a_schema_beyond_what_is_checked_is_refused() {
        for (schema, said) in [
            (json!({"$ref": "#/x"}), "$ref"),
            (json!({"properties": {"a": {"if": {}}}}), "schema.properties.a"),
            (json!({"type": "text"}), "type"),
            (json!({"minimum": "1"}), "minimum"),
            (json!({"pattern": "("}), "pattern"),
            (json!(7), "schema"),
        ] {
            let e = Schema::parse(&schema.to_string()).unwrap_err();
            assert!(e.contains(said), "{e}");
        }
        let mut deep = json!({});
        for _ in 0..20 {
            deep = json!({ "items": deep });
        }
        assert!(Schema::parse(&deep.to_string()).unwrap_err().contains("deep"));
        assert!(Schema::parse("{").unwrap_err().contains("JSON"));
        assert!(Schema::parse(&" ".repeat(70_000)).unwrap_err().contains("limit"));
    }

    #[test]
    fn texts_become_what_the_schema_wants() {
        let schema = json!({"properties": {"n": {"type": "integer"}, "b": {"type": "boolean"}, "s": {"type": "string"},
            "either": {"type": ["string", "integer"]}}});
        let schema = Schema::parse(&schema.to_string()).unwrap();
        let given = json!({"n": "10", "b": "true", "s": "10", "either": "10", "x": "10"});
        let typed = schema.typed(given.as_object().cloned().unwrap_or_else(Map::new));
        assert_eq!(Value::Object(typed), json!({"n": 10, "b": true, "s": "10", "either": "10", "x": "10"}));
    }
}
