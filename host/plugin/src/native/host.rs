//! The capabilities of a native plugin.

use super::endpoints;
use crate::grant::{EndpointError, Grants, LaneContext, Producer, SqlConnection, SqlError, SqlErrorKind};
use crate::instance::InstanceSpec;
use crate::kept::Kept;
use crate::{PluginMetrics, capability};
use parking_lot::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Weak};
use std::time::Instant;
use tg_model::Position;
use tidegate_sdk::http::{HttpError, Request, Response};
use tidegate_sdk::log::Level;
use tidegate_sdk::{Failure, native, sql};
use tokio::runtime::Handle;

/// What the port and the plugin share. Never locked by both at once, as calls come one at a time.
pub(super) type Held<T> = tokio::sync::Mutex<Box<T>>;
type Connection = Held<dyn SqlConnection>;

/// What a port and the plugin behind it share.
pub(super) struct Shared {
    pub(super) plugin: Arc<str>,
    pub(super) metrics: Arc<PluginMetrics>,
    pub(super) lane: LaneContext,
    pub(super) grants: Grants,
    /// The map of `state`.
    pub(super) kept: Mutex<Kept>,
    /// Where capability calls are waited for; `None`: the plugin runs on a thread that must not wait.
    runtime: Option<Handle>,
    connections: Mutex<Vec<Weak<Connection>>>,
    producers: Mutex<Vec<Weak<Held<dyn Producer>>>>,
    pub(super) durable_at_open: Mutex<Option<Position>>,
    /// Inside `flush`: the barrier's position.
    pub(super) progress: Mutex<Option<Position>>,
    waited_ns: AtomicU64,
}

impl Shared {
    pub(super) fn new(plugin: &str, spec: &InstanceSpec, kept: Kept, runtime: Option<Handle>) -> Arc<Self> {
        Arc::new(Self {
            plugin: plugin.into(),
            metrics: Arc::default(),
            lane: spec.lane.clone(),
            grants: spec.grants.clone(),
            kept: Mutex::new(kept),
            runtime,
            connections: Mutex::default(),
            producers: Mutex::default(),
            durable_at_open: Mutex::default(),
            progress: Mutex::default(),
            waited_ns: AtomicU64::new(0),
        })
    }

    /// Nanoseconds spent in capability calls since the last question.
    pub(super) fn take_waited_ns(&self) -> u64 {
        self.waited_ns.swap(0, Relaxed)
    }

    /// The connections that the plugin still holds.
    pub(super) fn live(&self) -> Vec<Arc<Connection>> {
        upgraded(&self.connections)
    }

    /// The producers that the plugin still holds.
    pub(super) fn live_producers(&self) -> Vec<Arc<Held<dyn Producer>>> {
        upgraded(&self.producers)
    }

    /// Waits for an endpoint; `None`: this thread must not wait.
    fn try_wait<T>(&self, call: impl Future<Output = T>) -> Option<T> {
        let runtime = self.runtime.as_ref()?;
        let started = Instant::now();
        let answer = runtime.block_on(call);
        self.waited_ns.fetch_add(started.elapsed().as_nanos() as u64, Relaxed);
        Some(answer)
    }

    /// Waits for a SQL endpoint.
    pub(super) fn wait<T>(&self, call: impl Future<Output = Result<T, SqlError>>) -> Result<T, SqlError> {
        self.try_wait(call)
            .unwrap_or_else(|| Err(denied("a plugin that runs in place has no SQL endpoints".to_owned())))
    }

    /// Waits for another endpoint.
    pub(super) fn wait_for<T>(&self, call: impl Future<Output = Result<T, EndpointError>>) -> Result<T, EndpointError> {
        let in_place = || EndpointError::fatal("in-place", "a plugin that runs in place has no endpoints");
        self.try_wait(call).unwrap_or_else(|| Err(in_place()))
    }

    fn found_durable(&self, at: Option<Position>) {
        let mut least = self.durable_at_open.lock();
        if let Some(at) = at {
            *least = Some(least.map_or(at, |before| before.min(at)));
        }
    }
}

fn upgraded<T: ?Sized>(held: &Mutex<Vec<Weak<T>>>) -> Vec<Arc<T>> {
    let mut all = held.lock();
    all.retain(|c| c.strong_count() > 0);
    all.iter().filter_map(Weak::upgrade).collect()
}

fn denied(message: String) -> SqlError {
    SqlError { kind: SqlErrorKind::Denied, errno: 0, sqlstate: String::new(), message }
}

/// The host of one call.
pub(super) struct CallHost(pub(super) Arc<Shared>);

