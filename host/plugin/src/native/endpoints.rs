//! What stands behind the handles of a native plugin.

use super::host::{Held, Shared};
use crate::capability::{object_store, producer};
use crate::grant::{
    Blocks, Bucket, Dialect, EndpointError, EndpointErrorKind, HttpError, HttpMethod, HttpRequest, HttpResponse,
    Messages, ObjectMeta, Producer, PutError, PutMode, SqlConnection, SqlError, SqlErrorKind, SqlValue, Strings,
    Upload,
};
use std::sync::Arc;
use std::time::Duration;
use tidegate_sdk::{Failure, http, native, object_store as store, producer as queue, sql};

/// An endpoint's error in the plugin's words.
pub(super) fn failure(e: EndpointError) -> Failure {
    let (message, after_ms) = (e.message, e.after_ms);
    match e.kind {
        EndpointErrorKind::Retryable => Failure::Retryable { message, after_ms, attrs: Vec::new() },
        EndpointErrorKind::Unknown => Failure::Unknown { message, after_ms, attrs: Vec::new() },
        EndpointErrorKind::Fenced => Failure::fenced(message),
        EndpointErrorKind::Fatal => Failure::fatal(e.code, message),
        EndpointErrorKind::Unsupported => Failure::unsupported(e.code, message),
    }
}

/// A producer.
pub(super) struct Producing {
    pub(super) shared: Arc<Shared>,
    pub(super) raw: Arc<Held<dyn Producer>>,
}

fn strings(b: &tidegate_sdk::Blocks) -> Strings {
    let (data, ends) = b.parts();
    Strings { data: data.to_vec().into(), ends: ends.to_vec() }
}

impl native::Producer for Producing {
    fn partitions(&self, topic: &str) -> Result<u32, Failure> {
        self.shared.wait_for(async { self.raw.lock().await.partitions(topic).await }).map_err(failure)
    }

    fn max_message_bytes(&self, topic: &str) -> Result<u32, Failure> {
        self.shared.wait_for(async { self.raw.lock().await.max_message_bytes(topic).await }).map_err(failure)
    }

    fn topics(&self) -> Vec<String> {
        self.shared.wait_for(async { Ok(self.raw.lock().await.topics()) }).unwrap_or_default()
    }

    fn send(&self, m: &queue::Messages) -> Result<(), Failure> {
        let messages = Messages {
            topics: m.topics.clone(),
            topic_of: m.topic_of.clone(),
            partitions: m.partitions.clone(),
            keys: (!m.keys.is_empty()).then(|| strings(&m.keys)),
            values: strings(&m.values),
            headers: m.headers.iter().map(|(k, v)| (k.clone(), v.clone().into())).collect(),
        };
        producer::check(&messages).map_err(failure)?;
        self.shared.wait_for(async { self.raw.lock().await.send(messages).await }).map_err(failure)
    }

    fn flush(&self) -> Result<(), Failure> {
        let progress = *self.shared.progress.lock();
        self.shared.wait_for(async { self.raw.lock().await.flush(progress).await }).map_err(failure)
    }
}

/// An open store.
pub(super) struct Storing {
    pub(super) shared: Arc<Shared>,
    pub(super) raw: Held<dyn Bucket>,
}

fn meta(m: ObjectMeta) -> store::ObjectMeta {
    store::ObjectMeta { path: m.path, size: m.size, etag: m.etag, modified_ms: m.modified_ms }
}

impl native::Bucket for Storing {
    fn put(&self, path: &str, data: &[u8], mode: &store::PutMode) -> Result<store::ObjectMeta, store::PutError> {
        let other = |e| store::PutError::Other(failure(e));
        object_store::check_path(path, false).map_err(other)?;
        let mode = match mode {
            store::PutMode::Overwrite => PutMode::Overwrite,
            store::PutMode::Create => PutMode::Create,
            store::PutMode::IfMatch(etag) => PutMode::IfMatch(etag.clone()),
        };
        let put = async { Ok(self.raw.lock().await.put(path, data.to_vec().into(), mode).await) };
        match self.shared.wait_for(put).map_err(other)? {
            Ok(m) => Ok(meta(m)),
            Err(PutError::Conflict) => Err(store::PutError::Conflict),
            Err(PutError::Other(e)) => Err(other(e)),
        }
    }

    fn get(&self, path: &str, offset: u64, length: u64) -> Result<Option<Vec<u8>>, Failure> {
        object_store::check_path(path, false).map_err(failure)?;
        let limit = object_store::GET_BYTES_MAX;
        let found = self.shared.wait_for(async { self.raw.lock().await.get(path, offset, length, limit).await });
        found.map(|b| b.map(Into::into)).map_err(failure)
    }

    fn head(&self, path: &str) -> Result<Option<store::ObjectMeta>, Failure> {
        object_store::check_path(path, false).map_err(failure)?;
        let found = self.shared.wait_for(async { self.raw.lock().await.head(path).await });
        found.map(|m| m.map(meta)).map_err(failure)
    }

    fn list(&self, prefix: &str, after: &str, limit: u32) -> Result<Vec<store::ObjectMeta>, Failure> {
        object_store::check_path(prefix, true).map_err(failure)?;
        object_store::check_path(after, true).map_err(failure)?;
        let limit = limit.min(object_store::LIST_MAX);
        let found = self.shared.wait_for(async { self.raw.lock().await.list(prefix, after, limit).await });
        found.map(|all| all.into_iter().map(meta).collect()).map_err(failure)
    }

    fn delete(&self, path: &str) -> Result<(), Failure> {
        object_store::check_path(path, false).map_err(failure)?;
        self.shared.wait_for(async { self.raw.lock().await.delete(path).await }).map_err(failure)
    }

