//! What must come out. A list that is there is whole: one more or one less is a failure. Log lines are a selection.

use super::given::Came;
use crate::checks::{Finding, Passed, Verdict};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Expect {
    http: Option<Vec<Http>>,
    sql: Option<Vec<Text>>,
    message: Option<Vec<Message>>,
    object: Option<Vec<Object>>,
    log: Vec<Text>,
    /// Places of the rows that are refused, from 0 on, DDLs counted.
    refused: Option<BTreeSet<usize>>,
    row: Option<Vec<Row>>,
    error: Option<Text>,
}

/// A text, whole or in part.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    text: Option<String>,
    contains: Option<String>,
    level: Option<String>,
}

/// A body or value: as text, in part, as JSON, or as JSON that may have more keys.
#[derive(Clone, Debug, Default, Deserialize)]
struct Body {
    body: Option<String>,
    contains: Option<String>,
    json: Option<toml::Value>,
    has: Option<toml::Value>,
}

#[derive(Clone, Debug, Deserialize)]
struct Http {
    method: Option<String>,
    path: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(flatten)]
    body: Body,
}

#[derive(Clone, Debug, Deserialize)]
struct Message {
    topic: Option<String>,
    key: Option<String>,
    partition: Option<u32>,
    #[serde(flatten)]
    body: Body,
}

#[derive(Clone, Debug, Deserialize)]
struct Object {
    path: String,
    #[serde(flatten)]
    body: Body,
}

/// What a dispatcher or a transform answers for a row.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    lane: Option<u16>,
    target: Option<String>,
    partition: Option<u32>,
    #[serde(default)]
    left_out: bool,
    values: Option<BTreeMap<String, toml::Value>>,
}

fn differs(expected: String, happened: String) -> Verdict {
    Err(Finding { expected, happened, seed: 0 })
}

fn check(holds: bool, expected: impl FnOnce() -> String, happened: impl FnOnce() -> String) -> Result<(), Finding> {
    if holds { Ok(()) } else { Err(Finding { expected: expected(), happened: happened(), seed: 0 }) }
}

impl Text {
    fn fits(&self, level: Option<&str>, text: &str) -> bool {
        self.text.as_ref().is_none_or(|t| t == text)
            && self.contains.as_ref().is_none_or(|t| text.contains(t.as_str()))
            && self.level.as_ref().is_none_or(|l| level.is_some_and(|x| x.eq_ignore_ascii_case(l)))
    }

    fn shown(&self) -> String {
        self.text.as_ref().map_or_else(
            || format!("a text with `{}`", self.contains.as_deref().unwrap_or_default()),
            |t| format!("`{t}`"),
        )
    }
}

/// Whether `found` has everything of `wanted`, and maybe more keys.
fn has(wanted: &serde_json::Value, found: &serde_json::Value) -> bool {
    use serde_json::Value::{Array, Object};
    match (wanted, found) {
        (Object(w), Object(f)) => w.iter().all(|(k, v)| f.get(k).is_some_and(|x| has(v, x))),
        (Array(w), Array(f)) => w.len() == f.len() && w.iter().zip(f).all(|(w, f)| has(w, f)),
        (w, f) => w == f,
    }
}

impl Body {
    fn judge(&self, what: &str, found: &[u8]) -> Result<(), Finding> {
        let text = String::from_utf8_lossy(found);
        let happened = || format!("{what}: {text}");
        if let Some(wanted) = &self.body {
            check(*wanted == text, || format!("{what}: {wanted}"), happened)?;
        }
        if let Some(part) = &self.contains {
            check(text.contains(part.as_str()), || format!("{what} contains `{part}`"), happened)?;
        }
        let parsed = || serde_json::from_slice(found).unwrap_or(serde_json::Value::Null);
        for (wanted, partly) in [(&self.json, false), (&self.has, true)] {
            let Some(wanted) = wanted.as_ref().and_then(|w| serde_json::to_value(w).ok()) else { continue };
            let found = parsed();
            let holds = if partly { has(&wanted, &found) } else { wanted == found };
            check(holds, || format!("{what}: {wanted}"), happened)?;
        }
        Ok(())
    }
}

/// Each by each; the numbers must be the same.
fn each<W, F: std::fmt::Debug>(
    what: &str,
    wanted: &[W],
    found: &[F],
    mut judge: impl FnMut(&W, &F, &str) -> Result<(), Finding>,
) -> Result<(), Finding> {
    for (n, (wanted, found)) in wanted.iter().zip(found).enumerate() {
        judge(wanted, found, &format!("{what} {}", n + 1))?;
    }
    let short = |v: &F| format!("{v:?}").chars().take(300).collect::<String>();
    let more =
        found.get(wanted.len()).map(|f| format!(", the first that is too much: {}", short(f))).unwrap_or_default();
    check(wanted.len() == found.len(), || format!("{} of {what}", wanted.len()), || format!("{}{more}", found.len()))
}