impl native::Host for CallHost {
    fn sql_open(&self, endpoint: &str) -> Result<Box<dyn native::SqlConnection>, sql::SqlError> {
        let shared = &self.0;
        let granted = shared.grants.sql.get(endpoint);
        let granted = granted.ok_or_else(|| denied(format!("the SQL endpoint {endpoint:?} is not granted")));
        let opened = granted.and_then(|e| shared.wait(e.connect(shared.lane.clone()))).map_err(endpoints::sdk_error)?;
        shared.found_durable(opened.durable_at_open());
        let raw = Arc::new(Connection::new(opened));
        shared.connections.lock().push(Arc::downgrade(&raw));
        Ok(Box::new(endpoints::Connected { shared: Arc::clone(shared), raw }))
    }

    fn producer_open(&self, endpoint: &str) -> Result<Box<dyn native::Producer>, Failure> {
        let shared = &self.0;
        let granted = shared.grants.producers.get(endpoint);
        let granted = granted.ok_or_else(|| native::not_granted("producer", endpoint))?;
        let opened = shared.wait_for(granted.open(shared.lane.clone())).map_err(endpoints::failure)?;
        shared.found_durable(opened.durable_at_open());
        let raw = Arc::new(Held::new(opened));
        shared.producers.lock().push(Arc::downgrade(&raw));
        Ok(Box::new(endpoints::Producing { shared: Arc::clone(shared), raw }))
    }

    fn object_store_open(&self, endpoint: &str) -> Result<Box<dyn native::Bucket>, Failure> {
        let shared = &self.0;
        let granted = shared.grants.object_stores.get(endpoint);
        let granted = granted.ok_or_else(|| native::not_granted("object-store", endpoint))?;
        let opened = shared.wait_for(granted.open(shared.lane.clone())).map_err(endpoints::failure)?;
        Ok(Box::new(endpoints::Storing { shared: Arc::clone(shared), raw: Held::new(opened) }))
    }

    fn http_send(&self, request: &Request) -> Result<Response, HttpError> {
        let shared = &self.0;
        let sent = endpoints::http_request(request);
        let endpoint = match capability::http::granted(&shared.grants, &request.endpoint, &sent) {
            Ok(endpoint) => endpoint,
            Err(e) => return endpoints::http_answer(Err(e)),
        };
        let call = endpoint.send(&shared.lane, sent);
        let in_place = || Err(HttpError::Refused("a plugin that runs in place has no endpoints".to_owned()));
        shared.try_wait(call).map_or_else(in_place, endpoints::http_answer)
    }

    fn state_get(&self, key: &str) -> Option<Vec<u8>> {
        self.0.kept.lock().get(key).map(<[u8]>::to_vec)
    }

    fn state_set(&self, key: &str, value: &[u8]) -> Result<(), String> {
        self.0.kept.lock().set(key.to_owned(), value.to_vec())
    }

    fn state_delete(&self, key: &str) {
        self.0.kept.lock().delete(key);
    }

    fn state_keys(&self, prefix: &str, limit: u32) -> Vec<String> {
        self.0.kept.lock().keys(prefix, limit)
    }

    fn secret(&self, name: &str) -> Result<String, String> {
        capability::secret::get(&self.0.grants, name)
    }

    fn log(&self, level: Level, message: &str, fields: &[(&str, &str)]) {
        let plugin = &*self.0.plugin;
        match level {
            Level::Trace => tracing::trace!(target: "tidegate::guest", plugin, ?fields, "{message}"),
            Level::Debug => tracing::debug!(target: "tidegate::guest", plugin, ?fields, "{message}"),
            Level::Info => tracing::info!(target: "tidegate::guest", plugin, ?fields, "{message}"),
            Level::Warn => tracing::warn!(target: "tidegate::guest", plugin, ?fields, "{message}"),
            Level::Error => tracing::error!(target: "tidegate::guest", plugin, ?fields, "{message}"),
        }
    }

    fn counter(&self, name: &str) -> Box<dyn Fn(u64)> {
        let cell = self.0.metrics.counter(name);
        Box::new(move |n| {
            cell.fetch_add(n, Relaxed);
        })
    }

    fn gauge(&self, name: &str) -> Box<dyn Fn(f64)> {
        let cell = self.0.metrics.gauge(name);
        Box::new(move |v| cell.store(v.to_bits(), Relaxed))
    }

    fn histogram(&self, name: &str) -> Box<dyn Fn(f64)> {
        let histogram = self.0.metrics.histogram(name);
        Box::new(move |v| histogram.observe(v))
    }
}
