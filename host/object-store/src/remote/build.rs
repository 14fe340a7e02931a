//! From what a target says to a client of the library.

use super::identity::{Told, carried};
use super::wire::{IdentityWire, StoreWire};
use super::{Objects, Versions};
use crate::error::{StoreError, shown};
use crate::target::{AzureTarget, GcsTarget, S3Target, SecretText, StoreTarget};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, S3ConditionalPut};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::{Attribute, Attributes, BackoffConfig, HeaderValue, RetryConfig};
use reqwest::Url;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// First and longest pause between tries of one request.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(3));
/// No try begins later than this after the first; a request is signed once for all its tries.
const RETRY_TIMEOUT: Duration = Duration::from_secs(180);
/// Region when neither the target nor the environment has one; servers other than Amazon's do not mind.
const REGION_DEFAULT: &str = "us-east-1";
/// What the library calls `sse` and `sse-kms-key-id`.
const SSE_KEY: &str = "aws_server_side_encryption";
const SSE_KMS_KEY: &str = "aws_sse_kms_key_id";
/// Longest name of a bucket, container or account.
const NAME_CHARS_MAX: usize = 222;
/// Largest file of credentials.
const CREDENTIALS_BYTES_MAX: u64 = 1 << 20;

/// A client, what names a version for it, and what it says of every object it makes.
pub(super) type Built = (Arc<dyn Objects>, Versions, Attributes);

/// Sets up; the error says what is wrong.
struct Setup<'a> {
    target: &'a StoreTarget,
    secrets: &'a [String],
}

impl Setup<'_> {
    fn bad(&self, cause: &str) -> StoreError {
        StoreError::Setup { what: self.target.shown(), cause: shown(cause, self.secrets) }
    }

    fn failed(&self, e: &object_store::Error) -> StoreError {
        let mut cause: &dyn std::error::Error = e;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        self.bad(&cause.to_string())
    }

    fn retry(&self) -> RetryConfig {
        let backoff = BackoffConfig { init_backoff: PAUSE.0, max_backoff: PAUSE.1, base: 2.0 };
        let max_retries = usize::try_from(self.target.retries).unwrap_or(usize::MAX);
        RetryConfig { backoff, max_retries, retry_timeout: RETRY_TIMEOUT }
    }

    fn wire(&self, acl: Option<HeaderValue>) -> Result<StoreWire, StoreError> {
        StoreWire::new(self.target, acl).map_err(|e| self.bad(&e))
    }

    /// The names that become part of a URL.
    fn name(&self, what: &str, name: &str) -> Result<(), StoreError> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.$".contains(&b);
        if (1..=NAME_CHARS_MAX).contains(&name.len()) && name.bytes().all(plain) {
            return Ok(());
        }
        Err(self.bad(&format!("{what} has letters, digits, `-`, `_` and `.` only, at most {NAME_CHARS_MAX}")))
    }

    /// A URL of a server, without a slash at its end.
    fn endpoint(&self, text: &str, path: bool) -> Result<String, StoreError> {
        let form = if path { "http://host:port/path or https://host" } else { "http://host:port or https://host" };
        let bad = || self.bad(&format!("the endpoint is not {form}"));
        let url = Url::parse(text).map_err(|_| bad())?;
        let plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        let served = matches!(url.scheme(), "http" | "https") && url.has_host() && url.password().is_none();
        if !plain || !served || !(path || url.path() == "/") {
            return Err(bad());
        }
        Ok(text.trim_end_matches('/').to_owned())
    }

    /// What goes into a header as it is.
    fn header<'a>(&self, what: &str, value: &'a str) -> Result<&'a str, StoreError> {
        if carried(value) {
            Ok(value)
        } else {
            Err(self.bad(&format!("{what} holds characters that no request can carry")))
        }
    }

    fn class(&self, what: &str, class: Option<&String>) -> Result<Attributes, StoreError> {
        let Some(class) = class else { return Ok(Attributes::new()) };
        let class = self.header(what, class)?.to_owned();
        Ok(Attributes::from_iter([(Attribute::StorageClass, class)]))
    }
}

fn env(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|v| !v.is_empty())
}

fn open(text: Option<&SecretText>) -> Option<&str> {
    text.map(SecretText::expose)
}