    fn upload(&self, path: &str) -> Result<Box<dyn native::Upload>, Failure> {
        object_store::check_path(path, false).map_err(failure)?;
        let opened = self.shared.wait_for(async { self.raw.lock().await.upload(path).await }).map_err(failure)?;
        Ok(Box::new(Uploading { shared: Arc::clone(&self.shared), raw: Held::new(opened) }))
    }
}

struct Uploading {
    shared: Arc<Shared>,
    raw: Held<dyn Upload>,
}

impl native::Upload for Uploading {
    fn write(&self, data: &[u8]) -> Result<(), Failure> {
        let data = data.to_vec().into();
        self.shared.wait_for(async { self.raw.lock().await.write(data).await }).map_err(failure)
    }

    fn finish(&self) -> Result<store::ObjectMeta, Failure> {
        self.shared.wait_for(async { self.raw.lock().await.finish().await }).map(meta).map_err(failure)
    }

    fn abort(&self) {
        // It says nothing of failures.
        let _ = self.shared.wait_for(async {
            self.raw.lock().await.abort().await;
            Ok(())
        });
    }
}

pub(super) fn http_request(r: &http::Request) -> HttpRequest {
    let method = match r.method {
        http::Method::Get => HttpMethod::Get,
        http::Method::Head => HttpMethod::Head,
        http::Method::Post => HttpMethod::Post,
        http::Method::Put => HttpMethod::Put,
        http::Method::Patch => HttpMethod::Patch,
        http::Method::Delete => HttpMethod::Delete,
    };
    HttpRequest {
        method,
        path: r.path.clone(),
        headers: r.headers.clone(),
        body: r.body.clone().into(),
        timeout: r.timeout_ms.map(|ms| Duration::from_millis(ms.into())),
    }
}

pub(super) fn http_answer(a: Result<HttpResponse, HttpError>) -> Result<http::Response, http::HttpError> {
    match a {
        Ok(r) => Ok(http::Response { status: r.status, headers: r.headers, body: r.body.into() }),
        Err(HttpError::Refused(why)) => Err(http::HttpError::Refused(why)),
        Err(HttpError::NotSent(why)) => Err(http::HttpError::NotSent(why)),
        Err(HttpError::Unknown(why)) => Err(http::HttpError::Unknown(why)),
        Err(HttpError::TooLarge(limit)) => Err(http::HttpError::TooLarge(limit)),
    }
}

/// A SQL connection.
pub(super) struct Connected {
    pub(super) shared: Arc<Shared>,
    pub(super) raw: Arc<Held<dyn SqlConnection>>,
}

impl Connected {
    /// A look at the connection; outside calls nobody else holds it.
    fn look<T>(&self, look: impl FnOnce(&dyn SqlConnection) -> T, otherwise: T) -> T {
        self.raw.try_lock().map_or(otherwise, |c| look(&**c))
    }
}

impl native::SqlConnection for Connected {
    fn dialect(&self) -> sql::Dialect {
        match self.look(|c| c.dialect(), Dialect::Other) {
            Dialect::Mysql => sql::Dialect::Mysql,
            Dialect::Mariadb => sql::Dialect::Mariadb,
            Dialect::Tidb => sql::Dialect::Tidb,
            Dialect::Other => sql::Dialect::Other,
        }
    }

    fn server_version(&self) -> String {
        self.look(|c| c.server_version(), String::new())
    }

    fn max_statement_bytes(&self) -> u32 {
        self.look(|c| c.max_statement_bytes(), 0)
    }

    fn transact(&self, data: &[u8], ends: &[u32]) -> Result<sql::ExecResult, sql::SqlError> {
        let progress = *self.shared.progress.lock();
        let done = self.shared.wait(async { self.raw.lock().await.transact(Blocks { data, ends }, progress).await });
        done.map(|r| sql::ExecResult { affected: r.affected, warnings: r.warnings }).map_err(sdk_error)
    }

    fn execute(&self, statement: &str) -> Result<sql::ExecResult, sql::SqlError> {
        let done = self.shared.wait(async { self.raw.lock().await.execute(statement).await });
        done.map(|r| sql::ExecResult { affected: r.affected, warnings: r.warnings }).map_err(sdk_error)
    }

    fn query(&self, statement: &str, max_rows: u32) -> Result<sql::ResultSet, sql::SqlError> {
        let done = self.shared.wait(async { self.raw.lock().await.query(statement, max_rows).await });
        let row = |r: Vec<SqlValue>| r.into_iter().map(sdk_value).collect();
        done.map(|r| sql::ResultSet { columns: r.columns, rows: r.rows.into_iter().map(row).collect() })
            .map_err(sdk_error)
    }
}

fn sdk_value(v: SqlValue) -> sql::Value {
    match v {
        SqlValue::Null => sql::Value::Null,
        SqlValue::Int(n) => sql::Value::Int(n),
        SqlValue::Uint(n) => sql::Value::Uint(n),
        SqlValue::Float(n) => sql::Value::Float(n),
        SqlValue::Text(s) => sql::Value::Text(s),
        SqlValue::Bytes(b) => sql::Value::Bytes(b),
    }
}

pub(super) fn sdk_error(e: SqlError) -> sql::SqlError {
    let kind = match e.kind {
        SqlErrorKind::Retryable => sql::ErrorKind::Retryable,
        SqlErrorKind::Unknown => sql::ErrorKind::Unknown,
        SqlErrorKind::Fenced => sql::ErrorKind::Fenced,
        SqlErrorKind::Duplicate => sql::ErrorKind::Duplicate,
        SqlErrorKind::Refused => sql::ErrorKind::Refused,
        SqlErrorKind::Denied => sql::ErrorKind::Denied,
    };
    sql::SqlError { kind, errno: e.errno, sqlstate: e.sqlstate, message: e.message }
}
