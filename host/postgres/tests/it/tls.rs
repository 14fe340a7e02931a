//! TLS to a real PostgreSQL, with certificates made here.

use crate::common::certificates;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::PathBuf;
use tempfile::TempDir;
use tg_postgres::{PostgresEndpoint, PostgresTarget, PostgresTls, Verify};
use tg_sql::{Cell, FaultKind};
use tg_test_servers::Postgres;

/// A server that shows this certificate; none: it has no TLS.
fn server(certificate: Option<&[PathBuf; 3]>) -> Postgres {
    let mut server = Postgres::start().unwrap();
    if let Some([_, cert, key]) = certificate {
        let data = server.folder().join("data");
        let owner = std::fs::metadata(&data).unwrap();
        for (from, name) in [(cert, "server.crt"), (key, "server.key")] {
            let to = data.join(name);
            std::fs::copy(from, &to).unwrap();
            chown(&to, Some(owner.uid()), Some(owner.gid())).unwrap();
            std::fs::set_permissions(&to, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        let settings = data.join("postgresql.auto.conf");
        std::fs::write(&settings, "ssl = on\n").unwrap();
        server.restart().unwrap();
    }
    server
}

fn target(server: &Postgres, verify: Verify, or_plain: bool, ca: Option<&PathBuf>) -> PostgresTarget {
    let tls = PostgresTls { verify, or_plain, ca: ca.cloned(), identity: None };
    PostgresTarget { port: server.port(), tls: Some(tls), ..PostgresTarget::default() }
}

async fn is_encrypted(target: PostgresTarget) -> Cell {
    let mut c = PostgresEndpoint::connect(target).await.unwrap().open(None).await.unwrap();
    c.query("SELECT ssl FROM pg_stat_ssl WHERE pid=pg_backend_pid()", 1).await.unwrap().rows.remove(0).remove(0)
}

#[tokio::test]
async fn the_server_is_authenticated_as_far_as_is_asked() {
    let folder = TempDir::new().unwrap();
    let here = certificates(folder.path(), "127.0.0.1", &["127.0.0.1"]);
    let elsewhere = certificates(folder.path(), "db.example.com", &["db.example.com"]);
    let good = server(Some(&here));
    let misnamed = server(Some(&elsewhere));
    let ok = |server: &Postgres, verify, ca| is_encrypted(target(server, verify, false, ca));
    assert_eq!(ok(&good, Verify::Host, Some(&here[0])).await, Cell::Int(1));
    assert_eq!(ok(&good, Verify::Nothing, None).await, Cell::Int(1));
    assert_eq!(ok(&misnamed, Verify::Authority, Some(&elsewhere[0])).await, Cell::Int(1));
    for (server, verify, ca) in [
        (&good, Verify::Host, Some(&elsewhere[0])),
        (&good, Verify::Authority, Some(&elsewhere[0])),
        (&good, Verify::Host, None),
        (&misnamed, Verify::Host, Some(&elsewhere[0])),
    ] {
        let error = PostgresEndpoint::connect(target(server, verify, false, ca)).await.unwrap_err();
        assert_eq!(error.kind, FaultKind::Denied, "{error}");
        assert!(error.to_string().contains("certificate"), "{error}");
    }
}

#[tokio::test]
async fn plain_tcp_is_used_only_where_that_is_allowed() {
    let plain = server(None);
    assert_eq!(is_encrypted(target(&plain, Verify::Nothing, true, None)).await, Cell::Int(0));
    let error = PostgresEndpoint::connect(target(&plain, Verify::Nothing, false, None)).await.unwrap_err();
    assert_eq!(error.kind, FaultKind::Denied, "{error}");
    let missing = PathBuf::from("/nowhere/ca.pem");
    let error = PostgresEndpoint::connect(target(&plain, Verify::Host, false, Some(&missing))).await.unwrap_err();
    assert!(error.kind == FaultKind::Denied && error.to_string().contains("/nowhere/ca.pem"), "{error}");
}