pub(super) fn s3(s3: &S3Target, target: &StoreTarget, secrets: &[String]) -> Result<Built, StoreError> {
    let setup = Setup { target, secrets };
    setup.name("a bucket's name", &s3.bucket)?;
    let mut builder = match (open(s3.access_key.as_ref()), open(s3.secret_access_key.as_ref())) {
        (Some(access), Some(secret)) => {
            let keys = AmazonS3Builder::new().with_access_key_id(access).with_secret_access_key(secret);
            match open(s3.session_token.as_ref()) {
                Some(token) => keys.with_token(token),
                None => keys,
            }
        }
        (None, None) => AmazonS3Builder::from_env(),
        _ => return Err(setup.bad("access-key and secret-access-key are given together, or neither")),
    };
    let region = s3.region.clone().or_else(|| env("AWS_REGION")).or_else(|| env("AWS_DEFAULT_REGION"));
    let region = region.unwrap_or_else(|| REGION_DEFAULT.to_owned());
    setup.name("a region", &region)?;
    if let Some(endpoint) = &s3.endpoint {
        let endpoint = setup.endpoint(endpoint, false)?;
        builder = builder.with_endpoint(match endpoint.split_once("://") {
            Some((scheme, host)) if !s3.path_style => format!("{scheme}://{}.{host}", s3.bucket),
            _ => endpoint,
        });
    }
    for (key, value) in [(SSE_KEY, s3.sse.as_deref()), (SSE_KMS_KEY, open(s3.sse_kms_key_id.as_ref()))] {
        let Some(value) = value else { continue };
        let key: AmazonS3ConfigKey = key.parse().map_err(|e| setup.failed(&e))?;
        builder = builder.with_config(key, setup.header("sse-kms-key-id", value)?);
    }
    let builder = builder
        .with_bucket_name(&s3.bucket)
        .with_region(region)
        .with_virtual_hosted_style_request(!s3.path_style)
        .with_conditional_put(S3ConditionalPut::ETagMatch)
        // Objects one by one: not every server knows the other way.
        .with_disable_bulk_delete(true)
        .with_retry(setup.retry());
    let identity = builder.clone().with_http_connector(IdentityWire).build().map_err(|e| setup.failed(&e))?;
    let store = builder.with_credentials(Told::new(identity.credentials())).with_http_connector(setup.wire(None)?);
    let store = store.build().map_err(|e| setup.failed(&e))?;
    Ok((Arc::new(store), Versions::Etag, setup.class("storage-class", s3.storage_class.as_ref())?))
}

pub(super) fn gcs(gcs: &GcsTarget, target: &StoreTarget, secrets: &[String]) -> Result<Built, StoreError> {
    let setup = Setup { target, secrets };
    setup.name("a bucket's name", &gcs.bucket)?;
    let mut builder = match &gcs.credentials_file {
        None => GoogleCloudStorageBuilder::from_env(),
        Some(file) => of_file(GoogleCloudStorageBuilder::new(), file).map_err(|e| setup.bad(&e))?,
    };
    if let Some(endpoint) = &gcs.endpoint {
        builder = builder.with_base_url(&setup.endpoint(endpoint, true)?);
    }
    let acl = gcs.predefined_acl.as_deref().map(|acl| setup.header("predefined-acl", acl)).transpose()?;
    let acl = acl.and_then(|acl| HeaderValue::from_str(&acl_word(acl)).ok());
    let builder = builder.with_bucket_name(&gcs.bucket).with_retry(setup.retry());
    let identity = builder.clone().with_http_connector(IdentityWire).build().map_err(|e| setup.failed(&e))?;
    let store = builder.with_credentials(Told::new(identity.credentials())).with_http_connector(setup.wire(acl)?);
    let store = store.build().map_err(|e| setup.failed(&e))?;
    Ok((Arc::new(store), Versions::Generation, setup.class("storage-class", gcs.storage_class.as_ref())?))
}

/// Reads a file of credentials: of a service account, or of a person.
fn of_file(builder: GoogleCloudStorageBuilder, file: &Path) -> Result<GoogleCloudStorageBuilder, String> {
    let cannot = |e: &dyn std::fmt::Display| format!("the file {} of credentials cannot be read: {e}", file.display());
    let size = std::fs::metadata(file).map_err(|e| cannot(&e))?.len();
    if size > CREDENTIALS_BYTES_MAX {
        return Err(cannot(&format!("it has {size} bytes, and at most {CREDENTIALS_BYTES_MAX} are read")));
    }
    let text = std::fs::read_to_string(file).map_err(|e| cannot(&e))?;
    // What is wrong with it is told by its place alone: the text may be shown in no error.
    let read = serde_json::from_str::<serde_json::Value>(&text);
    let json = read.map_err(|e| cannot(&format!("no JSON in line {}, column {}", e.line(), e.column())))?;
    if json.get("type").and_then(serde_json::Value::as_str) == Some("authorized_user") {
        return Ok(builder.with_application_credentials(file.to_string_lossy()));
    }
    Ok(builder.with_service_account_key(text))
}

/// GCS has two spellings: `publicRead` in its JSON, `public-read` in headers.
fn acl_word(acl: &str) -> String {
    let mut word = String::new();
    for c in acl.chars() {
        if c.is_ascii_uppercase() {
            word.push('-');
        }
        word.push(c.to_ascii_lowercase());
    }
    word
}

