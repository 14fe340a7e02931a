//! Paths.

use crate::{Control, body, changefeeds, console, metrics, own, plugin_calls, server_calls, table_calls, v1};
use axum::{
    Router,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use jiff::tz::TimeZone;
use prometheus_client::registry::Registry;
use std::sync::Arc;

/// Largest body read, in bytes.
const BODY_MAX_BYTES: usize = 4 << 20;

/// What the API is told besides its [`Control`].
#[derive(Clone)]
pub struct ApiOptions {
    /// The zone in which answers write times.
    pub tz: TimeZone,
    /// Metrics of the rest of the process, appended to ours.
    pub registry: Option<Arc<Registry>>,
}

impl Default for ApiOptions {
    fn default() -> Self {
        Self { tz: TimeZone::system(), registry: None }
    }
}

/// What handlers share.
pub(crate) struct Shared<C> {
    pub(crate) control: Arc<C>,
    pub(crate) options: ApiOptions,
}

impl<C> Clone for Shared<C> {
    fn clone(&self) -> Self {
        Self { control: Arc::clone(&self.control), options: self.options.clone() }
    }
}

/// The whole API as a service.
pub fn router<C: Control>(control: Arc<C>, options: ApiOptions) -> Router {
    let shared = Shared { control, options };
    Router::new()
        .route("/", get(console::page))
        .route("/status", get(server_calls::status::<C>))
        .route("/metrics", get(metrics::scrape::<C>))
        .nest("/api/v2", v2::<C>())
        .nest("/api/v1", v1::routes::<C>())
        .fallback(not_found)
        .method_not_allowed_fallback(not_found)
        .layer(axum::extract::DefaultBodyLimit::max(BODY_MAX_BYTES))
        .with_state(shared)
}

fn v2<C: Control>() -> Router<Shared<C>> {
    Router::new()
        .route("/status", get(server_calls::status::<C>))
        .route("/health", get(server_calls::health::<C>))
        .route("/tso", post(server_calls::tso::<C>))
        .route("/log", post(server_calls::log::<C>))
        .route("/captures", get(server_calls::captures::<C>))
        .route("/captures/{capture}/drain", post(server_calls::drain::<C>))
        .route("/owner/resign", post(server_calls::resign::<C>))
        .route("/processors", get(server_calls::processors))
        .route("/processors/{id}/{capture}", get(server_calls::processor))
        .route("/unsafe/metadata", get(server_calls::metadata::<C>))
        .route("/verify_table", post(table_calls::verify::<C>))
        .route("/get_all_tables", post(table_calls::all::<C>))
        .route("/changefeeds", get(changefeeds::list::<C>).post(changefeeds::create::<C>))
        .route(
            "/changefeeds/{id}",
            get(changefeeds::query::<C>).put(changefeeds::update::<C>).delete(changefeeds::remove::<C>),
        )
        .route("/changefeeds/{id}/pause", post(changefeeds::pause::<C>))
        .route("/changefeeds/{id}/resume", post(changefeeds::resume::<C>))
        .route("/changefeeds/{id}/status", get(changefeeds::status::<C>))
        .route("/changefeeds/{id}/synced", get(crate::synced::synced::<C>))
        .route("/changefeeds/{id}/tables", get(table_calls::of_changefeed::<C>))
        .route("/changefeeds/{id}/get_dispatcher_count", get(table_calls::count::<C>))
        .nest("/plugins", plugin_calls::routes::<C>())
        .nest("/tidegate", own::routes::<C>())
}

/// The answer for paths that do not exist, in the form TiCDC's tools know.
async fn not_found() -> Response {
    (StatusCode::NOT_FOUND, [(header::CONTENT_TYPE, "text/plain")], "404 page not found").into_response()
}

/// What every handler returns.
pub(crate) type Handled = Result<Response, crate::ApiError>;

/// The answer of calls that only do something.
pub(crate) fn done() -> Handled {
    Ok(body::done())
}
