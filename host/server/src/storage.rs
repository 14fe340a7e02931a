//! Storage URIs as places of an object store.

use crate::ServerError;
use std::path::PathBuf;
use tg_config::{Scheme, Secret, StoragePlace};
use tg_object_store::{AzureTarget, GcsTarget, Place, S3Target, SecretText, StoreTarget};

/// Where a storage URI points.
///
/// # Errors
/// When this build has no client for it.
pub fn target(place: &StoragePlace) -> Result<StoreTarget, ServerError> {
    let secret = |s: &Option<Secret>| s.as_ref().map(|s| SecretText::new(s.expose()));
    match &place.scheme {
        Scheme::File => Ok(StoreTarget::new(Place::Folder(PathBuf::from(&place.path)), "")),
        Scheme::S3 => {
            let s3 = S3Target {
                bucket: place.bucket.clone(),
                endpoint: place.endpoint.clone(),
                region: place.region.clone(),
                access_key: secret(&place.access_key),
                secret_access_key: secret(&place.secret_access_key),
                session_token: secret(&place.session_token),
                path_style: place.path_style,
                storage_class: place.storage_class.clone(),
                sse: place.sse.clone(),
                sse_kms_key_id: secret(&place.sse_kms_key_id),
            };
            Ok(StoreTarget::new(Place::S3(s3), &place.path))
        }
        Scheme::Gcs => {
            let gcs = GcsTarget {
                bucket: place.bucket.clone(),
                endpoint: place.endpoint.clone(),
                credentials_file: place.credentials_file.clone(),
                storage_class: place.storage_class.clone(),
                predefined_acl: place.predefined_acl.clone(),
            };
            Ok(StoreTarget::new(Place::Gcs(gcs), &place.path))
        }
        Scheme::Azblob => {
            let azure = AzureTarget {
                container: place.bucket.clone(),
                account: place.account_name.clone(),
                endpoint: place.endpoint.clone(),
                account_key: secret(&place.account_key),
                sas_token: secret(&place.sas_token),
                access_tier: place.access_tier.clone(),
            };
            Ok(StoreTarget::new(Place::Azure(azure), &place.path))
        }
        other => Err(ServerError::NoEndpoint { grant: format!("{other}://") }),
    }
}
