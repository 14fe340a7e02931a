//! Compiles guests from a build script, and writes the constants that hold them.

use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "wasm32-wasip2";
/// What the outer build was told about the host's compiler does not hold for guests.
const REMOVED: &[&str] =
    &["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "CARGO_BUILD_TARGET"];

/// A guest: the constant it becomes, what it is, and its file below the profile's directory.
pub(crate) struct Guest {
    pub(crate) constant: &'static str,
    pub(crate) name: &'static str,
    pub(crate) file: String,
}

pub(crate) fn var(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|e| fail(&format!("{name}: {e}")))
}

fn fail(why: &str) -> ! {
    println!("cargo::error={why}");
    std::process::exit(1)
}

/// A target directory of the guests' own: the outer cargo holds the lock of the usual one.
fn cargo_build(root: &Path, target_dir: &Path, what: &[&str], offline: bool) -> Result<(), String> {
    let mut cargo = Command::new(var("CARGO"));
    cargo.current_dir(root).args(["build", "--locked", "--profile", "guest", "--target", TARGET]);
    cargo.arg("--target-dir").arg(target_dir).args(what);
    if offline {
        cargo.arg("--offline");
    }
    for name in REMOVED {
        cargo.env_remove(name);
    }
    match cargo.output() {
        Ok(out) if out.status.success() => Ok(()),
        Ok(out) => Err(String::from_utf8_lossy(&out.stderr).replace('\n', " | ")),
        Err(e) => Err(format!("cargo could not be started: {e}")),
    }
}

/// One for all crates that compile guests, beside the build scripts' own folders: what guests share is compiled once. What comes out of
/// it is copied at once, since another checkout may use the same target directory.
fn shared_target_dir(out: &Path) -> PathBuf {
    out.ancestors().find(|dir| dir.ends_with("build")).and_then(Path::parent).unwrap_or(out).join("guests")
}

/// Compiles `what` (arguments of `cargo build`) and writes `guests.rs` with a constant for each guest. Offline first, because
/// a build script is not told whether the outer cargo is; with the network only where that is allowed.
pub(crate) fn build(watched: &[&str], what: &[&str], guests: &[Guest]) {
    let root = PathBuf::from(var("CARGO_MANIFEST_DIR")).join("../..");
    for path in watched {
        println!("cargo::rerun-if-changed={}", root.join(path).display());
    }
    let out = PathBuf::from(var("OUT_DIR"));
    let target_dir = shared_target_dir(&out);
    let offline_only = std::env::var("CARGO_NET_OFFLINE").is_ok_and(|v| v == "true");
    let built = match cargo_build(&root, &target_dir, what, true) {
        Err(_) if !offline_only => cargo_build(&root, &target_dir, what, false),
        other => other,
    };
    if let Err(why) = built {
        fail(&format!("the guests do not compile: {why}"));
    }
    let mut code = String::new();
    for Guest { constant, name, file } in guests {
        let from = target_dir.join(TARGET).join("guest").join(file);
        let path = out.join(from.file_name().unwrap_or_default()).display().to_string();
        if let Err(e) = std::fs::copy(&from, &path) {
            fail(&format!("{file} could not be kept: {e}"));
        }
        code.push_str(&format!(
            "/// The component of `{name}`.\npub const {constant}: &[u8] = include_bytes!({path:?});\n"
        ));
    }
    if let Err(e) = std::fs::write(out.join("guests.rs"), code) {
        fail(&format!("guests.rs could not be written: {e}"));
    }
}
