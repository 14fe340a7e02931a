//! What a store is and how to reach it.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// A text that is not shown.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct SecretText(String);

impl SecretText {
    /// Keeps a text from being shown.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A place in a store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoreTarget {
    /// Which store.
    pub place: Place,
    /// Everything lies below this path, without slashes around it; empty: the bucket's root.
    pub prefix: String,
    /// Longest wait for a connection.
    pub connect_timeout: Duration,
    /// Longest wait for one answer.
    pub request_timeout: Duration,
    /// Tries of one request after the first.
    pub retries: u32,
}

impl StoreTarget {
    /// A place with the usual waits.
    pub fn new(place: Place, prefix: &str) -> Self {
        Self {
            place,
            prefix: prefix.trim_matches('/').to_owned(),
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(60),
            retries: 3,
        }
    }

    /// How the place is told to people.
    #[must_use]
    pub fn shown(&self) -> String {
        match &self.place {
            Place::Folder(path) => path.display().to_string(),
            Place::S3(s3) => format!("s3://{}/{}", s3.bucket, self.prefix),
            Place::Gcs(gcs) => format!("gcs://{}/{}", gcs.bucket, self.prefix),
            Place::Azure(azure) => format!("azblob://{}/{}", azure.container, self.prefix),
        }
    }

    /// Texts that no error may show.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let all: Vec<&SecretText> = match &self.place {
            Place::Folder(_) | Place::Gcs(_) => Vec::new(),
            Place::S3(s3) => {
                let all = [&s3.access_key, &s3.secret_access_key, &s3.session_token, &s3.sse_kms_key_id];
                all.into_iter().flatten().collect()
            }
            Place::Azure(azure) => [&azure.account_key, &azure.sas_token].into_iter().flatten().collect(),
        };
        let mut texts: Vec<String> = all.into_iter().map(|s| s.expose().to_owned()).filter(|s| !s.is_empty()).collect();
        // A token is taken apart before it is sent; its signature is what opens.
        let signature = |token: &String| token.split('&').find_map(|p| p.strip_prefix("sig=")).map(str::to_owned);
        let signatures: Vec<String> = texts.iter().filter_map(signature).filter(|s| !s.is_empty()).collect();
        for signature in signatures {
            let decoded = percent_encoding::percent_decode_str(&signature).decode_utf8_lossy().into_owned();
            texts.extend([decoded, signature]);
        }
        texts
    }
}

/// Which store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// A folder of this machine (or what is mounted there); made when it is not there.
    Folder(PathBuf),
    /// S3 or what speaks its protocol.
    S3(S3Target),
    /// Google Cloud Storage.
    Gcs(GcsTarget),
    /// Azure Blob Storage.
    Azure(AzureTarget),
}

/// A bucket of S3. Credentials that are not given come from the process's environment, under the names Amazon's tools have for them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct S3Target {
    /// Bucket.
    pub bucket: String,
    /// URL of another server than Amazon's.
    pub endpoint: Option<String>,
    /// Region.
    pub region: Option<String>,
    /// Access key.
    pub access_key: Option<SecretText>,
    /// Secret key.
    pub secret_access_key: Option<SecretText>,
    /// Token of a session.
    pub session_token: Option<SecretText>,
    /// The bucket is part of the path, not of the host.
    pub path_style: bool,
    /// Storage class of what is written.
    pub storage_class: Option<String>,
    /// Who encrypts: `AES256`, `aws:kms` or `aws:kms:dsse`.
    pub sse: Option<String>,
    /// Key that encrypts, with `aws:kms`.
    pub sse_kms_key_id: Option<SecretText>,
}

/// A bucket of Google Cloud Storage. Credentials that are not given come from the process's environment
/// (`GOOGLE_SERVICE_ACCOUNT`, `GOOGLE_APPLICATION_CREDENTIALS`), the file that `gcloud` keeps, or the machine.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct GcsTarget {
    /// Bucket.
    pub bucket: String,
    /// URL of another server than Google's.
    pub endpoint: Option<String>,
    /// File with a service account's key, or with a person's credentials.
    pub credentials_file: Option<PathBuf>,
    /// Storage class of what is written.
    pub storage_class: Option<String>,
    /// Who may read what is written: a word like `publicRead` or `public-read`.
    pub predefined_acl: Option<String>,
}

/// A container of Azure Blob Storage. A key or token that is not given comes from the process's environment (`AZURE_STORAGE_ACCOUNT_KEY`,
/// `AZURE_STORAGE_SAS_TOKEN`, `AZURE_CLIENT_ID` and its like) or the machine.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AzureTarget {
    /// Container.
    pub container: String,
    /// Account; without one, `AZURE_STORAGE_ACCOUNT_NAME` of the environment.
    pub account: Option<String>,
    /// URL of the account on another server than Microsoft's.
    pub endpoint: Option<String>,
    /// The account's key.
    pub account_key: Option<SecretText>,
    /// Token of a shared access signature.
    pub sas_token: Option<SecretText>,
    /// Access tier of what is written.
    pub access_tier: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::{AzureTarget, Place, S3Target, SecretText, StoreTarget};

    #[test]
    fn secrets_are_not_shown() {
        let secret = |t: &str| Some(SecretText::new(t));
        let s3 = S3Target {
            bucket: "b".to_owned(),
            access_key: secret("hunter1"),
            secret_access_key: secret("hunter2"),
            session_token: secret("hunter3"),
            ..S3Target::default()
        };
        let target = StoreTarget::new(Place::S3(s3), "/a/b/");
        assert_eq!(target.shown(), "s3://b/a/b");
        assert!(!format!("{target:?}").contains("hunter"));
        assert_eq!(target.secrets(), ["hunter1", "hunter2", "hunter3"]);
    }

    #[test]
    fn neither_a_tokens_signature_is_shown() {
        let sas_token = Some(SecretText::new("sv=2026-01-01&sp=rwl&sig=hunter2%3D"));
        let azure = AzureTarget { container: "c".to_owned(), sas_token, ..AzureTarget::default() };
        let target = StoreTarget::new(Place::Azure(azure), "a");
        assert_eq!(target.shown(), "azblob://c/a");
        assert!(!format!("{target:?}").contains("hunter"));
        assert_eq!(target.secrets(), ["sv=2026-01-01&sp=rwl&sig=hunter2%3D", "hunter2=", "hunter2%3D"]);
    }
}
