//! Claims, transactions and certificates for tests of connections.
#![allow(dead_code, clippy::unwrap_used, reason = "each test uses some of it")]

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::path::{Path, PathBuf};
use tg_model::{Position, Ts};
use tg_sql::LaneClaim;

pub(crate) fn claim(name: &str, lane: u32, lanes: u32, n: u64) -> LaneClaim {
    LaneClaim { changefeed: format!("default/{name}"), slot: 1, lane, lanes, epoch: (5, n) }
}

pub(crate) fn at(ts: u64) -> Position {
    Position::rows(Ts::new(ts))
}

/// Statements as a connection takes them.
pub(crate) fn joined(statements: &[&str]) -> (Vec<u8>, Vec<u32>) {
    let mut data = Vec::new();
    let mut ends = Vec::new();
    for s in statements {
        data.extend_from_slice(s.as_bytes());
        ends.push(data.len() as u32);
    }
    (data, ends)
}

/// An authority of this name and, signed by it, a certificate for these hosts; the paths of authority, certificate and key.
pub(crate) fn certificates(folder: &Path, name: &str, hosts: &[&str]) -> [PathBuf; 3] {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let hosts: Vec<String> = hosts.iter().map(|h| (*h).to_owned()).collect();
    let server = CertificateParams::new(hosts).unwrap().signed_by(&key, &authority).unwrap();
    let files = [("ca", authority.pem()), ("cert", server.pem()), ("key", key.serialize_pem())];
    files.map(|(kind, pem)| {
        let path = folder.join(format!("{name}-{kind}.pem"));
        std::fs::write(&path, pem).unwrap();
        path
    })
}
