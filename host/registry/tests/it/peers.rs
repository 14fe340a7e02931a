//! Bytes from another node, over real HTTP.

use crate::support::{Rig, code, push};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use std::collections::BTreeMap;
use std::sync::Arc;
use tg_registry::{Digest, HttpBlobs, Push, Registry};

async fn blob(State(registry): State<Arc<Registry>>, Path(digest): Path<String>) -> Result<Vec<u8>, StatusCode> {
    let digest: Digest = digest.parse().map_err(|_| StatusCode::BAD_REQUEST)?;
    registry.blob(digest).await.unwrap().ok_or(StatusCode::NOT_FOUND)
}

/// A node that answers with what its registry has, and its address.
async fn serve(app: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

fn http() -> Arc<HttpBlobs> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Arc::new(HttpBlobs::new(reqwest::Client::new(), false))
}

#[tokio::test]
async fn a_node_gets_what_another_has() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    let rig = Rig::new().await;
    let first = rig.peer(&address, http());
    let pushed = first.registry.push(push("p", "1", "print"), &BTreeMap::new()).await.unwrap();
    let second = first.peer("other:1", http());
    let away = second.registry.load(&pushed.pinned, None).await.unwrap_err();
    assert_eq!(code(&away), "TG-4211", "nobody listens yet: {away}");

    let listener = tokio::net::TcpListener::bind(&address).await.unwrap();
    let app = Router::new().route("/api/v2/plugins/blobs/{digest}", get(blob)).with_state(Arc::new(first.registry));
    tokio::spawn(async move { axum::serve(listener, app).await });
    second.registry.load(&pushed.pinned, None).await.unwrap();
    assert_eq!(second.blobs(), 1, "it keeps them");
}

#[tokio::test]
async fn what_a_node_sends_is_checked() {
    let liar = Router::new().route("/api/v2/plugins/blobs/{digest}", get(|| async { "something else" }));
    let address = serve(liar).await;
    let rig = Rig::new().await;
    let pushed = rig.peer(&address, http()).registry.push(push("p", "1", "print"), &BTreeMap::new()).await.unwrap();
    let other = rig.peer("other:1", http());
    let refused = other.registry.load(&pushed.pinned, None).await.unwrap_err();
    assert_eq!(code(&refused), "TG-4211");
    assert!(refused.to_string().contains("sent other bytes"), "{refused}");
    assert_eq!(other.blobs(), 0);
}

#[tokio::test]
async fn what_is_active_is_fetched_from_whoever_has_it() {
    let rig = Rig::new().await;
    // Nobody listens where it was taken.
    let origin = rig.peer("127.0.0.1:1", http());
    let (first, second) = (push("p", "1", "print"), push("p", "2", "blackhole"));
    let old = origin.registry.push(Push { activate: true, ..first.clone() }, &BTreeMap::new()).await.unwrap();
    let new = origin.registry.push(Push { activate: true, ..second.clone() }, &BTreeMap::new()).await.unwrap();
    let beside = rig.peer("beside:1", http());
    beside.registry.push(second, &BTreeMap::new()).await.unwrap();
    let app = Router::new().route("/api/v2/plugins/blobs/{digest}", get(blob)).with_state(Arc::new(beside.registry));
    let address = serve(app).await;

    let lonely = rig.peer("lonely:1", http());
    let missing = lonely.registry.fetch_active().await.unwrap();
    assert_eq!(missing.iter().map(code).collect::<Vec<_>>(), ["TG-4211"], "it is told what could not be had");

    let among =
        HttpBlobs::new(reqwest::Client::new(), false).among(move || vec!["other:1".to_owned(), address.clone()]);
    let other = rig.peer("other:1", Arc::new(among));
    assert_eq!(other.registry.fetch_active().await.unwrap().len(), 0);
    assert_eq!(other.blobs(), 1, "only what is active");
    assert!(other.registry.blob(new.pinned.digest).await.unwrap().is_some());
    assert!(other.registry.blob(old.pinned.digest).await.unwrap().is_none());
    assert_eq!(other.registry.fetch_active().await.unwrap().len(), 0, "there is nothing to ask for");
}
