//! A schema registry with Confluent's API, over HTTP.

use serde::Deserialize;
use serde_json::json;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use tg_format_avro::{Registry, SchemaId};
use tidegate_sdk::Failure;
use tidegate_sdk::http::{self, HttpError, Method, Request};

/// Characters of an answer that an error shows.
const SHOWN_CHARS: usize = 300;
/// Schemas whose ids are remembered.
const IDS_MAX: usize = 10_000;

/// Why the registry gave no id, beside what the encoder says.
#[derive(Clone, Default)]
pub(crate) struct Trouble(Rc<RefCell<Option<Failure>>>);

impl Trouble {
    /// The failure of the last question, if it failed.
    pub(crate) fn take(&self) -> Option<Failure> {
        self.0.borrow_mut().take()
    }
}

/// See the module.
pub(crate) struct HttpRegistry {
    endpoint: String,
    ids: BTreeMap<(String, String), u32>,
    trouble: Trouble,
}

#[derive(Deserialize)]
struct Registered {
    id: u32,
}

impl HttpRegistry {
    pub(crate) fn new(endpoint: &str, trouble: &Trouble) -> Self {
        Self { endpoint: endpoint.to_owned(), ids: BTreeMap::new(), trouble: trouble.clone() }
    }

    fn ask(&self, subject: &str, schema: &str) -> Result<u32, Failure> {
        let doing = format!("registering a schema for {subject}");
        let request = Request {
            endpoint: self.endpoint.clone(),
            method: Method::Post,
            path: format!("/subjects/{subject}/versions"),
            headers: vec![
                ("content-type".to_owned(), "application/vnd.schemaregistry.v1+json".to_owned()),
                ("accept".to_owned(), "application/vnd.schemaregistry.v1+json".to_owned()),
            ],
            body: json!({ "schema": schema }).to_string().into_bytes(),
            timeout_ms: None,
        };
        let answer = http::send(request).map_err(|e| match e {
            // A schema that is registered twice has the same id.
            HttpError::NotSent(why) | HttpError::Unknown(why) => Failure::retryable(format!("{doing}: {why}")),
            other => Failure::from(other).context(&doing),
        })?;
        let text = String::from_utf8_lossy(&answer.body);
        match answer.status {
            200 => {
                let read = serde_json::from_str::<Registered>(&text).map(|r| r.id);
                read.map_err(|e| {
                    Failure::fatal("schema-registry", format!("{doing}: the answer is not understood: {e}"))
                })
            }
            status @ (408 | 425 | 429 | 500..=599) => {
                Err(Failure::retryable(format!("{doing}: the registry answers {status}: {}", shown(&text))))
            }
            status => {
                let message = format!("{doing}: the registry answers {status}: {}", shown(&text));
                Err(Failure::fatal("schema-registry", message))
            }
        }
    }
}

fn shown(text: &str) -> String {
    text.chars().take(SHOWN_CHARS).collect()
}

impl Registry for HttpRegistry {
    fn schema_id(&mut self, subject: &str, schema: &str) -> Result<SchemaId, String> {
        let key = (subject.to_owned(), schema.to_owned());
        if let Some(id) = self.ids.get(&key) {
            return Ok(SchemaId::Confluent(*id));
        }
        match self.ask(subject, schema) {
            Ok(id) => {
                if self.ids.len() >= IDS_MAX {
                    self.ids.clear();
                }
                self.ids.insert(key, id);
                Ok(SchemaId::Confluent(id))
            }
            Err(failure) => {
                let reason = failure.to_string();
                *self.trouble.0.borrow_mut() = Some(failure);
                Err(reason)
            }
        }
    }
}
