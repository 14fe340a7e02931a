//! Programs the tests need and cargo does not build for them.

use anyhow::{Context, bail, ensure};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Names a ready upstream binary, which is then used as it is.
const UPSTREAM_ENV: &str = "TIDEGATE_UPSTREAM_TIDB";
/// Names a ready product binary.
const TIDEGATE_ENV: &str = "TIDEGATE_BIN";
/// Folder of what outlives a clone; the scripts that set a machine up use it too.
const CACHE_ENV: &str = "TIDEGATE_CACHE";

/// The binary of the upstream, built when its sources were not built before on this machine.
pub(crate) fn upstream_tidb() -> anyhow::Result<PathBuf> {
    if let Some(path) = std::env::var_os(UPSTREAM_ENV) {
        return Ok(path.into());
    }
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../upstream-tidb");
    let files = source_files(&sources)?;
    let folder = cache()?.join(format!("upstream-tidb-{}", digest(&files)?));
    let binary = folder.join("upstream-tidb");
    std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    // Tests run in several processes: one builds, the others wait here.
    let lock = File::create(folder.join("lock"))?;
    lock.lock().context("waiting for another build")?;
    if !binary.exists() {
        go_build(&files, &folder, &binary)?;
    }
    Ok(binary)
}

fn cache() -> anyhow::Result<PathBuf> {
    if let Some(path) = std::env::var_os(CACHE_ENV) {
        return Ok(path.into());
    }
    let home = std::env::var_os("HOME").with_context(|| format!("neither {CACHE_ENV} nor HOME is set"))?;
    Ok(Path::new(&home).join(".cache/tidegate"))
}

fn source_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    let mut files: Vec<PathBuf> = entries.map(|e| e.map(|e| e.path())).collect::<Result<_, _>>()?;
    files.retain(|f| f.extension().is_some_and(|e| ["go", "mod", "sum"].iter().any(|known| e == *known)));
    files.sort();
    ensure!(!files.is_empty(), "no sources in {}", folder.display());
    Ok(files)
}

fn digest(files: &[PathBuf]) -> anyhow::Result<String> {
    let mut hash = Sha256::new();
    for file in files {
        let text = std::fs::read(file).with_context(|| format!("reading {}", file.display()))?;
        hash.update(file.file_name().unwrap_or_default().as_encoded_bytes());
        hash.update(text.len().to_le_bytes());
        hash.update(text);
    }
    let mut name = hex::encode(hash.finalize());
    name.truncate(16);
    Ok(name)
}

/// Builds from a copy, because Go may complete `go.mod` and the clone is to stay as it is.
fn go_build(files: &[PathBuf], folder: &Path, binary: &Path) -> anyhow::Result<()> {
    let copy = folder.join("source");
    std::fs::create_dir_all(&copy)?;
    for file in files {
        std::fs::copy(file, copy.join(file.file_name().unwrap_or_default()))?;
    }
    eprintln!("building upstream-tidb once (minutes); kept in {}", folder.display());
    let new = folder.join("upstream-tidb.new");
    let output = Command::new("go")
        .args(["build", "-ldflags=-s -w", "-o"])
        .arg(&new)
        .arg(".")
        .current_dir(&copy)
        .envs([("GOFLAGS", "-mod=mod -buildvcs=false"), ("GONOSUMDB", "*"), ("CGO_ENABLED", "0")])
        .output()
        .context("`go` is missing: install Go 1.25 or newer (https://go.dev/dl, or Debian's package golang-go)")?;
    if !output.status.success() {
        bail!("building upstream-tidb failed:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    std::fs::rename(&new, binary)?;
    Ok(())
}

/// The binary of the product: the one cargo made beside the running test, which a test of the whole workspace
/// does first; it is built when it is not there.
pub(crate) fn tidegate() -> anyhow::Result<PathBuf> {
    if let Some(path) = std::env::var_os(TIDEGATE_ENV) {
        return Ok(path.into());
    }
    let test = std::env::current_exe().context("finding the running test")?;
    let profile = test.ancestors().nth(2).context("the test lies in no target folder")?;
    let binary = profile.join("tidegate");
    let lock = File::create(profile.join("tidegate.lock"))?;
    lock.lock().context("waiting for another build")?;
    if !binary.exists() {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(["build", "--locked", "-p", "tidegate"]).current_dir(env!("CARGO_MANIFEST_DIR"));
        if profile.ends_with("release") {
            command.arg("--release");
        }
        let status = command.status().context("running cargo")?;
        ensure!(status.success(), "`cargo build -p tidegate` failed");
    }
    Ok(binary)
}
