//! Values that mean the same.

use serde_json::Value;
use std::fmt;

/// How values of a column are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// By their text.
    Text,
    /// By their value: ZEROFILL pads.
    Int,
    /// By their bytes.
    Bytes,
    /// By their value.
    Float,
    /// By their meaning.
    Json,
    /// By their elements.
    Vector,
}

impl Kind {
    /// From `data_type` of the information schema.
    #[must_use]
    pub fn of(data_type: &str) -> Self {
        match data_type.to_ascii_lowercase().as_str() {
            "bit" | "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => Self::Bytes,
            "tinyint" | "smallint" | "mediumint" | "int" | "bigint" => Self::Int,
            "float" | "double" => Self::Float,
            "json" => Self::Json,
            "vector" => Self::Vector,
            _ => Self::Text,
        }
    }

    /// What is selected to compare a column of the upstream's kind on either server.
    pub(super) fn expression(self, column: &str) -> String {
        match self {
            Self::Bytes => format!("HEX(`{column}`)"),
            // As a double: a FLOAT is printed with fewer digits than it has.
            Self::Float => format!("`{column}` + 0e0"),
            Self::Text | Self::Int | Self::Json | Self::Vector => format!("`{column}`"),
        }
    }
}

/// A value in the form in which it is compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell(Option<Vec<u8>>);

impl Cell {
    /// From the text a server answers.
    #[must_use]
    pub fn new(kind: Kind, text: Option<Vec<u8>>) -> Self {
        Self(text.map(|text| match kind {
            Kind::Text | Kind::Bytes => text,
            Kind::Int => parsed(&text, |t| t.parse::<i128>().ok().map(|n| n.to_string())),
            Kind::Float => parsed(&text, |t| t.parse::<f64>().ok().map(|f| format!("{f:?}"))),
            Kind::Json => parsed(&text, |t| serde_json::from_str(t).ok().map(|v| canonical(&v))),
            Kind::Vector => parsed(&text, |t| {
                let elements: Option<Vec<f32>> = t
                    .trim_matches(['[', ']'])
                    .split(',')
                    .filter(|e| !e.is_empty())
                    .map(|e| e.trim().parse().ok())
                    .collect();
                elements.map(|e| format!("{e:?}"))
            }),
        }))
    }
}

fn parsed(text: &[u8], read: impl Fn(&str) -> Option<String>) -> Vec<u8> {
    std::str::from_utf8(text).ok().and_then(read).map_or_else(|| text.to_vec(), String::into_bytes)
}

/// Members in order, numbers by value.
fn canonical(value: &Value) -> String {
    match value {
        Value::Number(n) if n.is_f64() => {
            let f = n.as_f64().unwrap_or(f64::NAN);
            // Both sides may print a whole number with or without a fraction.
            if f.fract() == 0.0 && f.abs() < 9e15 { format!("{}", f as i64) } else { format!("{f:?}") }
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        Value::Object(members) => {
            let mut parts: Vec<String> = members.iter().map(|(k, v)| format!("{k:?}:{}", canonical(v))).collect();
            parts.sort();
            format!("{{{}}}", parts.join(","))
        }
        other => other.to_string(),
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => f.write_str("NULL"),
            Some(text) => f.write_str(&String::from_utf8_lossy(text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Cell, Kind};

    fn check(kind: Kind, a: &str, b: &str, same: bool) {
        let cell = |t: &str| Cell::new(kind, Some(t.as_bytes().to_vec()));
        assert_eq!(cell(a) == cell(b), same, "{kind:?}: {a} and {b}");
    }

    #[test]
    fn values_are_compared_by_what_they_mean() {
        check(Kind::Json, r#"{"a": 1, "b": [1, 2.50]}"#, r#"{"b":[1,2.5],"a":1.0}"#, true);
        check(Kind::Json, r#"{"a": 1}"#, r#"{"a": "1"}"#, false);
        check(Kind::Json, "18446744073709551615", "18446744073709551614", false);
        check(Kind::Int, "000042", "42", true);
        check(Kind::Int, "18446744073709551615", "18446744073709551614", false);
        check(Kind::Float, "1e20", "100000000000000000000", true);
        check(Kind::Float, "0.1", "0.10000000000000002", false);
        check(Kind::Vector, "[1,2.5]", "[1, 2.50]", true);
        check(Kind::Text, "1.0", "1.00", false);
        check(Kind::Text, "a", "a ", false);
        assert_ne!(Cell::new(Kind::Text, None), Cell::new(Kind::Text, Some(vec![])));
    }
}
