//! Where the metadata of a cluster is.

use super::{MetastoreFile, address, bad, list};
use crate::{ConfigError, Secret};

/// Longest password of a file, in bytes.
const PASSWORD_MAX_BYTES: usize = 4 << 10;

/// etcd, as a server is to reach it.
#[derive(Clone, PartialEq, Debug)]
pub struct Metastore {
    /// Endpoints, each `http://host:port` or `https://host:port`.
    pub endpoints: Vec<String>,
    /// Whether TLS is spoken.
    pub tls: bool,
    /// Path of the CA certificate; empty: the server's own.
    pub ca_path: String,
    /// Path of the certificate to show; empty: the server's own.
    pub cert_path: String,
    /// Path of its key; empty: the server's own.
    pub key_path: String,
    /// User; empty: none.
    pub user: String,
    /// Its password.
    pub password: Secret,
    /// Failure domain of this node; empty: none.
    pub zone: String,
}

impl Metastore {
    /// Of flags and file; `None`: the server is alone.
    pub(super) fn resolve(flag: Option<&str>, file: &MetastoreFile) -> Result<Option<Self>, ConfigError> {
        let url = flag.unwrap_or(&file.url);
        if url.is_empty() {
            return Ok(None);
        }
        let (tls, rest) = match (url.strip_prefix("etcd://"), url.strip_prefix("etcds://")) {
            (Some(rest), _) => (false, rest),
            (_, Some(rest)) => (true, rest),
            _ => {
                let reason = "write etcd://host:port,host:port, or etcds:// for TLS".to_owned();
                return Err(bad("metastore", format!("`{url}` is no metadata store that is known; {reason}")));
            }
        };
        let hosts = list(rest.trim_end_matches('/'));
        if hosts.is_empty() {
            return Err(bad("metastore", "at least one endpoint is needed, like etcd://127.0.0.1:2379".to_owned()));
        }
        hosts.iter().try_for_each(|host| address("metastore", host))?;
        if file.cert_path.is_empty() != file.key_path.is_empty() {
            return Err(bad("metastore", "`cert-path` and `key-path` need each other".to_owned()));
        }
        let scheme = if tls { "https" } else { "http" };
        Ok(Some(Self {
            endpoints: hosts.iter().map(|host| format!("{scheme}://{host}")).collect(),
            tls,
            ca_path: file.ca_path.clone(),
            cert_path: file.cert_path.clone(),
            key_path: file.key_path.clone(),
            user: file.user.clone(),
            password: password(&file.password_file)?,
            zone: file.zone.clone(),
        }))
    }
}

fn password(path: &str) -> Result<Secret, ConfigError> {
    if path.is_empty() {
        return Ok(Secret::default());
    }
    let unreadable = |reason: String| ConfigError::Unreadable { path: path.to_owned(), reason };
    let text = std::fs::read_to_string(path).map_err(|e| unreadable(e.to_string()))?;
    if text.len() > PASSWORD_MAX_BYTES {
        return Err(unreadable(format!("it has more than {PASSWORD_MAX_BYTES} bytes")));
    }
    Ok(Secret::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(url: &str) -> Result<Option<Metastore>, ConfigError> {
        Metastore::resolve(Some(url), &MetastoreFile::default())
    }

    #[test]
    fn urls_name_endpoints() {
        assert_eq!(Metastore::resolve(None, &MetastoreFile::default()).unwrap(), None);
        let plain = resolve("etcd://a:2379,b:2379/").unwrap().unwrap();
        assert_eq!((plain.endpoints, plain.tls), (vec!["http://a:2379".to_owned(), "http://b:2379".to_owned()], false));
        assert_eq!(resolve("etcds://a:1").unwrap().unwrap().endpoints, ["https://a:1"]);
        for wrong in ["a:2379", "redis://a:1", "etcd://", "etcd://a", "etcd://a:x"] {
            assert!(resolve(wrong).unwrap_err().to_string().contains("metastore"), "{wrong}");
        }
    }

    #[test]
    fn the_file_is_asked_when_no_flag_is_given() {
        let folder = std::env::temp_dir().join(format!("tidegate-password-{}", std::process::id()));
        std::fs::write(&folder, "hush\n").unwrap();
        let file = MetastoreFile {
            url: "etcd://a:1".to_owned(),
            user: "u".to_owned(),
            password_file: folder.display().to_string(),
            ..MetastoreFile::default()
        };
        let found = Metastore::resolve(None, &file).unwrap().unwrap();
        std::fs::remove_file(&folder).unwrap();
        assert_eq!(found.password.expose(), "hush");
        assert!(!format!("{found:?}").contains("hush"), "a secret does not show itself");
        assert!(Metastore::resolve(None, &file).is_err(), "the file is gone");
        let half = MetastoreFile { cert_path: "c".to_owned(), ..file };
        assert!(Metastore::resolve(Some("etcd://a:1"), &half).is_err());
    }
}
