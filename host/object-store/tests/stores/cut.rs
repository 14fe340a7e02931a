//! A wire to a server that can be cut between a request and its answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;

/// Passes connections on. Once it is armed, the next answer to a request with one of the words is lost, and its connection with it.
pub(crate) struct Cut {
    url: String,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// Words of which a request has one to lose its answer; `None`: nothing is lost.
    armed: std::sync::Mutex<Option<[&'static str; 2]>>,
    lost: AtomicUsize,
}

impl State {
    fn takes(&self, request: &[u8]) -> bool {
        let mut armed = self.armed.lock().unwrap();
        let has = |word: &str| word.is_empty() || request.windows(word.len()).any(|w| w == word.as_bytes());
        let takes = armed.is_some_and(|words| words.iter().any(|w| has(w)));
        if takes {
            *armed = None;
            self.lost.fetch_add(1, Ordering::SeqCst);
        }
        takes
    }
}

impl Cut {
    /// `url`: `http://host:port` and maybe a path.
    pub(crate) async fn start(url: &str) -> Self {
        let rest = url.strip_prefix("http://").unwrap();
        let (server, path) = rest.split_once('/').map_or((rest, String::new()), |(s, p)| (s, format!("/{p}")));
        let server = server.to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}{path}", listener.local_addr().unwrap());
        let state = Arc::<State>::default();
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.unwrap();
                tokio::spawn(pass(client, server, Arc::clone(&shared)));
            }
        });
        Self { url, state }
    }

    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    /// The answer to the next request is lost.
    pub(crate) fn arm(&self) {
        self.arm_for("", "");
    }

    /// The answer to the next request that has one of these words is lost.
    pub(crate) fn arm_for(&self, word: &'static str, or: &'static str) {
        *self.state.armed.lock().unwrap() = Some([word, or]);
    }

    /// Answers that were lost.
    pub(crate) fn answers(&self) -> usize {
        self.state.lost.load(Ordering::SeqCst)
    }
}

async fn pass(client: TcpStream, server: TcpStream, state: Arc<State>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    // What the client said since the last answer.
    let said = Arc::<Mutex<Vec<u8>>>::default();
    let heard = Arc::clone(&said);
    let up = tokio::spawn(async move {
        let mut some = vec![0; 64 << 10];
        while let Ok(n @ 1..) = from_client.read(&mut some).await {
            heard.lock().await.extend_from_slice(&some[..n]);
            if to_server.write_all(&some[..n]).await.is_err() {
                break;
            }
        }
    });
    let mut some = vec![0; 64 << 10];
    while let Ok(n @ 1..) = from_server.read(&mut some).await {
        let request = std::mem::take(&mut *said.lock().await);
        if state.takes(&request) || to_client.write_all(&some[..n]).await.is_err() {
            break;
        }
    }
    up.abort();
}
