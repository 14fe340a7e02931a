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
        }
    }

    /// Texts that no error may show.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let Place::S3(s3) = &self.place else { return Vec::new() };
        let all = [&s3.access_key, &s3.secret_access_key, &s3.session_token];
        all.into_iter().flatten().map(|s| s.expose().to_owned()).filter(|s| !s.is_empty()).collect()
    }
}

/// Which store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// A folder of this machine (or what is mounted there); made when it is not there.
    Folder(PathBuf),
    /// S3 or what speaks its protocol.
    S3(S3Target),
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
}

#[cfg(test)]
mod tests {
    use super::{Place, S3Target, SecretText, StoreTarget};

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
}
