//! What is kept in the binary: SDKs, templates, the contract.

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// Where the SDK and the contract stand in a plugin's folder.
pub(crate) const VENDOR: &str = "vendor/tidegate";

/// Files of a template, with their paths below it.
pub(crate) fn template(language: &str, kind: &str) -> Vec<(&'static str, &'static [u8])> {
    let prefix = format!("sdk/{language}/template/{kind}/");
    FILES.iter().filter_map(|(path, data)| Some((path.strip_prefix(&prefix)?, *data))).collect()
}

/// What a plugin of a language is built with, with paths below the vendor folder.
pub(crate) fn vendored(language: &str) -> Vec<(String, Vec<u8>)> {
    let own = format!("sdk/{language}/");
    let templates = format!("sdk/{language}/template/");
    let wanted = |path: &str| {
        (path.starts_with(&own) && !path.starts_with(&templates))
            || path.starts_with("wit/")
            || (language != "rust" && path.starts_with("sdk/tools/"))
    };
    let mut out: Vec<_> =
        FILES.iter().filter(|(path, _)| wanted(path)).map(|(path, data)| ((*path).to_owned(), data.to_vec())).collect();
    if language == "rust" {
        out.push(("Cargo.toml".to_owned(), WORKSPACE.as_bytes().to_vec()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{WORKSPACE, template, vendored};

    #[test]
    fn the_rust_sdk_is_there_with_its_workspace() {
        let files = vendored("rust");
        for wanted in ["Cargo.toml", "wit/tidegate.wit", "sdk/rust/tidegate-sdk/src/lib.rs", "sdk/rust/tgr1/Cargo.toml"]
        {
            assert!(files.iter().any(|(path, _)| path == wanted), "{wanted}");
        }
        assert!(files.iter().all(|(path, _)| !path.contains("/tests/") && !path.contains("template")));
        for wanted in ["wit-bindgen = ", "thiserror = ", "edition = \"2024\"", "unsafe_code = "] {
            assert!(WORKSPACE.contains(wanted), "{wanted}");
        }
        assert!(!WORKSPACE.contains("wasmtime"));
        for kind in ["sink", "dispatcher", "transform"] {
            assert!(template("rust", kind).iter().any(|(path, _)| *path == "src/lib.rs"), "{kind}");
        }
    }
}