impl Expect {
    pub(super) fn judge(&self, came: &Came) -> Verdict {
        match (&self.error, &came.error) {
            (None, Some(error)) => return differs("it goes through".to_owned(), error.clone()),
            (Some(wanted), found) => {
                let found = found.clone().unwrap_or_else(|| "it went through".to_owned());
                check(wanted.fits(None, &found), || format!("it fails with {}", wanted.shown()), || found.clone())?;
            }
            (None, None) => {}
        }
        self.judge_sink(came)?;
        self.judge_rows(came)?;
        for wanted in &self.log {
            let found = came.logs.iter().any(|(level, line)| wanted.fits(Some(level), line));
            let last = came.logs.last().map(|(_, l)| l.clone());
            check(
                found,
                || format!("a log line: {}", wanted.shown()),
                || format!("none of {} lines, the last: {}", came.logs.len(), last.unwrap_or_default()),
            )?;
        }
        Ok(Passed::Pass("as written".to_owned()))
    }

    fn judge_sink(&self, came: &Came) -> Result<(), Finding> {
        if let Some(wanted) = &self.http {
            each("request", wanted, &came.http, |w, f, what| {
                let method = format!("{:?}", f.method).to_ascii_uppercase();
                let line = format!("{method} {}", f.path);
                let fits =
                    w.method.as_ref().is_none_or(|m| *m == method) && w.path.as_ref().is_none_or(|p| *p == f.path);
                check(fits, || format!("{what}: {:?} {:?}", w.method, w.path), || line.clone())?;
                for (name, value) in &w.headers {
                    let found = f.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v);
                    check(found == Some(value), || format!("{what}, header {name}: {value}"), || format!("{found:?}"))?;
                }
                w.body.judge(&format!("{what}, body"), &f.body)
            })?;
        }
        if let Some(wanted) = &self.sql {
            each("statement", wanted, &came.statements, |w, f, what| {
                check(w.fits(None, f), || format!("{what}: {}", w.shown()), || f.clone())
            })?;
        }
        if let Some(wanted) = &self.message {
            each("message", wanted, &came.messages, |w, f, what| {
                let key = f.key.as_ref().map(|k| String::from_utf8_lossy(k).into_owned());
                let fits = w.topic.as_ref().is_none_or(|t| *t == f.topic)
                    && w.key.as_ref().is_none_or(|k| Some(k) == key.as_ref())
                    && w.partition.is_none_or(|p| Some(p) == f.partition);
                check(
                    fits,
                    || format!("{what}: topic {:?}, key {:?}, partition {:?}", w.topic, w.key, w.partition),
                    || format!("topic {:?}, key {key:?}, partition {:?}", f.topic, f.partition),
                )?;
                w.body.judge(&format!("{what}, value"), &f.value)
            })?;
        }
        if let Some(wanted) = &self.object {
            let found: Vec<_> = came.objects.iter().collect();
            each("object", wanted, &found, |w, (path, data), what| {
                check(w.path == **path, || format!("{what}: {}", w.path), || (*path).clone())?;
                w.body.judge(&format!("object {path}"), data)
            })?;
        }
        if let Some(wanted) = &self.refused {
            check(
                *wanted == came.refused,
                || format!("rows {wanted:?} are refused"),
                || format!("{:?}", came.refused),
            )?;
        }
        Ok(())
    }

    fn judge_rows(&self, came: &Came) -> Result<(), Finding> {
        let Some(wanted) = &self.row else { return Ok(()) };
        each("row", wanted, &came.answers, |w, f, what| {
            let fits = w.lane.is_none_or(|l| f.lane == Some(l))
                && w.partition.is_none_or(|p| f.partition == Some(p))
                && w.target.as_ref().is_none_or(|t| f.target.as_ref() == Some(t))
                && w.left_out == f.left_out;
            check(
                fits,
                || {
                    format!(
                        "{what}: lane {:?}, target {:?}, partition {:?}, left out: {}",
                        w.lane, w.target, w.partition, w.left_out
                    )
                },
                || {
                    format!(
                        "lane {:?}, target {:?}, partition {:?}, left out: {}",
                        f.lane, f.target, f.partition, f.left_out
                    )
                },
            )?;
            for (name, value) in w.values.iter().flatten() {
                let wanted = match value {
                    toml::Value::String(s) => s.clone(),
                    other => other.to_string(),
                };
                let found = f.values.get(name);
                check(
                    found == Some(&wanted),
                    || format!("{what}, column {name}: {wanted}"),
                    || found.cloned().unwrap_or_else(|| "NULL, or no such column".to_owned()),
                )?;
            }
            Ok(())
        })
    }
}
