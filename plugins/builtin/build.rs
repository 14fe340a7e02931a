//! Compiles the guests that are shipped in the binary.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Package and the constant it becomes.
const GUESTS: &[(&str, &str)] = &[
    ("tg-plugin-mysql", "MYSQL"),
    ("tg-plugin-dispatcher", "DISPATCHER"),
    ("tg-plugin-print", "PRINT"),
    ("tg-plugin-blackhole", "BLACKHOLE"),
];
const TARGET: &str = "wasm32-wasip2";
const WATCHED: &[&str] = &[
    "wit",
    "sdk/rust",
    "plugins/mysql/src",
    "plugins/mysql/Cargo.toml",
    "plugins/dispatcher",
    "plugins/print",
    "plugins/blackhole",
];

fn var(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|e| fail(&format!("{name}: {e}")))
}

fn fail(why: &str) -> ! {
    println!("cargo::error={why}");
    std::process::exit(1)
}

/// What the outer build was told about the host's compiler does not hold for guests.
const REMOVED: &[&str] =
    &["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "CARGO_BUILD_TARGET"];

/// A target directory of its own: the outer cargo holds the lock of the usual one.
fn cargo_build(root: &Path, target_dir: &Path, offline: bool) -> Result<(), String> {
    let mut cargo = Command::new(var("CARGO"));
    cargo.current_dir(root).args(["build", "--locked", "--profile", "guest", "--target", TARGET]);
    cargo.arg("--target-dir").arg(target_dir);
    if offline {
        cargo.arg("--offline");
    }
    for (package, _) in GUESTS {
        cargo.args(["-p", package]);
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

/// Offline first, because a build script is not told whether the outer cargo is; with the network only where that is allowed.
fn compile(root: &Path, target_dir: &Path) {
    let offline_only = std::env::var("CARGO_NET_OFFLINE").is_ok_and(|v| v == "true");
    let built = match cargo_build(root, target_dir, true) {
        Err(_) if !offline_only => cargo_build(root, target_dir, false),
        other => other,
    };
    if let Err(why) = built {
        fail(&format!("the guests do not compile: {why}"));
    }
}

fn main() {
    let root = PathBuf::from(var("CARGO_MANIFEST_DIR")).join("../..");
    for path in WATCHED {
        println!("cargo::rerun-if-changed={}", root.join(path).display());
    }
    let out = PathBuf::from(var("OUT_DIR"));
    let target_dir = out.join("guests");
    compile(&root, &target_dir);
    let mut code = String::new();
    for (package, name) in GUESTS {
        let file = target_dir.join(TARGET).join("guest").join(format!("{}.wasm", package.replace('-', "_")));
        code.push_str(&format!(
            "/// The component of `{package}`.\npub const {name}: &[u8] = include_bytes!({:?});\n",
            file.display().to_string()
        ));
    }
    if let Err(e) = std::fs::write(out.join("guests.rs"), code) {
        fail(&format!("guests.rs could not be written: {e}"));
    }
}
