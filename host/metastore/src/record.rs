//! Records of changefeeds as they are stored: JSON objects that begin with their format.

use crate::MetaError;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tg_model::{Position, Ts};

/// The format that is written. Every format up to it is read.
pub const FORMAT: u64 = 1;

/// What a user wants of a changefeed and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChangefeedInfo {
    /// Replicate what is committed above this.
    pub start_ts: Ts,
    /// Stop at this; `None`: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_ts: Option<Ts>,
    /// Where to. Holds no secret: those are named by reference.
    pub sink_uri: String,
    /// The configuration as the user gave it, defaults not filled in.
    #[serde(default)]
    pub config: Value,
    /// Desired or final state.
    pub state: FeedState,
    /// Why it is not running, if it is not by wish.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<FeedError>,
    /// When it was made, in Unix milliseconds.
    #[serde(default)]
    pub created_ms: u64,
    /// Fields of later versions, kept as they are.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// State of a changefeed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeedState {
    /// It runs, or should.
    Normal,
    /// It met an error and is being tried again.
    Warning,
    /// It was stopped by the user.
    Stopped,
    /// It met an error that trying again does not cure.
    Failed,
    /// It reached its target.
    Finished,
}

/// The error that a changefeed stands at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedError {
    /// Code, as shown: `TG-1202`.
    pub code: String,
    /// Message, without secrets.
    pub message: String,
    /// Address of the capture that reported it.
    #[serde(default)]
    pub capture: String,
    /// When, in Unix milliseconds.
    #[serde(default)]
    pub at_ms: u64,
}

/// Progress of a changefeed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChangefeedStatus {
    /// Everything up to here is downstream. Never goes back.
    pub checkpoint: Position,
    /// Nothing above this has left for the downstream.
    pub emit_ts: Ts,
    /// Run of the changefeed; grows with every start and change of configuration.
    pub epoch: u64,
    /// When it was written, in Unix milliseconds.
    #[serde(default)]
    pub updated_ms: u64,
    /// Fields of later versions, kept as they are.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// What is known of a DDL that was begun.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DdlRecord {
    /// Commit-ts of the DDL.
    pub commit_ts: Ts,
    /// Its place among the events of its job.
    pub seq: u32,
    /// How far it is.
    pub state: DdlState,
    /// Epoch of whoever runs it.
    pub executor_epoch: u64,
    /// The statement, or what stands for it.
    pub query: String,
    /// Error or remark.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub outcome: String,
    /// Fields of later versions, kept as they are.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// How far a DDL is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DdlState {
    /// It may be running downstream; its outcome is not known.
    Running,
    /// It is done downstream.
    Done,
    /// It was passed over on purpose.
    Skipped,
    /// The downstream refused it.
    Failed,
}

/// Writes a record in the present format.
pub(crate) fn encode<T: Serialize>(key: &str, record: &T) -> Result<Bytes, MetaError> {
    let bad = |cause: String| MetaError::BadRecord { key: key.to_owned(), cause };
    let Value::Object(mut fields) = serde_json::to_value(record).map_err(|e| bad(e.to_string()))? else {
        return Err(bad("it is not an object".to_owned()));
    };
    fields.insert("format".to_owned(), FORMAT.into());
    serde_json::to_vec(&fields).map(Bytes::from).map_err(|e| bad(e.to_string()))
}

/// Reads a record of any known format.
pub(crate) fn decode<T: DeserializeOwned>(key: &str, text: &[u8]) -> Result<T, MetaError> {
    let bad = |cause: String| MetaError::BadRecord { key: key.to_owned(), cause };
    let mut fields: Map<String, Value> = serde_json::from_slice(text).map_err(|e| bad(e.to_string()))?;
    let format = fields.remove("format").and_then(|f| f.as_u64()).ok_or_else(|| bad("it has no format".to_owned()))?;
    if format == 0 {
        return Err(bad("there is no format 0".to_owned()));
    }
    if format > FORMAT {
        return Err(MetaError::NewerFormat { key: key.to_owned(), found: format, known: FORMAT });
    }
    serde_json::from_value(Value::Object(fields)).map_err(|e| bad(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status() -> ChangefeedStatus {
        ChangefeedStatus {
            checkpoint: Position::rows(Ts::new(7)),
            emit_ts: Ts::new(9),
            epoch: 1,
            updated_ms: 0,
            other: Map::new(),
        }
    }

    #[test]
    fn unknown_fields_are_kept() {
        let mut record = status();
        record.other.insert("later".to_owned(), serde_json::json!({"a": [1]}));
        let text = encode("k", &record).unwrap();
        assert_eq!(decode::<ChangefeedStatus>("k", &text).unwrap(), record);
    }

    #[test]
    fn what_cannot_be_read_names_the_key() {
        for (text, part) in [
            (&b"{"[..], "EOF"),
            (b"[]", "invalid type"),
            (b"{}", "no format"),
            (br#"{"format":0}"#, "format 0"),
            (br#"{"format":"1"}"#, "no format"),
            (br#"{"format":1}"#, "checkpoint"),
            (br#"{"format":2}"#, "has format 2"),
        ] {
            let e = decode::<ChangefeedStatus>("cf/a", text).unwrap_err().to_string();
            assert!(e.contains("cf/a") && e.contains(part), "{e}");
        }
    }
}
