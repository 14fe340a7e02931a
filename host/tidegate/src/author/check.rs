//! `tidegate plugin check`.

use super::{CommandError, find, paint, say, say_json};
use std::path::Path;
use tg_kit::{KitError, Looked, Weight, look};

/// Looks the component over and prints what there is to see; fails when something will not work.
pub(super) async fn run(path: &Path, json: bool) -> Result<(), CommandError> {
    let found = find(path)?;
    let settings = found.settings(None, None)?;
    let (subject, bytes) = found.load(settings).await?;
    let looked = look(&subject, bytes);
    if json {
        say_json(&looked);
    } else {
        print(&looked);
    }
    let problems = looked.remarks.iter().filter(|r| r.weight == Weight::Problem).count();
    if looked.has_problem() {
        return Err(KitError::Failed { failed: problems, all: problems }.into());
    }
    Ok(())
}

fn print(looked: &Looked) {
    say(&format!("{} {} ({})", paint("1", &looked.name), looked.version, looked.kind));
    say(&format!("  digest    sha256:{}", looked.digest));
    say(&format!("  size      {} KiB", looked.bytes >> 10));
    say(&format!("  rows      TGR1 minor {}", looked.tgr_minor));
    for (i, import) in looked.imports.iter().enumerate() {
        say(&format!("  {:<9} {import}", if i == 0 { "imports" } else { "" }));
    }
    for (i, c) in looked.capabilities.iter().enumerate() {
        let must = if c.required { "required" } else { "optional" };
        say(&format!("  {:<9} {} ({must}): {}", if i == 0 { "asks for" } else { "" }, c.name, c.reason));
    }
    let config = if looked.config_schema.is_empty() { "takes none" } else { "has a schema" };
    say(&format!("  config    {config}"));
    for remark in &looked.remarks {
        let mark = match remark.weight {
            Weight::Problem => paint("1;31", "problem"),
            Weight::Hint => paint("33", "hint"),
        };
        say(&format!("  {mark}: {}", remark.text));
    }
    if looked.remarks.is_empty() {
        say(&format!("  {} nothing to remark", paint("32", "✓")));
    }
}
