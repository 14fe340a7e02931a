//! Which keywords a schema may use.

use super::check::TYPES;
use serde_json::Value;

/// Tell people something and check nothing.
const NOTES: &[&str] =
    &["$schema", "$id", "$comment", "title", "description", "default", "examples", "format", "deprecated"];

/// Whether every keyword of the schema at `path` is one that is checked.
pub(super) fn check(schema: &Value, path: &str, depth: usize) -> Result<(), String> {
    if depth == 0 {
        return Err(format!("{path} is nested too deep"));
    }
    let Some(keywords) = schema.as_object() else {
        return if schema.is_boolean() { Ok(()) } else { Err(format!("{path} is neither an object nor a boolean")) };
    };
    for (keyword, value) in keywords {
        let below = format!("{path}.{keyword}");
        let fits = match keyword.as_str() {
            "type" => types(value),
            "properties" => {
                for (name, schema) in value.as_object().into_iter().flatten() {
                    check(schema, &format!("{below}.{name}"), depth - 1)?;
                }
                value.is_object()
            }
            "additionalProperties" | "items" => {
                check(value, &below, depth - 1)?;
                true
            }
            "anyOf" | "allOf" => {
                for schema in value.as_array().into_iter().flatten() {
                    check(schema, &below, depth - 1)?;
                }
                value.as_array().is_some_and(|a| !a.is_empty())
            }
            "required" => value.as_array().is_some_and(|a| a.iter().all(Value::is_string)),
            "enum" => value.is_array(),
            "const" => true,
            "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => value.is_number(),
            "minLength" | "maxLength" | "minItems" | "maxItems" => value.is_u64(),
            "pattern" => value.as_str().is_some_and(|p| regex_lite::Regex::new(p).is_ok()),
            note if NOTES.contains(&note) => true,
            _ => return Err(format!("{path} uses the keyword {keyword:?}, which this host does not check")),
        };
        if !fits {
            return Err(format!("{below} has a value that this keyword cannot have"));
        }
    }
    Ok(())
}

fn types(value: &Value) -> bool {
    let known = |v: &Value| v.as_str().is_some_and(|t| TYPES.contains(&t));
    known(value) || value.as_array().is_some_and(|a| !a.is_empty() && a.iter().all(known))
}
