//! Checking a value against a schema whose keywords are known.

use serde_json::{Map, Value};

/// Names of types.
pub(super) const TYPES: &[&str] = &["null", "boolean", "object", "array", "number", "integer", "string"];

fn is(name: &str, v: &Value) -> bool {
    match name {
        "null" => v.is_null(),
        "boolean" => v.is_boolean(),
        "object" => v.is_object(),
        "array" => v.is_array(),
        "number" => v.is_number(),
        "integer" => v.is_i64() || v.is_u64() || v.as_f64().is_some_and(|f| f.fract() == 0.0),
        _ => v.is_string(),
    }
}

const fn name_of(v: &Value) -> &'static str {
    match v {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// Names in the schema's `type`; none: any.
fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

pub(super) fn has_type(schema: &Value, v: &Value) -> bool {
    let types = types(schema);
    types.is_empty() || types.iter().any(|t| is(t, v))
}

/// Whether the value at `path` fits.
pub(super) fn value(schema: &Value, v: &Value, path: &mut String) -> Result<(), String> {
    if schema.as_bool() == Some(false) {
        return Err(format!("{path} must not be there"));
    }
    if !has_type(schema, v) {
        return Err(format!("{path} must be of type {}, and is {}", types(schema).join(" or "), name_of(v)));
    }
    let shown = |v: &Value| v.to_string();
    match schema.get("enum").and_then(Value::as_array) {
        Some(allowed) if !allowed.contains(v) => {
            let allowed: Vec<_> = allowed.iter().map(shown).collect();
            return Err(format!("{path} must be one of {}", allowed.join(", ")));
        }
        _ => {}
    }
    match schema.get("const") {
        Some(only) if only != v => return Err(format!("{path} must be {only}")),
        _ => {}
    }
    for all in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
        value(all, v, path)?;
    }
    if let Some(any) = schema.get("anyOf").and_then(Value::as_array)
        && !any.iter().any(|s| value(s, v, &mut path.clone()).is_ok())
    {
        return Err(format!("{path} fits none of the {} forms it may have", any.len()));
    }
    match v {
        Value::Number(n) => number(schema, n.as_f64().unwrap_or(f64::NAN), path),
        Value::String(s) => text(schema, s, path),
        Value::Array(items) => array(schema, items, path),
        Value::Object(members) => object(schema, members, path),
        Value::Null | Value::Bool(_) => Ok(()),
    }
}

fn number(schema: &Value, n: f64, path: &str) -> Result<(), String> {
    type Fits = fn(f64, f64) -> bool;
    let bounds: [(&str, &str, Fits); 4] = [
        ("minimum", "at least", |n, b| n >= b),
        ("maximum", "at most", |n, b| n <= b),
        ("exclusiveMinimum", "above", |n, b| n > b),
        ("exclusiveMaximum", "below", |n, b| n < b),
    ];
    for (keyword, words, fits) in bounds {
        match schema.get(keyword) {
            Some(bound) if !fits(n, bound.as_f64().unwrap_or(f64::NAN)) => {
                return Err(format!("{path} must be {words} {bound}"));
            }
            _ => {}
        }
    }
    Ok(())
}

fn text(schema: &Value, s: &str, path: &str) -> Result<(), String> {
    length(schema, ("minLength", "maxLength"), s.chars().count(), "characters", path)?;
    match schema.get("pattern").and_then(Value::as_str) {
        Some(p) if !regex_lite::Regex::new(p).is_ok_and(|r| r.is_match(s)) => Err(format!("{path} must match {p}")),
        _ => Ok(()),
    }
}

fn length(schema: &Value, keywords: (&str, &str), len: usize, what: &str, path: &str) -> Result<(), String> {
    let bound = |keyword| schema.get(keyword).and_then(Value::as_u64);
    match (bound(keywords.0), bound(keywords.1)) {
        (Some(min), _) if (len as u64) < min => Err(format!("{path} must have at least {min} {what}, and has {len}")),
        (_, Some(max)) if len as u64 > max => Err(format!("{path} must have at most {max} {what}, and has {len}")),
        _ => Ok(()),
    }
}

fn array(schema: &Value, items: &[Value], path: &mut String) -> Result<(), String> {
    length(schema, ("minItems", "maxItems"), items.len(), "items", path)?;
    let Some(each) = schema.get("items") else { return Ok(()) };
    for (i, item) in items.iter().enumerate() {
        below(path, &format!("[{i}]"), |path| value(each, item, path))?;
    }
    Ok(())
}

fn object(schema: &Value, members: &Map<String, Value>, path: &mut String) -> Result<(), String> {
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    for key in required {
        if !members.contains_key(key) {
            return Err(format!("{path} lacks the key {key:?}"));
        }
    }
    let known = schema.get("properties").and_then(Value::as_object);
    let others = schema.get("additionalProperties");
    for (key, member) in members {
        let one = known.and_then(|k| k.get(key)).or(others);
        if one.and_then(Value::as_bool) == Some(false) {
            let mut names: Vec<&str> = known.into_iter().flat_map(Map::keys).map(String::as_str).collect();
            names.sort_unstable();
            return Err(format!("{path} has the key {key:?}, which is not known (known: {})", names.join(", ")));
        }
        if let Some(one) = one {
            below(path, &format!(".{key}"), |path| value(one, member, path))?;
        }
    }
    Ok(())
}

fn below(path: &mut String, part: &str, check: impl FnOnce(&mut String) -> Result<(), String>) -> Result<(), String> {
    let len = path.len();
    path.push_str(part);
    check(path)?;
    path.truncate(len);
    Ok(())
}
