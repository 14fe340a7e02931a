//! The HTTP client that asks other nodes.

use super::ServeError;
use std::time::Duration;
use tg_config::server::SecurityConfig;

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A client that shows this server's certificate and trusts its CA, and whether it speaks TLS.
pub(super) fn client(s: &SecurityConfig) -> Result<(reqwest::Client, bool), ServeError> {
    let failed = |what: &str, e: &dyn std::fmt::Display| ServeError::Tls { reason: format!("{what}: {e}") };
    let read = |file: &str| std::fs::read(file).map_err(|e| failed(file, &e));
    let mut builder = reqwest::Client::builder().connect_timeout(CONNECT_TIMEOUT);
    let tls = !s.cert_path.is_empty();
    if tls && !s.ca_path.is_empty() {
        let certificates = reqwest::Certificate::from_pem_bundle(&read(&s.ca_path)?);
        builder = builder.tls_certs_only(certificates.map_err(|e| failed(&s.ca_path, &e))?);
    }
    if tls {
        let pem = [read(&s.cert_path)?, b"\n".to_vec(), read(&s.key_path)?].concat();
        builder = builder.identity(reqwest::Identity::from_pem(&pem).map_err(|e| failed(&s.cert_path, &e))?);
    }
    Ok((builder.build().map_err(|e| failed("the client of other nodes", &e))?, tls))
}
