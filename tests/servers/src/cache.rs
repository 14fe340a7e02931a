//! Servers are fetched once per machine and kept where the other scripts keep what outlives a clone.

use anyhow::{Context, bail};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Folder of what outlives a clone.
const CACHE_ENV: &str = "TIDEGATE_CACHE";

fn cache() -> anyhow::Result<PathBuf> {
    if let Some(path) = std::env::var_os(CACHE_ENV) {
        return Ok(path.into());
    }
    let home = std::env::var_os("HOME").with_context(|| format!("neither {CACHE_ENV} nor HOME is set"))?;
    Ok(Path::new(&home).join(".cache/tidegate"))
}

/// The folder `name` of the cache, filled by `fill` when it is not there. Only one process fills; the others wait.
/// `fill` gets an empty folder, which appears under its name when it is whole.
pub(crate) fn fetched(name: &str, fill: impl FnOnce(&Path) -> anyhow::Result<()>) -> anyhow::Result<PathBuf> {
    let cache = cache()?;
    let folder = cache.join(name);
    std::fs::create_dir_all(&cache).with_context(|| format!("making {}", cache.display()))?;
    let lock = File::create(cache.join(format!("{name}.lock")))?;
    lock.lock().with_context(|| format!("waiting for another process that fetches {name}"))?;
    if folder.exists() {
        return Ok(folder);
    }
    let part = cache.join(format!("{name}.part"));
    if part.exists() {
        std::fs::remove_dir_all(&part)?;
    }
    std::fs::create_dir_all(&part)?;
    eprintln!("fetching {name} once; kept in {}", folder.display());
    fill(&part).with_context(|| format!("fetching {name}"))?;
    std::fs::rename(&part, &folder)?;
    Ok(folder)
}

/// Runs a tool to its end; `package` is what to install when it is missing.
pub(crate) fn run(command: &mut Command, package: &str) -> anyhow::Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("running `{program}`: install {package}"))?;
    if !output.status.success() {
        let said = [output.stdout, output.stderr].concat();
        bail!("`{program}` failed:\n{}", String::from_utf8_lossy(&said));
    }
    Ok(())
}
