//! Bodies of requests.

use crate::config::Config;
use serde_json::json;
use tidegate_sdk::{DdlEvent, Position};

/// An event of more bytes than so many batches is not sent.
pub(crate) const EVENT_BATCHES_MAX: usize = 8;

/// Key and body of a request.
pub(crate) type Request = (String, Vec<u8>);

/// A request in the making.
pub(crate) struct Body {
    /// `changefeed/slot/lane`.
    pub(crate) source: String,
    rows_max: u32,
    bytes_max: usize,
    bytes: Vec<u8>,
    first: String,
    last: String,
    rows: u32,
}

impl Body {
    pub(crate) fn new(source: &str, config: &Config) -> Self {
        Self {
            source: source.to_owned(),
            rows_max: config.batch_rows,
            bytes_max: config.batch_bytes as usize,
            bytes: Vec::new(),
            first: String::new(),
            last: String::new(),
            rows: 0,
        }
    }

    /// Adds an event; true: the request is full.
    pub(crate) fn add(&mut self, id: &str, event: &str) -> bool {
        if self.rows == 0 {
            self.bytes.extend_from_slice(
                format!("{{\"version\":1,\"source\":{},\"events\":[", json!(self.source)).as_bytes(),
            );
            id.clone_into(&mut self.first);
        } else {
            self.bytes.push(b',');
        }
        self.bytes.extend_from_slice(event.as_bytes());
        id.clone_into(&mut self.last);
        self.rows += 1;
        self.rows >= self.rows_max || self.bytes.len() >= self.bytes_max
    }

    /// Closes the request; `None`: there is none.
    pub(crate) fn take(&mut self) -> Option<Request> {
        if self.rows == 0 {
            return None;
        }
        self.rows = 0;
        self.bytes.extend_from_slice(b"]}");
        let key = format!("{}/{}..{}", self.source, self.first, self.last);
        Some((key, std::mem::take(&mut self.bytes)))
    }

    pub(crate) const fn len_bytes(&self) -> usize {
        self.bytes.len()
    }
}

pub(crate) fn ddl(source: &str, ddl: &DdlEvent) -> Request {
    let seq = ddl.attrs.iter().find(|(k, _)| k == "seq").map_or("0", |(_, v)| v.as_str());
    let id = format!("{}-ddl-{seq}", ddl.at.ts);
    let event = json!({
        "id": format!("{source}/{id}"),
        "type": "ddl",
        "kind": format!("{:?}", ddl.kind),
        "database": ddl.database,
        "table": ddl.table,
        "commit-ts": ddl.at.ts.to_string(),
        "query": ddl.query,
        "maybe-repeated": ddl.maybe_done,
    });
    (format!("{source}/{id}"), json!({ "version": 1, "source": source, "events": [event] }).to_string().into_bytes())
}

pub(crate) fn checkpoint(source: &str, at: Position) -> Request {
    let id = format!("{source}/checkpoint-{}-{}-{}", at.ts, at.stage, at.seq);
    let event = json!({ "id": id, "type": "checkpoint", "ts": at.ts.to_string() });
    (id, json!({ "version": 1, "source": source, "events": [event] }).to_string().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::Body;
    use crate::config::Config;

    #[test]
    fn a_request_is_full_by_rows_or_bytes_and_named_by_its_events() {
        let config = Config { batch_rows: 2, batch_bytes: 1024, ..Config::default() };
        let mut body = Body::new("d/f/0/1", &config);
        assert_eq!(body.take(), None);
        assert!(!body.add("7-1", "{}"));
        assert!(body.add("9-1", "{}"));
        let (key, bytes) = body.take().unwrap();
        assert_eq!(key, "d/f/0/1/7-1..9-1");
        assert_eq!(bytes, br#"{"version":1,"source":"d/f/0/1","events":[{},{}]}"#);
        assert!(body.add("9-2", &format!("\"{}\"", "x".repeat(1024))), "its bytes fill it");
        assert!(body.take().is_some() && body.len_bytes() == 0);
    }
}
