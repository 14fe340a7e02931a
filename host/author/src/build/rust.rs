//! Rust: cargo, for WebAssembly's second preview of WASI.

use super::{run, words};
use crate::AuthorError;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What components are compiled for.
const TARGET: &str = "wasm32-wasip2";
const CARGO_HOW: &str = "install Rust by https://rustup.rs";

/// Builds the crate and copies its component.
pub(super) fn build(folder: &Path, component: &Path) -> Result<(), AuthorError> {
    check_target(folder)?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| folder.join("target"), PathBuf::from);
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--target", TARGET, "--quiet", "--manifest-path"]);
    cargo.arg(folder.join("Cargo.toml")).arg("--target-dir").arg(&target).current_dir(folder);
    // What an outer build was told about the host's compiler does not hold for a component.
    for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WRAPPER", "CARGO_BUILD_TARGET"] {
        cargo.env_remove(name);
    }
    let output = run(&mut cargo, "cargo", CARGO_HOW)?;
    if !output.status.success() {
        return Err(AuthorError::Build { path: folder.display().to_string(), output: words(&output) });
    }
    let release = target.join(TARGET).join("release");
    let named = package(folder).map(|name| release.join(format!("{}.wasm", name.replace('-', "_"))));
    let made = named
        .filter(|p| p.exists())
        .or_else(|| newest(&release))
        .ok_or_else(|| AuthorError::Build { path: folder.display().to_string(), output: NO_COMPONENT.to_owned() })?;
    let copied = std::fs::copy(&made, component);
    copied.map_err(|e| AuthorError::system(format!("cannot write {}", component.display()), &e)).map(|_| ())
}

const NO_COMPONENT: &str =
    "cargo made no .wasm: the library's Cargo.toml needs `crate-type = [\"cdylib\"]` below [lib]";

/// Whether the compiler has the target; says what to do when not.
fn check_target(folder: &Path) -> Result<(), AuthorError> {
    let mut rustc = Command::new("rustc");
    let output = run(rustc.args(["--print", "sysroot"]).current_dir(folder), "rustc", CARGO_HOW)?;
    let sysroot = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    // A toolchain file that asks for the target makes rustup fetch it.
    if output.status.success() && !sysroot.join("lib/rustlib").join(TARGET).exists() {
        let (tool, how) = (format!("Rust's target {TARGET}"), format!("run `rustup target add {TARGET}`"));
        return Err(AuthorError::Missing { tool, how });
    }
    Ok(())
}

/// The crate's name: the first `name` of its manifest.
fn package(folder: &Path) -> Option<String> {
    let text = std::fs::read_to_string(folder.join("Cargo.toml")).ok()?;
    let line = text.lines().find_map(|l| l.trim().strip_prefix("name")?.trim().strip_prefix('='))?;
    Some(line.trim().trim_matches('"').to_owned())
}

/// The component that was made last.
fn newest(folder: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?.flatten().map(|e| e.path());
    let wasm = entries.filter(|p| p.extension().is_some_and(|e| e == "wasm"));
    wasm.max_by_key(|p| p.metadata().and_then(|m| m.modified()).ok())
}
