//! The same questions to a folder, a real S3 server, and the emulators of Azure's and Google's stores.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cut;
mod places;
mod questions;

use bytes::Bytes;
use cut::Cut;
use places::{azure, azure_with, gcs, s3};
use questions::{LIMIT, back_again, conditions, in_order, races, refused_while_away, same_for_all};
use tg_model::Coded;
use tg_object_store::{Place, SecretText, StoreEndpoint, StoreError, StoreTarget};
use tg_plugin::grant::PutMode;
use tg_test_servers::{AZURE_KEY, Azurite, Gcs, S3, S3_ACCESS_KEY, S3_SECRET_KEY};

async fn refused(target: StoreTarget) -> StoreError {
    StoreEndpoint::connect(&target).await.unwrap_err()
}

#[tokio::test]
async fn a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let target = StoreTarget::new(Place::Folder(folder.path().join("made/by/it")), "");
    let endpoint = StoreEndpoint::connect(&target).await.unwrap();
    same_for_all(endpoint.bucket().as_mut()).await;
    in_order(endpoint.bucket().as_mut(), true).await;
    // A folder knows no versions of its files.
    races(&endpoint, false).await;
    assert!(folder.path().join("made/by/it/a/日本").is_file());
}

#[tokio::test]
async fn a_folder_that_cannot_be_made() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "x").unwrap();
    let error = refused(StoreTarget::new(Place::Folder(folder.path().join("file/below")), "")).await;
    assert_eq!(error.code().to_string(), "TG-3304", "{error}");
}

#[tokio::test]
async fn an_s3_server() {
    let mut server = S3::start("bucket").unwrap();
    let endpoint = StoreEndpoint::connect(&s3(&server.url(), "bucket", S3_SECRET_KEY)).await.unwrap();
    let mut bucket = endpoint.bucket();
    same_for_all(bucket.as_mut()).await;
    in_order(bucket.as_mut(), true).await;
    conditions(bucket.as_mut()).await;
    races(&endpoint, true).await;

    let wrong = refused(s3(&server.url(), "bucket", "hunter2")).await;
    assert_eq!(wrong.code().to_string(), "TG-3306", "{wrong}");
    assert!(!wrong.to_string().contains("hunter2") && !wrong.to_string().contains(S3_ACCESS_KEY), "{wrong}");
    let missing = refused(s3(&server.url(), "elsewhere", S3_SECRET_KEY)).await;
    assert_eq!(missing.code().to_string(), "TG-3304", "{missing}");

    server.kill();
    refused_while_away(bucket.as_mut()).await;
    server.restart().unwrap();
    back_again(bucket.as_mut()).await;
}

#[tokio::test]
async fn an_azure_container() {
    let mut server = Azurite::start("bucket").unwrap();
    let endpoint = StoreEndpoint::connect(&azure(&server.url(), "bucket", AZURE_KEY)).await.unwrap();
    let mut bucket = endpoint.bucket();
    same_for_all(bucket.as_mut()).await;
    in_order(bucket.as_mut(), true).await;
    conditions(bucket.as_mut()).await;
    races(&endpoint, true).await;

    let other = "aHVudGVyMi1odW50ZXIyLWh1bnRlcjI=";
    let wrong = refused(azure(&server.url(), "bucket", other)).await;
    assert_eq!(wrong.code().to_string(), "TG-3306", "{wrong}");
    assert!(!wrong.to_string().contains(other), "{wrong}");
    let forged = "sv=2023-11-03&ss=b&srt=sco&sp=rwdlac&se=2999-01-01T00%3A00%3A00Z&sig=aHVudGVyMg%3D%3D";
    let wrong = refused(azure_with(&server.url(), "bucket", |a| a.sas_token = Some(SecretText::new(forged)))).await;
    assert_eq!(wrong.code().to_string(), "TG-3306", "{wrong}");
    assert!(!wrong.to_string().contains("aHVudGVyMg") && !wrong.to_string().contains("sig="), "{wrong}");
    let missing = refused(azure(&server.url(), "elsewhere", AZURE_KEY)).await;
    assert_eq!(missing.code().to_string(), "TG-3304", "{missing}");

    server.stop().unwrap();
    refused_while_away(bucket.as_mut()).await;
    let away = refused(azure_with(&server.url(), "bucket", |a| a.sas_token = Some(SecretText::new(forged)))).await;
    assert_eq!(away.code().to_string(), "TG-3301", "{away}");
    assert!(!away.to_string().contains("sig"), "{away}");
    server.restart().unwrap();
    back_again(bucket.as_mut()).await;
}

/// Credentials are left out: the emulator asks for none.
#[tokio::test]
async fn a_gcs_bucket() {
    let mut server = Gcs::start("bucket").unwrap();
    let endpoint = StoreEndpoint::connect(&gcs(&server, "bucket")).await.unwrap();
    let mut bucket = endpoint.bucket();
    same_for_all(bucket.as_mut()).await;
    // What the library reads of a list has no generations.
    in_order(bucket.as_mut(), false).await;
    conditions(bucket.as_mut()).await;
    races(&endpoint, true).await;

    let told = server.told_of("some/prefix/a/x").unwrap();
    assert!(told.contains(r#""storageClass":"NEARLINE""#) && told.contains("allUsers"), "{told}");
    let missing = refused(gcs(&server, "elsewhere")).await;
    assert_eq!(missing.code().to_string(), "TG-3304", "{missing}");

    server.kill();
    refused_while_away(bucket.as_mut()).await;
    server.restart().unwrap();
    back_again(bucket.as_mut()).await;
}

/// An object is put, and the answer is lost on its way.
async fn lost_answers(cut: &Cut, target: &StoreTarget) {
    let endpoint = StoreEndpoint::connect(target).await.unwrap();
    let mut bucket = endpoint.bucket();
    cut.arm();
    let lost = bucket.put("once", Bytes::from_static(b"one"), PutMode::Create).await.unwrap_err();
    assert!(lost.to_string().contains("TG-3302"), "{lost}");
    assert_eq!(cut.answers(), 1, "it is not sent again");
    assert_eq!(bucket.get("once", 0, 0, LIMIT).await.unwrap().unwrap(), "one");

    cut.arm();
    bucket.put("often", Bytes::from_static(b"two"), PutMode::Overwrite).await.unwrap();
    assert_eq!(cut.answers(), 2, "it is sent again, for it is the same however often it is done");
    assert_eq!(bucket.get("often", 0, 0, LIMIT).await.unwrap().unwrap(), "two");

    let mut upload = bucket.upload("parts").await.unwrap();
    upload.write(Bytes::from(vec![7; 9 << 20])).await.unwrap();
    upload.write(Bytes::from_static(b"last")).await.unwrap();
    cut.arm_for("CompleteMultipartUpload", "BlockList");
    let lost = upload.finish().await.unwrap_err();
    assert!(lost.to_string().contains("TG-3302"), "{lost}");
    assert_eq!(bucket.head("parts").await.unwrap().unwrap().size, (9 << 20) + 4);
}

#[tokio::test]
async fn an_answer_of_s3_that_is_lost() {
    let server = S3::start("bucket").unwrap();
    let cut = Cut::start(&server.url()).await;
    lost_answers(&cut, &s3(&cut.url(), "bucket", S3_SECRET_KEY)).await;
}

#[tokio::test]
async fn an_answer_of_azure_that_is_lost() {
    let server = Azurite::start("bucket").unwrap();
    let cut = Cut::start(&server.url()).await;
    lost_answers(&cut, &azure(&cut.url(), "bucket", AZURE_KEY)).await;
}
