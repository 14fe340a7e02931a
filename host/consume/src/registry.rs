//! Schemas by their numbers, from a registry with Confluent's API.

use crate::error::ConsumeError;
use bytes::Bytes;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use tg_format_avro::{SchemaId, SchemaText};
use tg_http::{HttpOrigin, HttpTarget};
use tg_plugin::grant::{HttpError, HttpMethod, HttpRequest, HttpResponse};

/// Schemas that are kept.
const SCHEMAS_MAX: usize = 1_000;
/// Bytes of the schemas that are kept, unless one message needs more.
const SCHEMAS_BYTES_MAX: usize = 32 << 20;
/// Bytes of one.
const SCHEMA_BYTES_MAX: u64 = 8 << 20;
/// Characters of an answer that an error shows.
const SHOWN_CHARS: usize = 200;

/// Texts of schemas, all forgotten when there are too many.
#[derive(Default)]
struct Texts {
    all: BTreeMap<u32, String>,
    bytes: usize,
}

impl Texts {
    fn put(&mut self, id: u32, text: String) {
        self.bytes += text.len();
        self.all.insert(id, text);
    }

    /// Makes room for some more when one of these is not there.
    fn make_room(&mut self, ids: &[u32]) {
        let missing = ids.iter().filter(|id| !self.all.contains_key(id)).count();
        if missing > 0 && (self.all.len() + missing > SCHEMAS_MAX || self.bytes > SCHEMAS_BYTES_MAX) {
            *self = Self::default();
        }
    }
}

/// A registry and what it said. Copies share both.
#[derive(Clone)]
pub struct SchemaRegistry {
    origin: Arc<HttpOrigin>,
    texts: Arc<Mutex<Texts>>,
}

impl fmt::Debug for SchemaRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SchemaRegistry").finish_non_exhaustive()
    }
}

impl SchemaRegistry {
    /// Asks at this URL, which may hold a user and a password.
    ///
    /// # Errors
    /// When it is not the URL of a registry.
    pub fn at(url: &str) -> Result<Self, ConsumeError> {
        let target = HttpTarget::with_login(url);
        let target = target.map(|t| HttpTarget { response_bytes_max: SCHEMA_BYTES_MAX, ..t });
        let origin = target.and_then(|target| HttpOrigin::new(&target));
        let origin = origin.map_err(|e| ConsumeError::NoRegistry { reason: e.to_string() })?;
        Ok(Self { origin: Arc::new(origin), texts: Arc::default() })
    }

    /// Gets those of the schemas that are not here; all of them are here afterwards. `at` says what is written with them.
    pub(crate) async fn learn(&self, ids: &[u32], at: &str) -> Result<(), ConsumeError> {
        self.with(|texts| texts.make_room(ids));
        for id in ids {
            if !self.with(|texts| texts.all.contains_key(id)) {
                let text = self.ask(*id, at).await?;
                self.with(|texts| texts.put(*id, text));
            }
        }
        Ok(())
    }

