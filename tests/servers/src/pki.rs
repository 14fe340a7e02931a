//! A certificate authority of its own, and what it signs, as files.

use anyhow::Context;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use std::path::{Path, PathBuf};

/// An authority whose certificate is the file `ca.pem` of a folder.
#[derive(Debug)]
pub struct Pki {
    ca: CertifiedIssuer<'static, KeyPair>,
    folder: PathBuf,
}

/// A certificate with its key, and the authority that signed it.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Certificate of the authority.
    pub ca: PathBuf,
    /// The certificate.
    pub cert: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

impl Pki {
    /// Makes an authority.
    ///
    /// # Errors
    /// When its file cannot be written.
    pub fn new(folder: &Path) -> anyhow::Result<Self> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        std::fs::create_dir_all(folder)?;
        let pki = Self { ca, folder: folder.to_owned() };
        pki.write("ca.pem", &pki.ca.pem())?;
        Ok(pki)
    }

    /// Signs a certificate for 127.0.0.1, for servers and clients: `NAME.pem` and `NAME.key` of the folder.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn identity(&self, name: &str) -> anyhow::Result<Identity> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()])?;
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let cert = params.signed_by(&key, &self.ca)?;
        Ok(Identity {
            ca: self.folder.join("ca.pem"),
            cert: self.write(&format!("{name}.pem"), &cert.pem())?,
            key: self.write(&format!("{name}.key"), &key.serialize_pem())?,
        })
    }

    fn write(&self, name: &str, text: &str) -> anyhow::Result<PathBuf> {
        let file = self.folder.join(name);
        std::fs::write(&file, text).with_context(|| file.display().to_string())?;
        Ok(file)
    }
}
