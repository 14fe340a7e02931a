//! Connections: one HTTP/2 channel per address, dialled when first used.

use crate::{TlsPaths, UpstreamError};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

/// Largest message taken from a store.
pub(crate) const MESSAGE_MAX_BYTES: usize = 256 << 20;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const KEEPALIVE_EVERY: Duration = Duration::from_secs(10);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(3);
const STREAM_WINDOW_BYTES: u32 = 1 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 8 << 20;
/// HTTP/2 frames that servers may send: with the default of 16 KiB each would hold a few dozen rows.
const FRAME_MAX_BYTES: u32 = 256 << 10;

/// Makes channels. Feeds get channels of their own so that a slow one holds back nothing else.
pub(crate) struct Dialer {
    tls: Option<ClientTlsConfig>,
    channels: Mutex<HashMap<String, Channel>>,
}

impl Dialer {
    /// Reads the TLS files.
    pub(crate) fn new(tls: Option<&TlsPaths>) -> Result<Self, UpstreamError> {
        let tls = tls.map(tls_config).transpose()?;
        Ok(Self { tls, channels: Mutex::default() })
    }

    /// The shared channel to an address.
    pub(crate) fn channel(&self, address: &str) -> Result<Channel, UpstreamError> {
        if let Some(channel) = self.channels.lock().get(address) {
            return Ok(channel.clone());
        }
        let channel = self.endpoint(address)?.connect_lazy();
        self.channels.lock().insert(address.to_owned(), channel.clone());
        Ok(channel)
    }

    /// Drops the shared channel to an address.
    pub(crate) fn forget(&self, address: &str) {
        self.channels.lock().remove(address);
    }

    /// A new connection of its own.
    pub(crate) async fn connect(&self, address: &str) -> Result<Channel, UpstreamError> {
        let failed =
            |e: tonic::transport::Error| UpstreamError::Address { address: address.to_owned(), detail: chain(&e) };
        self.endpoint(address)?.connect().await.map_err(failed)
    }

    fn endpoint(&self, address: &str) -> Result<Endpoint, UpstreamError> {
        let bad =
            |e: tonic::transport::Error| UpstreamError::Address { address: address.to_owned(), detail: chain(&e) };
        let host = host_of(address);
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let mut endpoint = Endpoint::from_shared(format!("{scheme}://{host}"))
            .map_err(bad)?
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_keep_alive_interval(KEEPALIVE_EVERY)
            .keep_alive_timeout(KEEPALIVE_TIMEOUT)
            .keep_alive_while_idle(true)
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .max_frame_size(FRAME_MAX_BYTES)
            .tcp_nodelay(true);
        if let Some(tls) = &self.tls {
            endpoint = endpoint.tls_config(tls.clone()).map_err(bad)?;
        }
        Ok(endpoint)
    }
}

/// Whether TLS is used is decided by the configuration, not by what members call themselves.
pub(crate) fn host_of(address: &str) -> &str {
    address.trim_start_matches("https://").trim_start_matches("http://").trim_end_matches('/')
}

fn tls_config(paths: &TlsPaths) -> Result<ClientTlsConfig, UpstreamError> {
    let mut config = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(read(&paths.ca)?));
    match (&paths.cert, &paths.key) {
        (Some(cert), Some(key)) => config = config.identity(Identity::from_pem(read(cert)?, read(key)?)),
        (None, None) => {}
        (Some(path), None) | (None, Some(path)) => {
            let detail = "certificate and key are needed both or not at all".to_owned();
            return Err(UpstreamError::Tls { path: path.display().to_string(), detail });
        }
    }
    Ok(config)
}

fn read(path: &Path) -> Result<Vec<u8>, UpstreamError> {
    std::fs::read(path).map_err(|e| UpstreamError::Tls { path: path.display().to_string(), detail: e.to_string() })
}

/// An error with its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut out = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        out.push_str(": ");
        out.push_str(&error.to_string());
        cause = error.source();
    }
    out
}

/// A status as text.
pub(crate) fn status_text(status: &tonic::Status) -> String {
    format!("{:?}: {}", status.code(), status.message())
}
