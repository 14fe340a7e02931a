//! Keys and signatures of components. Nothing here asks a server.

use crate::{CliError, Terminal};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use tg_signature::SigningKey;

pub(crate) fn keygen(terminal: &mut Terminal<'_>, as_json: bool, file: &Path) -> Result<(), CliError> {
    let key = SigningKey::generate()?;
    let failed = |e: std::io::Error| CliError::BadArgument { flag: "FILE", reason: format!("{}: {e}", file.display()) };
    private_file(file).and_then(|mut out| writeln!(out, "{}", key.expose())).map_err(failed)?;
    let public = key.public().to_string();
    if as_json {
        return terminal.json(&json!({ "public_key": public, "file": file.display().to_string() }));
    }
    terminal.say(&public)?;
    let told = "The private key is in {}; keep it. Servers trust the line above in `[plugins] trusted-keys`.";
    writeln!(terminal.err, "{}", told.replace("{}", &file.display().to_string()))?;
    Ok(())
}

/// A new file that its owner alone can read.
fn private_file(file: &Path) -> std::io::Result<std::fs::File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)
}

pub(crate) fn sign(
    terminal: &mut Terminal<'_>,
    as_json: bool,
    component: &Path,
    key_file: &Path,
    out: Option<PathBuf>,
) -> Result<(), CliError> {
    let failed = |flag: &'static str, file: &Path, e: &std::io::Error| CliError::BadArgument {
        flag,
        reason: format!("{}: {e}", file.display()),
    };
    let key = std::fs::read_to_string(key_file).map_err(|e| failed("--key-file", key_file, &e))?;
    let key = SigningKey::parse(&key)?;
    let bytes = std::fs::read(component).map_err(|e| failed("COMPONENT", component, &e))?;
    let digest: [u8; 32] = Sha256::digest(&bytes).into();
    let signature = key.sign(&digest).to_string();
    let out = out.unwrap_or_else(|| PathBuf::from(format!("{}.sig", component.display())));
    std::fs::write(&out, format!("{signature}\n")).map_err(|e| failed("--out", &out, &e))?;
    if as_json {
        return terminal.json(&json!({ "signature": signature, "file": out.display().to_string() }));
    }
    terminal.say(&format!("Signed {} as {}; the signature is in {}.", component.display(), key.public(), out.display()))
}
