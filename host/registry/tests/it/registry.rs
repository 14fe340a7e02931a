//! A registry on a real store and a real plugin engine.

use crate::support::{Rig, code, component, push};
use std::collections::BTreeMap;
use tg_registry::{By, Digest, Pinned, PluginRef, Push, RegistryError};
use tg_signature::SigningKey;

async fn means(rig: &Rig, text: &str) -> Pinned {
    rig.registry.resolve(&text.parse().unwrap()).await.unwrap()
}

#[tokio::test]
async fn a_pushed_component_is_found_by_name_version_and_digest() {
    let rig = Rig::new().await;
    let first = rig.registry.push(push("orders", "1.0.0", "print"), &BTreeMap::new()).await.unwrap();
    assert!(first.new && first.activated, "the first version of a name is its active one");
    let second = rig.registry.push(push("orders", "2.0.0", "blackhole"), &BTreeMap::new()).await.unwrap();
    assert!(second.new && !second.activated);

    assert_eq!(means(&rig, "orders").await.version, "1.0.0");
    assert_eq!(means(&rig, "orders@2.0.0").await, second.pinned);
    assert_eq!(means(&rig, &second.pinned.digest.to_string()).await, second.pinned);
    let plugin = rig.registry.load(&second.pinned, None).await.unwrap();
    assert_eq!(plugin.digest(), second.pinned.digest.hex());

    let again = rig.registry.push(push("orders", "2.0.0", "blackhole"), &BTreeMap::new()).await.unwrap();
    assert!(!again.new, "the same bytes again are no error");
    let other = rig.registry.push(push("orders", "2.0.0", "print"), &BTreeMap::new()).await.unwrap_err();
    assert_eq!(code(&other), "TG-4205");
    assert_eq!(means(&rig, "orders").await.version, "1.0.0", "what was refused changes nothing");
}

#[tokio::test]
async fn names_that_do_not_exist_say_what_does() {
    let rig = Rig::new().await;
    let built_in = means(&rig, "blackhole").await;
    assert!(built_in.builtin);
    let unknown = rig.registry.resolve(&"blackhoel".parse().unwrap()).await.unwrap_err();
    assert_eq!(code(&unknown), "TG-4101");
    let text = unknown.to_string();
    assert!(text.contains("did you mean `blackhole`?") && text.contains("mysql"), "{text}");
    let version = rig.registry.resolve(&"blackhole@99".parse().unwrap()).await.unwrap_err();
    assert_eq!(code(&version), "TG-4202");
    let taken = rig.registry.push(push("print", "9", "blackhole"), &BTreeMap::new()).await.unwrap_err();
    assert_eq!(code(&taken), "TG-4204");
    let nobody = rig.registry.resolve(&PluginRef::Digest(Digest::of(b"x"))).await.unwrap_err();
    assert_eq!(code(&nobody), "TG-4203");
    let wrong = rig.registry.load(&built_in, Some(&Digest::of(b"x").to_string())).await.unwrap_err();
    assert_eq!(code(&wrong), "TG-4106");
}

#[tokio::test]
async fn rolling_back_and_removing() {
    let rig = Rig::new().await;
    for (version, component) in [("1", "print"), ("2", "blackhole"), ("3", "mysql")] {
        let pushed = Push { activate: true, ..push("p", version, component) };
        assert!(rig.registry.push(pushed, &BTreeMap::new()).await.unwrap().activated);
    }
    assert_eq!(rig.registry.roll_back("p", By::Rollback).await.unwrap(), ("3".to_owned(), "2".to_owned()));
    assert_eq!(means(&rig, "p").await.version, "2");
    assert!(rig.registry.activate("p", "3", By::Activate).await.unwrap());
    assert!(!rig.registry.activate("p", "3", By::Activate).await.unwrap(), "it is already");
    assert_eq!(code(&rig.registry.activate("p", "4", By::Activate).await.unwrap_err()), "TG-4202");

    let used = BTreeMap::from([(means(&rig, "p@1").await.digest, vec!["changefeed default/a".to_owned()])]);
    let refused = rig.registry.remove("p", None, &used).await.unwrap_err();
    assert_eq!(
        (code(&refused), refused.to_string().as_str()),
        ("TG-4206".to_owned(), "plugin p@1 is used by changefeed default/a")
    );
    assert_eq!(rig.registry.remove("p", Some("3"), &used).await.unwrap(), ["3"]);
    assert_eq!(means(&rig, "p").await.version, "2", "the one before becomes active");
    assert_eq!(rig.blobs(), 2, "bytes nobody has are deleted");
    assert_eq!(rig.registry.remove("p", None, &BTreeMap::new()).await.unwrap(), ["1", "2"]);
    assert_eq!(rig.blobs(), 0);
    assert_eq!(code(&rig.registry.roll_back("p", By::Rollback).await.unwrap_err()), "TG-4101");
}