pub(super) fn azure(azure: &AzureTarget, target: &StoreTarget, secrets: &[String]) -> Result<Built, StoreError> {
    let setup = Setup { target, secrets };
    setup.name("a container's name", &azure.container)?;
    let mut builder = match (open(azure.account_key.as_ref()), open(azure.sas_token.as_ref())) {
        (None, None) => MicrosoftAzureBuilder::from_env(),
        (Some(key), None) => MicrosoftAzureBuilder::new().with_access_key(key),
        (None, Some(sas)) => {
            MicrosoftAzureBuilder::new().with_config(AzureConfigKey::SasKey, sas.trim_start_matches('?'))
        }
        _ => return Err(setup.bad("account-key and sas-token are given one at a time")),
    };
    let named = || builder.get_config_value(&AzureConfigKey::AccountName);
    let account = azure.account.clone().or_else(named).or_else(|| env("AZURE_STORAGE_ACCOUNT_NAME"));
    let account = account
        .ok_or_else(|| setup.bad("it needs account-name, or AZURE_STORAGE_ACCOUNT_NAME in the server's environment"))?;
    setup.name("an account's name", &account)?;
    if let Some(endpoint) = &azure.endpoint {
        builder = builder.with_endpoint(setup.endpoint(endpoint, true)?);
    }
    let builder = builder.with_account(account).with_container_name(&azure.container).with_retry(setup.retry());
    let identity = builder.clone().with_http_connector(IdentityWire).build().map_err(|e| setup.failed(&e))?;
    let store = builder.with_credentials(Told::new(identity.credentials())).with_http_connector(setup.wire(None)?);
    let store = store.build().map_err(|e| setup.failed(&e))?;
    Ok((Arc::new(store), Versions::QuotedEtag, setup.class("access-tier", azure.access_tier.as_ref())?))
}

#[cfg(test)]
mod tests {
    use super::{acl_word, azure, gcs, s3};
    use crate::target::{AzureTarget, GcsTarget, Place, S3Target, SecretText, StoreTarget};
    use tg_model::Coded;

    fn target() -> StoreTarget {
        StoreTarget::new(Place::Folder("/".into()), "")
    }

    fn keyed(bucket: &str) -> S3Target {
        let secret = |t: &str| Some(SecretText::new(t));
        let (access_key, secret_access_key) = (secret("key"), secret("hunter2"));
        S3Target { bucket: bucket.to_owned(), access_key, secret_access_key, ..S3Target::default() }
    }

    #[test]
    fn what_no_url_can_hold_is_refused() {
        let refused = |s: &S3Target| s3(s, &target(), &[]).err().map(|e| (e.code().0, e.to_string()));
        assert_eq!(refused(&keyed("plain.bucket-1")), None);
        for bucket in ["", "a/b", "a b", "ä", "a?b", "a\"b", "a\nb"] {
            assert_eq!(refused(&keyed(bucket)).unwrap().0, 3309, "{bucket:?}");
        }
        for endpoint in ["h:9000", "ftp://h", "http://h/path", "http://h?x=1", "http://u:p@h", "http://", "http://h#f"]
        {
            let of = S3Target { endpoint: Some(endpoint.to_owned()), ..keyed("b") };
            assert_eq!(refused(&of).unwrap().0, 3309, "{endpoint}");
        }
        let half = S3Target { secret_access_key: None, ..keyed("b") };
        assert!(refused(&half).unwrap().1.contains("together"));
        let sse = |sse: &str| S3Target { sse: Some(sse.to_owned()), ..keyed("b") };
        assert_eq!(refused(&sse("aws:kms")), None);
        assert!(refused(&sse("none")).is_some());
        let class = S3Target { storage_class: Some("COLD\r\nx: y".to_owned()), ..keyed("b") };
        assert!(refused(&class).unwrap().1.contains("storage-class"));
    }

    #[test]
    fn azure_needs_an_account_and_one_way_in() {
        let secret = |t: &str| Some(SecretText::new(t));
        let of = AzureTarget { container: "c".to_owned(), account_key: secret("aGk="), ..AzureTarget::default() };
        assert!(azure(&of, &target(), &[]).err().unwrap().to_string().contains("account-name"));
        let of = AzureTarget { account: Some("a".to_owned()), ..of };
        assert!(azure(&of, &target(), &[]).is_ok());
        let both = AzureTarget { sas_token: secret("sv=1&sig=x"), ..of.clone() };
        assert!(azure(&both, &target(), &[]).err().unwrap().to_string().contains("one at a time"));
        let no_key = AzureTarget { account_key: secret("hunter2!"), ..of };
        let error = azure(&no_key, &target(), &["hunter2!".to_owned()]).err().unwrap();
        assert!(error.code().0 == 3309 && !error.to_string().contains("hunter2"), "{error}");
    }

    #[test]
    fn a_file_of_credentials_that_cannot_be_used_is_named_and_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("credentials.json");
        let of = GcsTarget { bucket: "b".to_owned(), credentials_file: Some(file.clone()), ..GcsTarget::default() };
        let said = || gcs(&of, &target(), &[]).err().unwrap().to_string();
        assert!(said().contains("credentials.json"), "{}", said());
        for text in ["{\"private_key\": \"hunter2\"", "{\"private_key\": \"hunter2\"}", "hunter2"] {
            std::fs::write(&file, text).unwrap();
            assert!(!said().contains("hunter2"), "{}", said());
        }
    }

    #[test]
    fn both_spellings_of_an_acl_are_known() {
        assert_eq!(acl_word("bucketOwnerFullControl"), "bucket-owner-full-control");
        assert_eq!(acl_word("project-private"), "project-private");
    }
}
