//! TLS for the API: connections whose handshake is done.

use super::ServeError;
use super::common_name::common_name;
use axum::serve::Listener;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tg_config::server::SecurityConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Handshakes under way at a time; more connections wait in the system's queue.
const HANDSHAKES_MAX: usize = 256;
/// Longest time a handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Pause after the system refuses to give a connection: usually there are too many open files.
const REFUSED_PAUSE: Duration = Duration::from_millis(100);

/// What a server shows, and what it asks of clients.
pub(super) struct Tls {
    acceptor: TlsAcceptor,
    /// Names clients may have; empty: any.
    names: Arc<[String]>,
}

/// TLS as configured; `None`: there is no certificate. With `streams` other nodes connect too, by HTTP/2.
pub(super) fn acceptor(s: &SecurityConfig, streams: bool) -> Result<Option<Tls>, ServeError> {
    if s.cert_path.is_empty() {
        return Ok(None);
    }
    let failed = |file: &str, e: &dyn std::fmt::Display| ServeError::Tls { reason: format!("{file}: {e}") };
    let chain: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(&s.cert_path).map_err(|e| failed(&s.cert_path, &e))?.collect();
    let chain = chain.map_err(|e| failed(&s.cert_path, &e))?;
    let key = PrivateKeyDer::from_pem_file(&s.key_path).map_err(|e| failed(&s.key_path, &e))?;
    let asks = s.mtls || !s.cert_allowed_cn.is_empty();
    let builder = ServerConfig::builder();
    let builder = if asks {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(&s.ca_path).map_err(|e| failed(&s.ca_path, &e))? {
            let certificate = certificate.map_err(|e| failed(&s.ca_path, &e))?;
            roots.add(certificate).map_err(|e| failed(&s.ca_path, &e))?;
        }
        let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build();
        builder.with_client_cert_verifier(verifier.map_err(|e| failed(&s.ca_path, &e))?)
    } else {
        builder.with_no_client_auth()
    };
    let mut config = builder.with_single_cert(chain, key).map_err(|e| failed(&s.cert_path, &e))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    if streams {
        config.alpn_protocols.insert(0, b"h2".to_vec());
    }
    let names = s.cert_allowed_cn.clone().into();
    Ok(Some(Tls { acceptor: TlsAcceptor::from(Arc::new(config)), names }))
}

impl Tls {
    pub(super) fn listen(self, tcp: TcpListener) -> TlsListener {
        TlsListener { tcp, tls: self, handshakes: JoinSet::new() }
    }
}

/// Gives connections once their handshake is done; one that is slow holds up no other.
pub(super) struct TlsListener {
    tcp: TcpListener,
    tls: Tls,
    handshakes: JoinSet<Option<(TlsStream<TcpStream>, SocketAddr)>>,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            tokio::select! {
                Some(done) = self.handshakes.join_next() => {
                    if let Ok(Some(ready)) = done {
                        return ready;
                    }
                }
                accepted = self.tcp.accept(), if self.handshakes.len() < HANDSHAKES_MAX => match accepted {
                    Ok((stream, from)) => {
                        let (acceptor, names) = (self.tls.acceptor.clone(), Arc::clone(&self.tls.names));
                        self.handshakes.spawn(handshake(acceptor, names, stream, from));
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(REFUSED_PAUSE).await;
                    }
                },
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

async fn handshake(
    acceptor: TlsAcceptor,
    names: Arc<[String]>,
    stream: TcpStream,
    from: SocketAddr,
) -> Option<(TlsStream<TcpStream>, SocketAddr)> {
    let stream = match tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            tracing::debug!(%from, %error, "a client's handshake failed");
            return None;
        }
        Err(_) => return None,
    };
    let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
    let name = shown.and_then(|certificate| common_name(certificate));
    if names.is_empty() || name.as_ref().is_some_and(|n| names.contains(n)) {
        return Some((stream, from));
    }
    tracing::warn!(%from, name = name.as_deref().unwrap_or_default(), "a client's certificate has none of the allowed names");
    None
}
