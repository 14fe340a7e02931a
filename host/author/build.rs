//! Takes the SDKs, their templates and the contract into the crate, so that a plugin can be begun and built anywhere.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Languages that have an SDK, as their folders are named.
const LANGUAGES: &[&str] = &["rust", "go", "python", "js", "c"];
/// Folders that are not needed for building a plugin.
const LEFT_OUT: &[&str] =
    &["target", "node_modules", "__pycache__", "tests", "test", "benches", "example", "examples", "build", "dist"];
/// Ends of names of files that are not needed.
const FILES_LEFT_OUT: &[&str] = &[".wasm", ".pyc", "_test.go", ".lock"];
/// Tables of the workspace that the vendored crates inherit from.
const INHERITED: &[&str] =
    &["[workspace.package]", "[workspace.dependencies]", "[workspace.lints.rust]", "[workspace.lints.clippy]"];

fn fail(why: &str) -> ! {
    println!("cargo::error={why}");
    std::process::exit(1)
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| fail(&format!("{}: {e}", path.display())))
}

/// Files below a folder in order, those that are left out excepted.
fn files(folder: &Path, out: &mut Vec<PathBuf>) {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut entries: Vec<_> = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let template = folder.components().any(|c| c.as_os_str() == "template");
        if path.is_dir() {
            // Of a template everything is wanted, its tests too.
            if template || !LEFT_OUT.contains(&name.as_str()) {
                files(&path, out);
            }
        } else if !FILES_LEFT_OUT.iter().any(|end| name.ends_with(end)) {
            out.push(path);
        }
    }
}

/// The workspace of the vendored crates: what they inherit of ours.
fn workspace(root: &Path, manifests: &[PathBuf]) -> String {
    let inherited = |line: &str| line.trim().strip_suffix(".workspace = true").map(str::to_owned);
    let wanted: BTreeSet<String> =
        manifests.iter().flat_map(|m| read(m).lines().filter_map(inherited).collect::<Vec<_>>()).collect();
    let mut out = "[workspace]\nresolver = \"3\"\nmembers = [\"sdk/rust/*\"]\n".to_owned();
    let mut table = "";
    let text = read(&root.join("Cargo.toml"));
    for line in text.lines() {
        if line.starts_with('[') {
            table = INHERITED.iter().copied().find(|t| *t == line).unwrap_or_default();
            if !table.is_empty() {
                let _ = write!(out, "\n{table}\n");
            }
            continue;
        }
        let name = line.split_whitespace().next().unwrap_or_default();
        let kept = table != "[workspace.dependencies]" || wanted.contains(name);
        if !table.is_empty() && !line.is_empty() && !line.starts_with('#') && kept {
            let _ = writeln!(out, "{line}");
        }
    }
    out
}

fn main() {
    let var = |name: &str| std::env::var(name).unwrap_or_else(|e| fail(&format!("{name}: {e}")));
    let root = PathBuf::from(var("CARGO_MANIFEST_DIR")).join("../..");
    let root = root.canonicalize().unwrap_or_else(|e| fail(&e.to_string()));
    println!("cargo::rerun-if-changed={}", root.join("Cargo.toml").display());
    let mut all = Vec::new();
    files(&root.join("wit"), &mut all);
    files(&root.join("sdk/tools"), &mut all);
    for language in LANGUAGES {
        files(&root.join("sdk").join(language), &mut all);
    }
    let manifests: Vec<_> = all
        .iter()
        .filter(|p| p.ends_with("Cargo.toml") && !p.to_string_lossy().contains("/template/"))
        .cloned()
        .collect();
    let mut code = "static FILES: &[(&str, &[u8])] = &[\n".to_owned();
    for path in &all {
        let name = path.strip_prefix(&root).unwrap_or(path).display().to_string();
        let _ = writeln!(code, "    ({name:?}, include_bytes!({:?})),", path.display().to_string());
    }
    code.push_str("];\n");
    let _ = writeln!(code, "const WORKSPACE: &str = {:?};", workspace(&root, &manifests));
    let out = PathBuf::from(var("OUT_DIR")).join("embedded.rs");
    std::fs::write(&out, code).unwrap_or_else(|e| fail(&format!("{}: {e}", out.display())));
}
