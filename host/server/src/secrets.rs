//! Secrets that a changefeed's file names: from the file itself, a folder of the server, or the server's environment.

use crate::ServerError;
use std::collections::BTreeMap;
use std::path::Path;
use tg_config::Secret;
use tg_config::changefeed::SecretGrant;

/// Largest file that is read as a secret.
const FILE_MAX_BYTES: u64 = 64 << 10;

/// Reads every secret of a changefeed.
pub(crate) fn read(
    grants: &BTreeMap<String, SecretGrant>,
    folder: &Path,
) -> Result<BTreeMap<String, Secret>, ServerError> {
    grants.iter().map(|(name, grant)| Ok((name.clone(), one(name, grant, folder)?))).collect()
}

fn one(name: &str, grant: &SecretGrant, folder: &Path) -> Result<Secret, ServerError> {
    let failed = |reason: String| ServerError::Secret { name: name.to_owned(), reason };
    if let Some(value) = &grant.value {
        return Ok(value.clone());
    }
    if let Some(variable) = &grant.env {
        let found = std::env::var(variable);
        return found
            .map(Secret::new)
            .map_err(|_| failed(format!("the server has no environment variable {variable}")));
    }
    let file = folder.join(grant.file.as_deref().unwrap_or_default());
    let shown = file.display();
    let length = std::fs::metadata(&file).map_err(|e| failed(format!("{shown}: {e}")))?.len();
    if length > FILE_MAX_BYTES {
        return Err(failed(format!("{shown} has {length} bytes; at most {FILE_MAX_BYTES}")));
    }
    let text = std::fs::read_to_string(&file).map_err(|e| failed(format!("{shown}: {e}")))?;
    Ok(Secret::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}

/// `text` with every `${NAME}` replaced by the secret of that name. The configuration's check has seen that there are such.
pub(crate) fn filled(text: &str, secrets: &BTreeMap<String, Secret>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        let Some((name, tail)) = after.split_once('}') else {
            out.push_str("${");
            rest = after;
            continue;
        };
        out.push_str(secrets.get(name).map(Secret::expose).unwrap_or_default());
        rest = tail;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::{filled, read};
    use std::collections::BTreeMap;
    use tg_config::Secret;
    use tg_config::changefeed::SecretGrant;
    use tg_model::Coded;

    #[test]
    fn a_secret_comes_from_the_file_or_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("b"), "hunter3\r\n").unwrap();
        let value = SecretGrant { value: Some(Secret::new("hunter2".to_owned())), ..SecretGrant::default() };
        let file = SecretGrant { file: Some("b".to_owned()), ..SecretGrant::default() };
        let grants = BTreeMap::from([("a".to_owned(), value), ("b".to_owned(), file)]);
        let secrets = read(&grants, folder.path()).unwrap();
        assert_eq!(filled("Bearer ${a} ${b}${", &secrets), "Bearer hunter2 hunter3${");

        for missing in [
            SecretGrant { file: Some("c".to_owned()), ..SecretGrant::default() },
            SecretGrant { env: Some("TIDEGATE_SECRET_NOBODY_SETS".to_owned()), ..SecretGrant::default() },
        ] {
            let error = read(&BTreeMap::from([("x".to_owned(), missing)]), folder.path()).unwrap_err();
            assert_eq!(error.code().to_string(), "TG-4108");
            assert!(error.to_string().starts_with("the secret `x`"), "{error}");
        }
    }
}