#[tokio::test]
async fn what_cannot_be_used_is_refused_with_its_reason() {
    let rig = Rig::new().await;
    let bad = |bytes: &[u8]| Push { bytes: bytes.to_vec(), ..push("p", "1", "print") };
    for (component, expected) in [(&b"text"[..], "TG-2001"), (b"\0asm\x0d\0\x01\0", "TG-2002")] {
        let refused = rig.registry.push(bad(component), &BTreeMap::new()).await.unwrap_err();
        assert_eq!(code(&refused), expected, "{refused}");
        assert!(refused.is_refusal());
    }
    let large = vec![0; Rig::SIZE_MAX_BYTES + 1];
    assert_eq!(code(&rig.registry.push(bad(&large), &BTreeMap::new()).await.unwrap_err()), "TG-4207");
    let named = Push { name: Some("a/b".to_owned()), ..push("p", "1", "print") };
    assert_eq!(code(&rig.registry.push(named, &BTreeMap::new()).await.unwrap_err()), "TG-4201");
    assert!(rig.registry.list().await.unwrap().is_empty());
    assert_eq!(rig.blobs(), 0, "nothing is stored");
}

#[tokio::test]
async fn where_keys_are_trusted_only_their_signatures_pass() {
    let (trusted, other) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
    let rig = Rig::trusting(vec![trusted.public()]).await;
    let bytes = component("print");
    let by = |key: &SigningKey| Some(key.sign(Digest::of(&bytes).bytes()).to_string());
    let as_it_is = |signature| Push { name: None, version: None, signature, ..push("", "", "print") };

    let refused = [
        (as_it_is(None), "TG-4208"),
        (as_it_is(by(&other)), "TG-4253"),
        (as_it_is(Some("x".to_owned())), "TG-4252"),
        (as_it_is(Some(trusted.sign(&[0; 32]).to_string())), "TG-4254"),
        (Push { name: Some("mine".to_owned()), ..as_it_is(by(&trusted)) }, "TG-4209"),
    ];
    for (push, expected) in refused {
        assert_eq!(code(&rig.registry.push(push, &BTreeMap::new()).await.unwrap_err()), expected);
    }
    // A built-in says a built-in's name, which is the last thing that is checked.
    let builtin = rig.registry.push(as_it_is(by(&trusted)), &BTreeMap::new()).await.unwrap_err();
    assert!(matches!(builtin, RegistryError::Builtin { .. }), "{builtin}");
}

#[tokio::test]
async fn damaged_bytes_are_never_compiled() {
    let rig = Rig::new().await;
    let pushed = rig.registry.push(push("p", "1", "print"), &BTreeMap::new()).await.unwrap();
    rig.overwrite(&pushed.pinned.digest, b"other");
    let again = rig.again().await;
    let damaged = again.registry.load(&pushed.pinned, None).await.unwrap_err();
    assert_eq!(code(&damaged), "TG-4210");
    again.registry.push(push("p", "1", "print"), &BTreeMap::new()).await.unwrap();
    again.registry.load(&pushed.pinned, None).await.unwrap();
}
