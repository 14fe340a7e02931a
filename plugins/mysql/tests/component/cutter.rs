//! A TCP proxy before a MySQL server that breaks a connection at its COMMIT.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::OwnedReadHalf;
use tokio::net::{TcpListener, TcpStream};

/// A COMMIT as the client sends it: COM_QUERY and the text.
const COMMIT: &[u8] = b"\x03COMMIT";

/// When the connection breaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cut {
    /// COMMIT does not reach the server.
    Before,
    /// The server has answered COMMIT; the client does not hear it.
    After,
}

/// The proxy; ends with the runtime.
pub(crate) struct Cutter {
    pub(crate) port: u16,
    next: Arc<Mutex<Option<Cut>>>,
}

impl Cutter {
    pub(crate) async fn start(server_port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let next = Arc::new(Mutex::new(None));
        let shared = Arc::clone(&next);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, server_port, Arc::clone(&shared)));
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

/// One packet with its header; none at the end of the stream.
async fn packet(from: &mut OwnedReadHalf) -> Option<Vec<u8>> {
    let mut out = vec![0; 4];
    from.read_exact(&mut out).await.ok()?;
    let len = u32::from_le_bytes([out[0], out[1], out[2], 0]) as usize;
    out.resize(4 + len, 0);
    from.read_exact(&mut out[4..]).await.ok()?;
    Some(out)
}

async fn serve(client: TcpStream, server_port: u16, next: Arc<Mutex<Option<Cut>>>) {
    let server = TcpStream::connect(("127.0.0.1", server_port)).await.unwrap();
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let mute = AtomicBool::new(false);
    let up = async {
        while let Some(packet) = packet(&mut from_client).await {
            let cut = if &packet[4..] == COMMIT { next.lock().unwrap().take() } else { None };
            if cut == Some(Cut::Before) {
                return;
            }
            mute.store(cut == Some(Cut::After), SeqCst);
            if to_server.write_all(&packet).await.is_err() {
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
