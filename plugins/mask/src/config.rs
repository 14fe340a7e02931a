//! What the configuration says.

use tidegate_sdk::{Failure, TablePattern};

/// Digits of a hash when the rule names none: half of SHA-256.
const DIGITS: usize = 32;

/// How values are hidden. NULL always stays NULL.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum How {
    /// The column is left out.
    Drop,
    /// The value becomes NULL.
    Null,
    /// Text becomes this text.
    Redact(String),
    /// Text becomes stars but for so many characters at its end.
    KeepLast(usize),
    /// The value becomes so many hexadecimal digits of HMAC-SHA-256 under this secret.
    Hash {
        /// Name of the secret.
        secret: String,
        /// 16 to 64.
        digits: usize,
    },
}

/// Which columns of which tables, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule {
    /// Tables.
    pub tables: TablePattern,
    /// Names of columns, in lower case.
    pub columns: Vec<String>,
    /// How.
    pub how: How,
}

/// The rules in order: the first that names a column decides about it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// The rules.
    pub rules: Vec<Rule>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConfig {
    rules: Vec<RawRule>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawRule {
    table: String,
    columns: Vec<String>,
    mask: String,
    text: Option<String>,
    keep: Option<usize>,
    secret: Option<String>,
    digits: Option<usize>,
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
      "description": "the first rule that names a column decides about it",
      "items": {
        "type": "object",
        "additionalProperties": false,
        "required": ["table", "columns", "mask"],
        "properties": {
          "table": {"type": "string", "description": "`database.table`, with `*` and `?`"},
          "columns": {"type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1}},
          "mask": {"enum": ["drop", "null", "redact", "keep-last", "hash"]},
          "text": {"type": "string", "default": "***", "description": "redact: what stands in place of the value"},
          "keep": {"type": "integer", "minimum": 1, "maximum": 64, "default": 4, "description": "keep-last: characters kept"},
          "secret": {"type": "string", "minLength": 1, "description": "hash: name of the granted secret that keys it"},
          "digits": {"type": "integer", "minimum": 16, "maximum": 64, "default": 32, "description": "hash: hexadecimal digits"}
        }
      }
    }
  }
}"#;

    /// Reads the JSON text.
    ///
    /// # Errors
    /// When it is not as [`Config::SCHEMA`] says, or a rule lacks what its mask needs.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let raw: RawConfig = serde_json::from_str(text).map_err(|e| Failure::fatal("config", e.to_string()))?;
        Ok(Self { rules: raw.rules.iter().map(rule).collect::<Result<_, _>>()? })
    }
}

fn rule(r: &RawRule) -> Result<Rule, Failure> {
    let wrong = |why: String| Failure::fatal("config", format!("the rule for {:?} {why}", r.table));
    let tables =
        TablePattern::parse(&r.table).ok_or_else(|| wrong("does not name tables as `database.table`".into()))?;
    let of = |mask: &str, given: bool, key: &str| {
        if given && r.mask != mask {
            Err(wrong(format!("has the key {key:?}, which is for {mask:?} only")))
        } else {
            Ok(())
        }
    };
    of("redact", r.text.is_some(), "text")?;
    of("keep-last", r.keep.is_some(), "keep")?;
    of("hash", r.secret.is_some(), "secret")?;
    of("hash", r.digits.is_some(), "digits")?;
    let how = match r.mask.as_str() {
        "drop" => How::Drop,
        "null" => How::Null,
        "redact" => How::Redact(r.text.clone().unwrap_or_else(|| "***".to_owned())),
        "keep-last" => How::KeepLast(r.keep.unwrap_or(4)),
        "hash" => {
            let secret = r.secret.clone().ok_or_else(|| wrong("hashes and names no \"secret\"".into()))?;
            let digits = r.digits.unwrap_or(DIGITS);
            if !(16..=64).contains(&digits) {
                return Err(wrong(format!("wants {digits} digits; 16 to 64 are possible")));
            }
            How::Hash { secret, digits }
        }
        other => return Err(wrong(format!("has the mask {other:?}, which is not known"))),
    };
    Ok(Rule { tables, columns: r.columns.iter().map(|c| c.to_lowercase()).collect(), how })
}

#[cfg(test)]
mod tests {
    use super::{Config, How};

    fn one(rule: &str) -> Result<How, String> {
        let text = format!(r#"{{"rules":[{{"table":"a.b","columns":["C"],{rule}}}]}}"#);
        Config::parse(&text).map(|c| c.rules[0].how.clone()).map_err(|e| e.to_string())
    }

    #[test]
    fn rules_are_read_and_wrong_ones_named() {
        assert_eq!(one(r#""mask":"drop""#), Ok(How::Drop));
        assert_eq!(one(r#""mask":"redact""#), Ok(How::Redact("***".into())));
        assert_eq!(one(r#""mask":"keep-last","keep":2"#), Ok(How::KeepLast(2)));
        assert_eq!(one(r#""mask":"hash","secret":"k""#), Ok(How::Hash { secret: "k".into(), digits: 32 }));
        for (rule, why) in [
            (r#""mask":"hash""#, "names no \"secret\""),
            (r#""mask":"hash","secret":"k","digits":8"#, "8 digits"),
            (r#""mask":"null","keep":2"#, "\"keep\", which is for \"keep-last\" only"),
            (r#""mask":"blur""#, "\"blur\""),
            (r#""mask":"null","other":2"#, "other"),
        ] {
            let e = one(rule).unwrap_err();
            assert!(e.contains(why), "{e}");
        }
        assert!(Config::parse(r#"{"rules":[{"table":"b","columns":[],"mask":"null"}]}"#).is_err());
    }

    #[test]
    fn the_schema_names_the_keys_that_are_read() {
        let schema: serde_json::Value = serde_json::from_str(Config::SCHEMA).unwrap();
        let keys = schema["properties"]["rules"]["items"]["properties"].as_object().unwrap();
        let names: Vec<_> = keys.keys().map(String::as_str).collect();
        assert_eq!(names, ["columns", "digits", "keep", "mask", "secret", "table", "text"]);
    }
}
