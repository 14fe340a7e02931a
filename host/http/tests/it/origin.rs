//! HTTP origins against real servers on this machine.

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header::LOCATION};
use axum::response::{IntoResponse, Response};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;
use tg_http::{HttpOrigin, HttpTarget};
use tg_model::{ChangefeedId, LaneId, SlotId};
use tg_plugin::grant::{HttpEndpoint, HttpError, HttpMethod, HttpRequest, HttpResponse, LaneContext, Secret};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Bytes of the answer that is too long.
const LIMIT: u64 = 10_000;

fn lane() -> LaneContext {
    let changefeed = ChangefeedId::new("default", "f").unwrap();
    LaneContext { changefeed, slot: SlotId(0), lane: LaneId(0), epoch: (1, 1) }
}

fn get(path: &str) -> HttpRequest {
    HttpRequest {
        method: HttpMethod::Get,
        path: path.to_owned(),
        headers: Vec::new(),
        body: Bytes::new(),
        timeout: None,
    }
}

async fn send(at: SocketAddr, request: HttpRequest) -> Result<HttpResponse, HttpError> {
    let target = HttpTarget {
        headers: vec![("authorization".to_owned(), Secret::new("Bearer s3cret"))],
        timeout: Duration::from_secs(20),
        request_bytes_max: 1000,
        response_bytes_max: LIMIT,
        ..HttpTarget::new(&format!("http://{at}/base/"))
    };
    HttpOrigin::new(&target).unwrap().send(&lane(), request).await
}

/// Tells in the answer's body what came, or does what the path names.
async fn answer(seen: Arc<AtomicU32>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    seen.fetch_add(1, SeqCst);
    match uri.path() {
        "/base/away" => (StatusCode::FOUND, [(LOCATION, "/base/echo")]).into_response(),
        "/base/long" => vec![b'x'; LIMIT as usize + 1].into_response(),
        "/base/fits" => vec![b'x'; LIMIT as usize].into_response(),
        "/base/never" => std::future::pending().await,
        "/base/busy" => (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "7")], "later").into_response(),
        _ => {
            let of =
                |name: &str| headers.get_all(name).iter().map(|v| v.to_str().unwrap()).collect::<Vec<_>>().join("+");
            let body = String::from_utf8_lossy(&body);
            format!("{method} {uri} {} {} {body}", of("authorization"), of("x-a")).into_response()
        }
    }
}

/// A server that ends with the test's runtime, and how many requests it has seen.
async fn server() -> (SocketAddr, Arc<AtomicU32>) {
    let seen = Arc::<AtomicU32>::default();
    let counted = Arc::clone(&seen);
    let app = Router::new().fallback(move |m, u, h, b| answer(Arc::clone(&counted), m, u, h, b));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    (at, seen)
}

/// A server that answers one request with these bytes and closes.
async fn raw(answer: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await;
        let _ = stream.write_all(answer).await;
    });
    at
}

#[tokio::test]
async fn a_request_arrives_with_the_grants_headers_and_its_answer_comes_back() {
    let (at, _) = server().await;
    let request = HttpRequest {
        method: HttpMethod::Post,
        headers: vec![("X-A".to_owned(), "1".to_owned()), ("x-a".to_owned(), "2".to_owned())],
        body: Bytes::from_static(b"rows"),
        ..get("/echo?q=1")
    };
    let answer = send(at, request).await.unwrap();
    assert_eq!((answer.status, &*answer.body), (200, &b"POST /base/echo?q=1 Bearer s3cret 1+2 rows"[..]));
    let busy = send(at, get("/busy")).await.unwrap();
    assert_eq!((busy.status, &*busy.body), (503, &b"later"[..]));
    assert!(busy.headers.contains(&("retry-after".to_owned(), "7".to_owned())));
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let (at, seen) = server().await;
    assert_eq!(send(at, get("/away")).await.unwrap().status, 302);
    assert_eq!(seen.load(SeqCst), 1);
}

#[tokio::test]
async fn what_is_refused_never_arrives() {
    let (at, seen) = server().await;
    let with = |name: &str| vec![(name.to_owned(), "x".to_owned())];
    for request in [
        get("echo"),
        get("/../up"),
        HttpRequest { headers: with("Authorization"), ..get("/echo") },
        HttpRequest { headers: with("Host"), ..get("/echo") },
        HttpRequest { headers: with("Transfer-Encoding"), ..get("/echo") },
        HttpRequest { body: vec![0; 1001].into(), ..get("/echo") },
    ] {
        let e = send(at, request).await.unwrap_err();
        assert!(matches!(e, HttpError::Refused(_)), "{e}");
        assert!(!e.to_string().contains("s3cret"), "{e}");
    }
    assert_eq!(seen.load(SeqCst), 0);
}

#[tokio::test]
async fn long_answers_are_cut_off_and_silent_servers_left() {
    let (at, _) = server().await;
    assert_eq!(send(at, get("/fits")).await.unwrap().body.len() as u64, LIMIT);
    assert_eq!(send(at, get("/long")).await, Err(HttpError::TooLarge(LIMIT)));
    let patience = Some(Duration::from_millis(50));
    let e = send(at, HttpRequest { timeout: patience, ..get("/never") }).await.unwrap_err();
    assert!(matches!(e, HttpError::Unknown(_)), "{e}");
}

#[tokio::test]
async fn whether_something_was_sent_is_told_apart() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let e = send(closed, get("/echo")).await.unwrap_err();
    assert!(matches!(e, HttpError::NotSent(_)), "{e}");
    let answers: [&[u8]; 3] = [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\ncut"];
    for bytes in answers {
        let e = send(raw(bytes).await, get("/echo")).await.unwrap_err();
        assert!(matches!(e, HttpError::Unknown(_)), "{e}");
        assert!(!e.to_string().contains("base"), "the URL is not repeated: {e}");
    }
}
