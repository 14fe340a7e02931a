//! TLS to a real MariaDB, with certificates made here.

use crate::common::certificates;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tg_model::Coded;
use tg_mysql::{Cell, FaultKind, MysqlEndpoint, MysqlTarget, MysqlTls, Secret};
use tg_testkit::MariaDb;

/// Where the server is.
const HOSTS: [&str; 2] = ["127.0.0.1", "localhost"];

#[tokio::test]
async fn the_server_is_authenticated_and_the_session_encrypted() {
    if !MariaDb::is_installed() {
        println!("passed over: MariaDB is not installed");
        return;
    }
    let folder = TempDir::new().unwrap();
    let [ca, cert, key] = certificates(folder.path(), "good", &HOSTS);
    let [other_ca, ..] = certificates(folder.path(), "other", &HOSTS);
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
