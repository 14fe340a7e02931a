//! TiCDC's first API: the same calls, bare lists, and 202 for what changes something.

use crate::{
    Control, body, changefeeds,
    objects::{self, DrainBody},
    router::{Handled, Shared, done},
    server_calls,
};
use axum::{
    Router,
    body::Bytes,
    extract::{Query, Request, State},
    http::{Method, StatusCode},
    middleware::{self, Next},
    response::Response,
    routing::{get, post, put},
};
use serde_json::Value;

pub(crate) fn routes<C: Control>() -> Router<Shared<C>> {
    Router::new()
        .route("/status", get(server_calls::status::<C>))
        .route("/health", get(server_calls::health::<C>))
        .route("/log", post(server_calls::log::<C>))
        .route("/captures", get(captures::<C>))
        .route("/captures/drain", put(drain::<C>))
        .route("/owner/resign", post(server_calls::resign::<C>))
        .route("/processors", get(processors))
        .route("/processors/{id}/{capture}", get(server_calls::processor))
        .route("/changefeeds", get(list::<C>).post(changefeeds::create::<C>))
        .route(
            "/changefeeds/{id}",
            get(changefeeds::query::<C>).put(changefeeds::update::<C>).delete(changefeeds::remove::<C>),
        )
        .route("/changefeeds/{id}/pause", post(changefeeds::pause::<C>))
        .route("/changefeeds/{id}/resume", post(changefeeds::resume::<C>))
        .route("/changefeeds/{id}/tables/rebalance_table", post(rebalance))
        .layer(middleware::from_fn(accepted))
}

/// 202 in place of 200 for everything but GET.
async fn accepted(request: Request, next: Next) -> Response {
    let changes = request.method() != Method::GET;
    let mut response = next.run(request).await;
    if changes && response.status() == StatusCode::OK {
        *response.status_mut() = StatusCode::ACCEPTED;
    }
    response
}

async fn list<C: Control>(State(api): State<Shared<C>>, Query(scope): Query<changefeeds::Scope>) -> Handled {
    let feeds = changefeeds::listed(&*api.control, &scope).await?;
    let items: Vec<Value> = feeds.iter().map(|f| objects::common_info(f, &api.options.tz)).collect();
    Ok(body::answer(&items))
}

async fn captures<C: Control>(State(api): State<Shared<C>>) -> Handled {
    Ok(body::answer(&api.control.captures().await?))
}

async fn drain<C: Control>(State(api): State<Shared<C>>, bytes: Bytes) -> Handled {
    let request: DrainBody = body::read(&bytes)?;
    server_calls::drained(&*api.control, &request.capture_id).await
}

async fn processors() -> Response {
    body::answer(&Vec::<Value>::new())
}

/// Balancing needs no request; TiCDC's new architecture does nothing here either.
async fn rebalance() -> Handled {
    done()
}
