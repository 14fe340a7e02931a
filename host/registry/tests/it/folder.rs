//! Files in the watched folder.

use crate::support::{Rig, code, component};
use std::collections::BTreeMap;
use tg_registry::{By, PluginRef};

fn name(text: &str) -> PluginRef {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_file_is_a_version_from_the_first_time_it_is_named() {
    let rig = Rig::new().await;
    std::fs::write(rig.folder.join("mine.wasm"), component("print")).unwrap();
    let first = rig.registry.resolve(&name("mine")).await.unwrap();
    std::fs::write(rig.folder.join("mine.wasm"), component("blackhole")).unwrap();
    let second = rig.registry.resolve(&name("mine")).await.unwrap();
    assert_ne!(first.digest, second.digest, "a replaced file is read anew");
    assert_ne!(first.version, second.version);
    assert!(second.version.starts_with(&first.version), "the manifest's version, and the build");
    std::fs::write(rig.folder.join("mine@7.wasm"), component("mysql")).unwrap();
    assert_eq!(rig.registry.resolve(&name("mine@7")).await.unwrap().version, "7");
}

#[tokio::test]
async fn a_look_takes_what_is_whole_once() {
    let rig = Rig::new().await;
    let look = async || rig.registry.scan(&BTreeMap::new()).await;
    std::fs::write(rig.folder.join("mine.wasm"), component("print")).unwrap();
    assert!(look().await.is_empty(), "it may still be written");
    let taken = look().await;
    assert_eq!((taken[0].name.as_str(), taken[0].activated), ("mine", true));
    assert!(look().await.is_empty());

    // After a restart the file is there as before, and what was rolled back stays so.
    std::fs::write(rig.folder.join("mine.wasm"), component("blackhole")).unwrap();
    let second = rig.registry.resolve(&name("mine")).await.unwrap();
    rig.registry.roll_back("mine", By::Rollback).await.unwrap();
    let again = rig.again().await;
    assert_ne!(again.registry.resolve(&name("mine")).await.unwrap(), second);
}

#[tokio::test]
async fn a_bad_file_is_reported_and_what_was_there_goes_on() {
    let rig = Rig::new().await;
    std::fs::write(rig.folder.join("mine.wasm"), "no component").unwrap();
    let bad = rig.registry.resolve(&name("mine")).await.unwrap_err();
    assert_eq!(code(&bad), "TG-2001");
    assert!(bad.to_string().starts_with("plugin `mine`: "), "{bad}");
    assert_eq!(rig.registry.problems().len(), 1);

    std::fs::write(rig.folder.join("mine.wasm"), component("print")).unwrap();
    let good = rig.registry.resolve(&name("mine")).await.unwrap();
    assert!(rig.registry.problems().is_empty());
    std::fs::write(rig.folder.join("mine.wasm"), "broken again").unwrap();
    assert_eq!(rig.registry.resolve(&name("mine")).await.unwrap(), good);
    assert_eq!(rig.registry.problems()[0].name, "mine");
}
