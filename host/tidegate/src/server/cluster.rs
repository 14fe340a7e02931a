//! What a server of a cluster is told.

use std::path::PathBuf;
use tg_config::server::{Metastore, SecurityConfig};
use tg_metastore::{EtcdOptions, EtcdTls};
use tg_peer::PeerTls;
use tg_server::ClusterOptions;

/// From the configuration. Nodes show each other what they show to clients; etcd is shown that too if nothing else is said.
pub(crate) fn options(m: &Metastore, s: &SecurityConfig) -> ClusterOptions {
    let file = |own: &str, shared: &str| {
        let path = if own.is_empty() { shared } else { own };
        (!path.is_empty()).then(|| PathBuf::from(path))
    };
    let identity = |cert: Option<PathBuf>, key: Option<PathBuf>| cert.zip(key);
    let etcd = m.tls.then(|| EtcdTls {
        ca: file(&m.ca_path, &s.ca_path),
        identity: identity(file(&m.cert_path, &s.cert_path), file(&m.key_path, &s.key_path)),
    });
    let between = (!s.cert_path.is_empty()).then(|| PeerTls {
        ca: file("", &s.ca_path),
        identity: identity(file("", &s.cert_path), file("", &s.key_path)),
    });
    let credentials = (!m.user.is_empty()).then(|| (m.user.clone(), m.password.expose().to_owned()));
    ClusterOptions {
        endpoints: m.endpoints.clone(),
        etcd: EtcdOptions { credentials, tls: etcd },
        zone: m.zone.clone(),
        tls: between,
    }
}
