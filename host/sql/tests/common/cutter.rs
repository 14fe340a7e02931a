//! A TCP proxy before a server that breaks a connection at its COMMIT.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::OwnedReadHalf;
use tokio::net::{TcpListener, TcpStream};

/// When the connection breaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cut {
    /// COMMIT does not reach the server.
    Before,
    /// The server has answered COMMIT; the client does not hear it.
    After,
}

/// Whose protocol passes through.
#[derive(Clone, Copy, Debug)]
#[allow(dead_code, reason = "each test has one")]
pub(crate) enum Wire {
    Mysql,
    Postgres,
}

impl Wire {
    /// COMMIT as the client sends it: a kind, for PostgreSQL a length, and the text; behind what tells how long the message is.
    fn is_commit(self, message: &[u8]) -> bool {
        match self {
            Self::Mysql => message.get(4..) == Some(b"\x03COMMIT"),
            Self::Postgres => message == b"Q\0\0\0\x0bCOMMIT\0",
        }
    }

    /// One message of the client with its head; for PostgreSQL the first of a connection has no kind. None at the end of the stream.
    async fn message(self, from: &mut OwnedReadHalf, first: bool) -> Option<Vec<u8>> {
        let kind = usize::from(!first);
        let head = match self {
            Self::Mysql => 4,
            Self::Postgres => kind + 4,
        };
        let mut out = vec![0; head];
        from.read_exact(&mut out).await.ok()?;
        let len = match self {
            Self::Mysql => 4 + u32::from_le_bytes([out[0], out[1], out[2], 0]) as usize,
            Self::Postgres => kind + u32::from_be_bytes(out[kind..].try_into().ok()?) as usize,
        };
        out.resize(len, 0);
        from.read_exact(&mut out[head..]).await.ok()?;
        Some(out)
    }
}

/// The proxy; ends with the runtime.
pub(crate) struct Cutter {
    pub(crate) port: u16,
    next: Arc<Mutex<Option<Cut>>>,
}

impl Cutter {
    pub(crate) async fn start(server_port: u16, wire: Wire) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let next = Arc::new(Mutex::new(None));
        let shared = Arc::clone(&next);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, server_port, wire, Arc::clone(&shared)));
            }
        });
        Self { port, next }
    }

    /// Breaks the connection that sends the next COMMIT.
    pub(crate) fn cut(&self, when: Cut) {
        *self.next.lock().unwrap() = Some(when);
    }

    /// Whether the break that was ordered has not come yet.
    pub(crate) fn is_waiting(&self) -> bool {
        self.next.lock().unwrap().is_some()
    }
}

async fn serve(client: TcpStream, server_port: u16, wire: Wire, next: Arc<Mutex<Option<Cut>>>) {
    let server = TcpStream::connect(("127.0.0.1", server_port)).await.unwrap();
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let mute = AtomicBool::new(false);
    let up = async {
        let mut first = true;
        while let Some(message) = wire.message(&mut from_client, first).await {
            first = false;
            let cut = if wire.is_commit(&message) { next.lock().unwrap().take() } else { None };
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
