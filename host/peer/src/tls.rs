//! Certificates between nodes: the same files that a node shows to its clients.

use crate::PeerError;
use std::path::{Path, PathBuf};
use tonic::transport::{Certificate, ClientTlsConfig, Identity};

/// Files of certificates, as PEM.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PeerTls {
    /// CA that the other node's certificate is checked with.
    pub ca: Option<PathBuf>,
    /// Certificate to show, and its key.
    pub identity: Option<(PathBuf, PathBuf)>,
}

impl PeerTls {
    /// What streams are opened with.
    ///
    /// # Errors
    /// [`PeerError::Tls`] when a file cannot be read. Blocks on the disk.
    pub(crate) fn client(&self) -> Result<ClientTlsConfig, PeerError> {
        let mut config = ClientTlsConfig::new();
        if let Some(ca) = &self.ca {
            config = config.ca_certificate(Certificate::from_pem(read(ca)?));
        }
        if let Some((cert, key)) = &self.identity {
            config = config.identity(Identity::from_pem(read(cert)?, read(key)?));
        }
        Ok(config)
    }
}

fn read(file: &Path) -> Result<Vec<u8>, PeerError> {
    std::fs::read(file).map_err(|e| PeerError::Tls { reason: format!("{}: {e}", file.display()) })
}
