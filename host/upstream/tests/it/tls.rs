//! TLS to PD and to stores, with certificates on both sides.

use crate::fake::{Fake, region};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::path::{Path, PathBuf};
use tg_model::{Span, SpanId, Ts};
use tg_upstream::{FeedOptions, TlsPaths, Upstream, UpstreamConfig, UpstreamError, feed_channel};
use tonic::transport::{Certificate, Identity, ServerTlsConfig};

fn issuer() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Certificate and key for 127.0.0.1, as PEM.
fn leaf(issuer: &CertifiedIssuer<'static, KeyPair>) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    (params.signed_by(&key, issuer).unwrap().pem(), key.serialize_pem())
}

fn file(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

async fn connect(fake: &Fake, tls: Option<TlsPaths>) -> Result<Upstream, UpstreamError> {
    let pd_endpoints = vec![fake.state().pd_urls[0].clone()];
    Upstream::connect(UpstreamConfig { pd_endpoints, tls, ..UpstreamConfig::default() }).await
}

#[tokio::test]
async fn both_sides_show_certificates() {
    let folder = tempfile::tempdir().unwrap();
    let (ca, other_ca) = (issuer(), issuer());
    let (server, client) = (leaf(&ca), leaf(&ca));
    let server = ServerTlsConfig::new()
        .identity(Identity::from_pem(&server.0, &server.1))
        .client_ca_root(Certificate::from_pem(ca.pem()));
    let mut fake = Fake::start_with(1, 1, Some(server)).await;
    fake.state().regions = vec![region(1, 1, "", "", 1)];
    let ca_file = file(folder.path(), "ca.pem", &ca.pem());
    let cert = Some(file(folder.path(), "cert.pem", &client.0));
    let key = Some(file(folder.path(), "key.pem", &client.1));
    let good = TlsPaths { ca: ca_file.clone(), cert, key };

    let up = connect(&fake, Some(good.clone())).await.unwrap();
    up.tso().await.unwrap();
    let (tx, _rx) = feed_channel(1000);
    let span = Span::new("b".into(), "y".into()).unwrap();
    up.subscribe(SpanId(1), &span, Ts::new(100), FeedOptions::default(), tx);
    assert_eq!(fake.feed().await.request().await.region_id, 1);

    let other_ca = file(folder.path(), "other.pem", &other_ca.pem());
    let refused = [
        None,
        Some(TlsPaths { cert: None, key: None, ..good.clone() }),
        Some(TlsPaths { ca: other_ca, ..good.clone() }),
    ];
    for tls in refused {
        let error = connect(&fake, tls.clone()).await.err();
        assert!(matches!(error, Some(UpstreamError::PdUnreachable { .. })), "{tls:?}: {error:?}");
    }
    let unusable = [TlsPaths { key: None, ..good.clone() }, TlsPaths { ca: folder.path().join("missing.pem"), ..good }];
    for tls in unusable {
        let error = connect(&fake, Some(tls.clone())).await.err();
        assert!(matches!(error, Some(UpstreamError::Tls { .. })), "{tls:?}: {error:?}");
    }
}
