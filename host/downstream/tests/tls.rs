//! TLS to a real MariaDB, with certificates made here.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tg_downstream::{Cell, FaultKind, MysqlEndpoint, MysqlTarget, MysqlTls, Secret};
use tg_model::Coded;
use tg_testkit::MariaDb;

/// An authority and, signed by it, a certificate for 127.0.0.1; returns the paths of authority, certificate and key.
fn certificates(folder: &Path, name: &str) -> [PathBuf; 3] {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let server = CertificateParams::new(vec!["127.0.0.1".to_owned(), "localhost".to_owned()])
        .unwrap()
        .signed_by(&key, &authority)
        .unwrap();
    let files = [("ca", authority.pem()), ("cert", server.pem()), ("key", key.serialize_pem())];
    files.map(|(kind, pem)| {
        let path = folder.join(format!("{name}-{kind}.pem"));
        std::fs::write(&path, pem).unwrap();
        path
    })
}

#[tokio::test]
async fn the_server_is_authenticated_and_the_session_encrypted() {
    if !MariaDb::is_installed() {
        println!("passed over: MariaDB is not installed");
        return;
    }
    let folder = TempDir::new().unwrap();
    let [ca, cert, key] = certificates(folder.path(), "good");
    let [other_ca, ..] = certificates(folder.path(), "other");
    let option = |name: &str, path: &Path| format!("--{name}={}", path.display());
    let options = [option("ssl-ca", &ca), option("ssl-cert", &cert), option("ssl-key", &key)];
    let server = MariaDb::start_with(&options.each_ref().map(String::as_str)).unwrap();
    let plain = MysqlTarget { port: server.port(), ..MysqlTarget::default() };
    let mut root = MysqlEndpoint::connect(plain.clone()).await.unwrap().open(None).await.unwrap();
    root.execute("CREATE USER 'tls'@'%' IDENTIFIED BY 'secret pass' REQUIRE SSL").await.unwrap();
    root.execute("GRANT ALL ON *.* TO 'tls'@'%'").await.unwrap();
    let user = MysqlTarget { user: "tls".into(), password: Secret::new("secret pass".into()), ..plain };
    let with = |ca: Option<PathBuf>| MysqlTarget { tls: Some(MysqlTls { ca, identity: None }), ..user.clone() };

    let mut c = MysqlEndpoint::connect(with(Some(ca))).await.unwrap().open(None).await.unwrap();
    let cipher = c.query("SHOW STATUS LIKE 'Ssl_cipher'", 1).await.unwrap().rows.remove(0);
    assert!(matches!(&cipher[1], Cell::Text(name) if !name.is_empty()), "{cipher:?}");

    for wrong in [Some(other_ca), None] {
        let error = MysqlEndpoint::connect(with(wrong)).await.unwrap_err();
        assert_eq!((error.kind, error.code().0), (FaultKind::Denied, 3006), "{error}");
        assert!(error.to_string().contains("certificate") && !error.to_string().contains("secret"), "{error}");
    }
    let error = MysqlEndpoint::connect(user.clone()).await.unwrap_err();
    assert_eq!(error.kind, FaultKind::Denied, "without TLS the user may not in: {error}");
}
