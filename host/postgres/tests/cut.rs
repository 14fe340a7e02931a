//! A connection that breaks at COMMIT, before the server hears it and after it has answered.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use tg_downstream::{Cell, FaultKind, LaneClaim};
use tg_model::{Position, Ts};
use tg_postgres::{PostgresEndpoint, PostgresTarget};
use tg_test_servers::Postgres;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::OwnedReadHalf;
use tokio::net::{TcpListener, TcpStream};

/// COMMIT as the client sends it: a query, its length, the text.
const COMMIT: &[u8] = b"Q\0\0\0\x0bCOMMIT\0";

/// When the connection breaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Cut {
    /// COMMIT does not reach the server.
    Before,
    /// The server has answered; the client does not hear it.
    After,
}

type Next = Arc<Mutex<Option<Cut>>>;

/// A proxy that breaks the connection which sends the next COMMIT, once it is told to; ends with the runtime.
async fn proxy(server_port: u16) -> (u16, Next) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let next = Next::default();
    let shared = Arc::clone(&next);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(serve(client, server_port, Arc::clone(&shared)));
        }
    });
    (port, next)
}

/// One message with its head; the first of a connection has no kind. None at the end of the stream.
async fn message(from: &mut OwnedReadHalf, first: bool) -> Option<Vec<u8>> {
    let kind = usize::from(!first);
    let mut out = vec![0; kind + 4];
    from.read_exact(&mut out).await.ok()?;
    let len = u32::from_be_bytes(out[kind..].try_into().unwrap()) as usize;
    out.resize(kind + len, 0);
    from.read_exact(&mut out[kind + 4..]).await.ok()?;
    Some(out)
}

async fn serve(client: TcpStream, server_port: u16, next: Next) {
    let server = TcpStream::connect(("127.0.0.1", server_port)).await.unwrap();
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let mute = AtomicBool::new(false);
    let up = async {
        let mut first = true;
        while let Some(message) = message(&mut from_client, first).await {
            first = false;
            let cut = if message == COMMIT { next.lock().unwrap().take() } else { None };
            if cut == Some(Cut::Before) {
                return;
            }
            mute.store(cut == Some(Cut::After), SeqCst);
            if to_server.write_all(&message).await.is_err() {
                return;
            }
        }
    };
    let down = async {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(n) = from_server.read(&mut buffer).await {
            if n == 0 || mute.load(SeqCst) || to_client.write_all(&buffer[..n]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = up => {}
        () = down => {}
    }
}

#[tokio::test]
async fn the_progress_row_tells_what_became_of_a_commit_without_an_answer() {
    let server = Postgres::start().unwrap();
    let (port, next) = proxy(server.port()).await;
    let endpoint = PostgresEndpoint::connect(PostgresTarget { port, ..PostgresTarget::default() }).await.unwrap();
    let claim = LaneClaim { changefeed: "default/cut".into(), slot: 0, lane: 0, lanes: 1, epoch: (1, 1) };
    let mut c = endpoint.open(Some(claim)).await.unwrap();
    c.execute("CREATE TABLE cut (a INT)").await.unwrap();
    let at = |ts| Position::rows(Ts::new(ts));
    let mut rows = 0;
    for (n, cut) in [Cut::After, Cut::Before, Cut::After].into_iter().enumerate() {
        let ts = 10 + n as u64;
        let statement = format!("INSERT INTO cut VALUES ({n})");
        let ends = [statement.len() as u32];
        let before = c.durable().await.unwrap();
        *next.lock().unwrap() = Some(cut);
        let error = c.transact(statement.as_bytes(), &ends, Some(at(ts))).await.unwrap_err();
        assert_eq!(error.kind, FaultKind::Unknown, "{error}");
        let took_effect = cut == Cut::After;
        let told = c.durable().await.unwrap();
        assert_eq!(told, if took_effect { Some(at(ts)) } else { before }, "{cut:?}");
        if !took_effect {
            c.transact(statement.as_bytes(), &ends, Some(at(ts))).await.unwrap();
        }
        rows += 1;
        let found = c.query("SELECT count(*),count(DISTINCT a) FROM cut", 1).await.unwrap().rows;
        assert_eq!(found, [[Cell::Int(rows), Cell::Int(rows)]], "{cut:?}");
    }
}