    fn with<T>(&self, f: impl FnOnce(&mut Texts) -> T) -> T {
        f(&mut self.texts.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn ask(&self, id: u32, at: &str) -> Result<String, ConsumeError> {
        let request = HttpRequest {
            method: HttpMethod::Get,
            path: format!("/schemas/ids/{id}"),
            headers: vec![("accept".to_owned(), "application/vnd.schemaregistry.v1+json, application/json".to_owned())],
            body: Bytes::new(),
            timeout: None,
        };
        let answer = self.origin.request(request).await.map_err(|e| match e {
            HttpError::NotSent(reason) | HttpError::Unknown(reason) => ConsumeError::RegistryAway { id, reason },
            HttpError::Refused(reason) => ConsumeError::RegistryRefuses { id, reason },
            HttpError::TooLarge(limit) => {
                ConsumeError::RegistryRefuses { id, reason: format!("its answer has more than {limit} bytes") }
            }
        })?;
        read(id, &answer, at)
    }
}

/// What an answer says.
fn read(id: u32, answer: &HttpResponse, at: &str) -> Result<String, ConsumeError> {
    let text = String::from_utf8_lossy(&answer.body);
    let said = || {
        let shown: String = text.chars().take(SHOWN_CHARS).collect();
        format!("it answers {}: {shown}", answer.status)
    };
    match answer.status {
        200 => {
            let read: Option<Value> = serde_json::from_str(&text).ok();
            let schema = read.as_ref().and_then(|v| v.get("schema")).and_then(Value::as_str);
            schema.map(str::to_owned).ok_or_else(|| ConsumeError::RegistryRefuses { id, reason: said() })
        }
        404 => Err(ConsumeError::NoSchema { id, at: at.to_owned() }),
        408 | 425 | 429 | 500..=599 => Err(ConsumeError::RegistryAway { id, reason: said() }),
        _ => Err(ConsumeError::RegistryRefuses { id, reason: said() }),
    }
}

impl SchemaText for SchemaRegistry {
    fn text(&self, id: &SchemaId) -> Option<String> {
        match id {
            SchemaId::Confluent(id) => self.with(|texts| texts.all.get(id).cloned()),
            SchemaId::Glue(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{SCHEMAS_MAX, SchemaRegistry};
    use std::sync::{Arc, Mutex};
    use tg_format_avro::{SchemaId, SchemaText};
    use tg_model::Coded;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// Answers one request a connection by the number that it asks for, and counts them.
    async fn registry() -> (SchemaRegistry, Arc<Mutex<Vec<u32>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/api", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(socket.read_u8().await.unwrap());
                }
                let head = String::from_utf8(head).unwrap();
                let path = head.split(' ').nth(1).unwrap();
                let id: u32 = path.strip_prefix("/api/schemas/ids/").unwrap().parse().unwrap();
                seen.lock().unwrap().push(id);
                let (status, body) = match id {
                    404 => ("404 Not Found", r#"{"error_code":40403,"message":"Schema not found"}"#.to_owned()),
                    503 => ("503 Service Unavailable", "later".to_owned()),
                    401 => ("401 Unauthorized", "who are you".to_owned()),
                    7 => ("200 OK", "<html>".to_owned()),
                    id => ("200 OK", format!("{{\"schema\":\"text {id}\"}}")),
                };
                let length = body.len();
                let answer =
                    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
                socket.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        (SchemaRegistry::at(&url).unwrap(), asked)
    }

    #[tokio::test]
    async fn a_schema_is_asked_for_once() {
        let (registry, asked) = registry().await;
        for _ in 0..3 {
            registry.learn(&[1, 2], "here").await.unwrap();
        }
        assert_eq!(*asked.lock().unwrap(), [1, 2]);
        assert_eq!(registry.text(&SchemaId::Confluent(2)).as_deref(), Some("text 2"));
        assert_eq!(registry.text(&SchemaId::Confluent(3)), None);
        assert_eq!(registry.text(&SchemaId::Glue([0; 16])), None);
    }

    #[tokio::test]
    async fn what_is_kept_is_bounded_and_both_of_a_message_are_there() {
        let (registry, _) = registry().await;
        let put = |id: u32| registry.with(|t| t.put(id, String::new()));
        (10_000..10_000 + SCHEMAS_MAX as u32 - 1).for_each(put);
        registry.learn(&[1, 10_000], "here").await.unwrap();
        assert_eq!(registry.with(|t| t.all.len()), SCHEMAS_MAX);
        registry.learn(&[1, 2], "here").await.unwrap();
        assert_eq!(registry.with(|t| t.all.keys().copied().collect::<Vec<_>>()), [1, 2]);
    }

    #[tokio::test]
    async fn answers_have_codes() {
        let (registry, _) = registry().await;
        for (id, code, again, says) in [
            (404, 8208, false, "topic t, offset 5"),
            (503, 8207, true, "503: later"),
            (401, 8209, false, "who are you"),
            (7, 8209, false, "<html>"),
        ] {
            let e = registry.learn(&[id], "topic t, offset 5").await.unwrap_err();
            assert_eq!((e.code().0, e.is_retryable()), (code, again), "{e}");
            assert!(e.to_string().contains(says) && e.to_string().contains(&id.to_string()), "{e}");
        }
        let nobody = SchemaRegistry::at("http://127.0.0.1:1/").unwrap();
        let e = nobody.learn(&[1], "here").await.unwrap_err();
        assert_eq!((e.code().0, e.is_retryable()), (8207, true), "{e}");
        let e = SchemaRegistry::at("http://a/?secret").unwrap_err();
        assert!(e.code().0 == 8210 && !e.is_retryable() && !e.to_string().contains("secret"), "{e}");
    }
}
