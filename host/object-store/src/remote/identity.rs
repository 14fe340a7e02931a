//! Credentials that others give out: of the process's environment, a file, or the machine.

use super::fault::NoCredentials;
use futures::future::BoxFuture;
use object_store::aws::AwsCredential;
use object_store::azure::AzureCredential;
use object_store::gcp::GcpCredential;
use object_store::{CredentialProvider, Error as LibraryError};
use std::fmt;
use std::sync::Arc;

/// Passes credentials on. That there are none, or that no request could carry them, is an error of its own kind.
pub(super) struct Told<C>(Arc<dyn CredentialProvider<Credential = C>>);

impl<C> Told<C> {
    pub(super) fn new(by: &Arc<dyn CredentialProvider<Credential = C>>) -> Arc<Self> {
        Arc::new(Self(Arc::clone(by)))
    }
}

impl<C> fmt::Debug for Told<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Told")
    }
}

#[async_trait::async_trait]
impl<C: Carried> CredentialProvider for Told<C> {
    type Credential = C;

    async fn get_credential(&self) -> object_store::Result<Arc<C>> {
        let asked: BoxFuture<'_, _> = self.0.get_credential();
        let none = match asked.await {
            Ok(credential) if credential.in_headers().into_iter().all(carried) => return Ok(credential),
            Ok(_) => generic("they hold characters that no request can carry".to_owned()),
            Err(e) => e,
        };
        Err(generic(NoCredentials(none)))
    }
}

fn generic(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> LibraryError {
    LibraryError::Generic { store: "credentials", source: source.into() }
}

/// Whether a header of a request can have this value.
pub(super) fn carried(value: &str) -> bool {
    value.bytes().all(|b| (0x20..0x7f).contains(&b))
}

/// What of credentials is sent in headers.
pub(super) trait Carried: Send + Sync + 'static {
    fn in_headers(&self) -> Vec<&str>;
}

impl Carried for AwsCredential {
    fn in_headers(&self) -> Vec<&str> {
        [Some(&self.key_id), self.token.as_ref()].into_iter().flatten().map(String::as_str).collect()
    }
}

impl Carried for GcpCredential {
    fn in_headers(&self) -> Vec<&str> {
        vec![&self.bearer]
    }
}

impl Carried for AzureCredential {
    fn in_headers(&self) -> Vec<&str> {
        match self {
            Self::BearerToken(token) => vec![token],
            Self::AccessKey(_) | Self::SASToken(_) => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Carried, Told};
    use crate::remote::fault::of_library;
    use object_store::aws::AwsCredential;
    use object_store::{CredentialProvider, StaticCredentialProvider};
    use std::sync::Arc;
    use tg_model::Coded;

    #[tokio::test]
    async fn a_token_that_no_header_can_carry_is_refused() {
        let of = |token: &str| {
            let credential = AwsCredential {
                key_id: "key".to_owned(),
                secret_key: "hunter2".to_owned(),
                token: Some(token.to_owned()),
            };
            Told::new(
                &(Arc::new(StaticCredentialProvider::new(credential))
                    as Arc<dyn CredentialProvider<Credential = AwsCredential>>),
            )
        };
        assert_eq!(of("good").get_credential().await.unwrap().in_headers(), ["key", "good"]);
        let error = of_library("list".to_owned(), &of("bad\n").get_credential().await.unwrap_err(), &[]);
        assert_eq!(error.code().0, 3306, "{error}");
        assert!(!error.to_string().contains("bad"), "{error}");
    }
}
