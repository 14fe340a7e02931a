//! Servers as targets.

use tg_object_store::{AzureTarget, GcsTarget, Place, S3Target, SecretText, StoreTarget};
use tg_test_servers::{AZURE_ACCOUNT, Gcs, S3_ACCESS_KEY};

fn target(place: Place) -> StoreTarget {
    StoreTarget { retries: 1, ..StoreTarget::new(place, "some/prefix") }
}

pub(crate) fn s3(url: &str, bucket: &str, secret: &str) -> StoreTarget {
    target(Place::S3(S3Target {
        bucket: bucket.to_owned(),
        endpoint: Some(url.to_owned()),
        access_key: Some(SecretText::new(S3_ACCESS_KEY)),
        secret_access_key: Some(SecretText::new(secret)),
        path_style: true,
        ..S3Target::default()
    }))
}

pub(crate) fn azure(url: &str, container: &str, key: &str) -> StoreTarget {
    azure_with(url, container, |azure| azure.account_key = Some(SecretText::new(key)))
}

pub(crate) fn azure_with(url: &str, container: &str, change: impl FnOnce(&mut AzureTarget)) -> StoreTarget {
    let mut azure = AzureTarget {
        container: container.to_owned(),
        account: Some(AZURE_ACCOUNT.to_owned()),
        endpoint: Some(url.to_owned()),
        access_tier: Some("Cool".to_owned()),
        ..AzureTarget::default()
    };
    change(&mut azure);
    target(Place::Azure(azure))
}

pub(crate) fn gcs(server: &Gcs, bucket: &str) -> StoreTarget {
    target(Place::Gcs(GcsTarget {
        bucket: bucket.to_owned(),
        endpoint: Some(server.url()),
        credentials_file: Some(server.credentials_file()),
        storage_class: Some("NEARLINE".to_owned()),
        predefined_acl: Some("publicRead".to_owned()),
    }))
}
