//! Plugins from a folder.

use crate::installed::Installed;
use tg_model::Coded;
use tg_plugin::{EngineOptions, Kind, PluginEngine};

fn code(error: &impl Coded) -> String {
    error.code().to_string()
}

#[tokio::test]
async fn a_plugin_is_what_its_file_holds() {
    let folder = tempfile::tempdir().unwrap();
    let engine = PluginEngine::new(&EngineOptions { instances_max: 2, memory_max_bytes: 64 << 20, cache_dir: None });
    let installed = Installed::new(engine.unwrap(), folder.path().to_owned());
    let get = async |name: &str, kind, digest: Option<&str>| installed.get(name, kind, digest).await;

    let built_in = get("blackhole", Kind::Sink, None).await.unwrap();
    let other = get("blackhole", Kind::Dispatcher, None).await.unwrap_err();
    assert_eq!(
        (code(&other), other.to_string().as_str()),
        ("TG-4105".to_owned(), "plugin `blackhole` is no dispatcher")
    );

    let missing = get("mine", Kind::Sink, None).await.unwrap_err();
    assert_eq!(code(&missing), "TG-4101");
    assert!(missing.to_string().ends_with("; there are: mysql, dispatcher, print, blackhole"), "{missing}");
    assert_eq!(code(&get("../mine", Kind::Sink, None).await.unwrap_err()), "TG-4101", "names are no paths");

    let file = folder.path().join("mine.wasm");
    std::fs::write(&file, "no component").unwrap();
    let bad = get("mine", Kind::Sink, None).await.unwrap_err();
    assert_eq!(code(&bad), "TG-2001");
    assert!(bad.to_string().starts_with("plugin `mine`: "), "{bad}");

    std::fs::write(&file, tg_builtin::by_name("blackhole").unwrap()).unwrap();
    let mine = get("mine", Kind::Sink, Some(&format!("sha256:{}", built_in.digest()))).await.unwrap();
    assert_eq!(mine.digest(), built_in.digest());
    let wrong = get("mine", Kind::Sink, Some("sha256:00")).await.unwrap_err();
    assert_eq!(code(&wrong), "TG-4106");

    std::fs::write(&file, tg_builtin::by_name("print").unwrap()).unwrap();
    assert_ne!(
        get("mine", Kind::Sink, None).await.unwrap().digest(),
        built_in.digest(),
        "a replaced file is read anew"
    );
}
