//! The same questions to a folder and to a real S3 server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use bytes::Bytes;
use tg_model::Coded;
use tg_object_store::{Place, S3Target, SecretText, StoreEndpoint, StoreTarget};
use tg_plugin::grant::{Bucket, PutError, PutMode};
use tg_test_servers::{S3, S3_ACCESS_KEY, S3_SECRET_KEY};

const LIMIT: u64 = 16 << 20;

fn s3(server: &S3, bucket: &str, secret: &str) -> StoreTarget {
    let place = Place::S3(S3Target {
        bucket: bucket.to_owned(),
        endpoint: Some(server.url()),
        access_key: Some(SecretText::new(S3_ACCESS_KEY)),
        secret_access_key: Some(SecretText::new(secret)),
        path_style: true,
        ..S3Target::default()
    });
    StoreTarget { retries: 1, ..StoreTarget::new(place, "some/prefix") }
}

async fn paths(bucket: &mut dyn Bucket, prefix: &str, after: &str, limit: u32) -> Vec<String> {
    bucket.list(prefix, after, limit).await.unwrap().into_iter().map(|m| m.path).collect()
}

/// What every store does.
async fn same_for_all(bucket: &mut dyn Bucket) {
    assert_eq!(bucket.get("a/x", 0, 0, LIMIT).await.unwrap(), None);
    assert_eq!(bucket.head("a/x").await.unwrap(), None);
    assert_eq!(paths(bucket, "", "", 10).await, [""; 0]);
    bucket.delete("a/x").await.unwrap();

    let text = |t: &'static str| Bytes::from_static(t.as_bytes());
    bucket.put("a/x", text("one"), PutMode::Create).await.unwrap();
    assert_eq!(bucket.put("a/x", text("two"), PutMode::Create).await, Err(PutError::Conflict));
    assert_eq!(bucket.get("a/x", 0, 0, LIMIT).await.unwrap().unwrap(), "one");
    bucket.put("a/x", text("three"), PutMode::Overwrite).await.unwrap();
    assert_eq!(bucket.get("a/x", 2, 2, LIMIT).await.unwrap().unwrap(), "re");
    assert_eq!(bucket.get("a/x", 9, 0, LIMIT).await.unwrap().unwrap(), "");
    assert!(bucket.get("a/x", 0, 0, 4).await.is_err(), "more than the limit");
    let meta = bucket.head("a/x").await.unwrap().unwrap();
    assert_eq!((meta.path.as_str(), meta.size), ("a/x", 5));
    assert!(meta.modified_ms > 1_600_000_000_000 && meta.etag.is_some());

    for path in ["b/2", "b/1", "b/10", "a/日本", "a/y", "ab/z"] {
        bucket.put(path, text("-"), PutMode::Create).await.unwrap();
    }
    assert_eq!(paths(bucket, "", "", 10).await, ["a/x", "a/y", "a/日本", "ab/z", "b/1", "b/10", "b/2"]);
    assert_eq!(paths(bucket, "a/", "", 10).await, ["a/x", "a/y", "a/日本"]);
    assert_eq!(paths(bucket, "b/1", "", 10).await, ["b/1", "b/10"]);
    assert_eq!(paths(bucket, "", "a/y", 2).await, ["a/日本", "ab/z"]);
    assert_eq!(paths(bucket, "b/", "b/1", 1).await, ["b/10"]);
    assert_eq!(paths(bucket, "nowhere/", "", 10).await, [""; 0]);
    for bad in ["../x", "a//b", "", "/a"] {
        assert!(bucket.put(bad, text("-"), PutMode::Overwrite).await.is_err(), "{bad}");
    }

    let mut upload = bucket.upload("big").await.unwrap();
    for n in 0..3_u8 {
        upload.write(Bytes::from(vec![n; 6 << 20])).await.unwrap();
    }
    assert_eq!(bucket.head("big").await.unwrap(), None, "not before it is finished");
    assert_eq!(upload.finish().await.unwrap().size, 18 << 20);
    assert_eq!(bucket.get("big", (12 << 20) - 1, 2, LIMIT).await.unwrap().unwrap().to_vec(), [1, 2]);
    let mut given_up = bucket.upload("never").await.unwrap();
    given_up.write(Bytes::from_static(b"x")).await.unwrap();
    given_up.abort().await;
    assert!(given_up.write(Bytes::from_static(b"x")).await.is_err());
    assert_eq!(bucket.head("never").await.unwrap(), None);
    bucket.delete("big").await.unwrap();
    assert_eq!(bucket.head("big").await.unwrap(), None);
}

#[tokio::test]
async fn a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let target = StoreTarget::new(Place::Folder(folder.path().join("made/by/it")), "");
    let endpoint = StoreEndpoint::connect(&target).await.unwrap();
    same_for_all(endpoint.bucket().as_mut()).await;
    assert!(folder.path().join("made/by/it/a/日本").is_file());
}

#[tokio::test]
async fn an_s3_server() {
    let mut server = S3::start("bucket").unwrap();
    let endpoint = StoreEndpoint::connect(&s3(&server, "bucket", S3_SECRET_KEY)).await.unwrap();
    let mut bucket = endpoint.bucket();
    same_for_all(bucket.as_mut()).await;
    let etag = bucket.head("a/x").await.unwrap().unwrap().etag.unwrap();
    bucket.put("a/x", Bytes::from_static(b"four"), PutMode::IfMatch(etag.clone())).await.unwrap();
    let again = bucket.put("a/x", Bytes::from_static(b"five"), PutMode::IfMatch(etag)).await;
    assert_eq!(again, Err(PutError::Conflict));

    let wrong = StoreEndpoint::connect(&s3(&server, "bucket", "hunter2")).await.unwrap_err();
    assert_eq!(wrong.code().to_string(), "TG-3306", "{wrong}");
    assert!(!wrong.to_string().contains("hunter2") && !wrong.to_string().contains(S3_ACCESS_KEY), "{wrong}");
    let missing = StoreEndpoint::connect(&s3(&server, "elsewhere", S3_SECRET_KEY)).await.unwrap_err();
    assert_eq!(missing.code().to_string(), "TG-3304", "{missing}");

    server.kill();
    let gone = bucket.put("a/x", Bytes::from_static(b"six"), PutMode::Overwrite).await.unwrap_err();
    assert!(gone.to_string().contains("TG-3301") || gone.to_string().contains("TG-3302"), "{gone}");
    server.restart().unwrap();
    assert_eq!(bucket.get("a/x", 0, 0, LIMIT).await.unwrap().unwrap(), "four");
}

#[tokio::test]
async fn a_folder_that_cannot_be_made() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "x").unwrap();
    let target = StoreTarget::new(Place::Folder(folder.path().join("file/below")), "");
    let error = StoreEndpoint::connect(&target).await.unwrap_err();
    assert_eq!(error.code().to_string(), "TG-3304", "{error}");
}
