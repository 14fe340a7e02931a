//! Looking a component over without running rows through it.

use crate::run::kind_name;
use crate::subject::Subject;
use serde::Serialize;
use std::sync::Arc;
use tg_model::Coded;
use tg_plugin::Kind;

use crate::world::World;

/// Bytes above which loading takes long enough to be noticed.
const LARGE_BYTES: usize = 8 << 20;
/// Capabilities that the host always has.
const ALWAYS: [&str; 7] = ["types", "rows", "session", "log", "metrics", "state", "clock"];

/// How much a remark matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    /// It will not work as it is.
    Problem,
    /// It may be meant so.
    Hint,
}

/// Something to look at.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Remark {
    /// How much it matters.
    pub weight: Weight,
    /// What it is, and what to do about it.
    pub text: String,
}

/// A capability the plugin asks for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Asked {
    /// Name.
    pub name: String,
    /// It does not start without.
    pub required: bool,
    /// What for.
    pub reason: String,
}

/// What there is to see.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Looked {
    /// Name in the manifest.
    pub name: String,
    /// Version in the manifest.
    pub version: String,
    /// `sink`, `dispatcher` or `transform`.
    pub kind: &'static str,
    /// SHA-256 in hex.
    pub digest: String,
    /// Size of the component.
    pub bytes: usize,
    /// Interfaces it imports.
    pub imports: Vec<String>,
    /// What it asks for.
    pub capabilities: Vec<Asked>,
    /// JSON Schema of its configuration; empty: it takes none.
    pub config_schema: String,
    /// Highest minor version of the row format it knows.
    pub tgr_minor: u32,
    /// What to look at.
    pub remarks: Vec<Remark>,
}

impl Looked {
    /// Whether something will not work.
    #[must_use]
    pub fn has_problem(&self) -> bool {
        self.remarks.iter().any(|r| r.weight == Weight::Problem)
    }
}

/// Looks a component of so many bytes over.
#[must_use]
pub fn look(subject: &Subject, bytes: usize) -> Looked {
    let manifest = subject.plugin.manifest();
    let asked =
        |c: &tg_plugin::Capability| Asked { name: c.name.clone(), required: c.required, reason: c.reason.clone() };
    let mut looked = Looked {
        name: manifest.name.clone(),
        version: manifest.version.clone(),
        kind: kind_name(subject.kind()),
        digest: subject.plugin.digest().to_owned(),
        bytes,
        imports: subject.plugin.imports().to_vec(),
        capabilities: manifest.capabilities.iter().map(asked).collect(),
        config_schema: manifest.config_schema.clone(),
        tgr_minor: manifest.tgr_minor,
        remarks: Vec::new(),
    };
    looked.remarks = remarks(subject, &looked);
    looked
}

/// The capability that an import stands for; `None`: it is none of the contract's.
fn capability(import: &str) -> Option<&str> {
    import.strip_prefix("tidegate:plugin/")?.split('@').next()
}

fn remarks(subject: &Subject, looked: &Looked) -> Vec<Remark> {
    let mut out = Vec::new();
    let mut say = |weight, text: String| out.push(Remark { weight, text });
    let imported: Vec<&str> = looked.imports.iter().filter_map(|i| capability(i)).collect();
    for name in imported.iter().filter(|n| !ALWAYS.contains(n)) {
        if !looked.capabilities.iter().any(|c| c.name == **name) {
            let text =
                format!("it imports `{name}` and its manifest does not ask for it: nobody will know to grant it");
            say(Weight::Problem, text);
        }
    }
    for c in &looked.capabilities {
        if !imported.contains(&c.name.as_str()) {
            say(Weight::Hint, format!("its manifest asks for `{}`, which it does not import", c.name));
        }
    }
    if subject.kind() != Kind::Sink {
        for import in &looked.imports {
            let varies = ["wasi:random/", "wasi:clocks/"].iter().any(|w| import.starts_with(w));
            if varies || capability(import) == Some("clock") {
                let text =
                    format!("it imports `{import}`: an answer that depends on it changes from instance to instance");
                say(Weight::Hint, text);
            }
        }
    }
    let schema = &looked.config_schema;
    if !schema.is_empty() && !serde_json::from_str::<serde_json::Value>(schema).is_ok_and(|v| v.is_object()) {
        say(Weight::Problem, "the schema of its configuration is no JSON object".to_owned());
    }
    let mut version = looked.version.split('.');
    let numbers = version.by_ref().take(2).all(|n| n.parse::<u64>().is_ok());
    if !numbers || looked.version.split('.').count() < 3 {
        say(
            Weight::Hint,
            format!("its version `{}` is not of the form 1.2.3, so versions do not order", looked.version),
        );
    }
    if looked.bytes > LARGE_BYTES {
        let text = format!("it has {} MiB: the first load compiles for seconds", looked.bytes >> 20);
        say(Weight::Hint, text);
    }
    let spec = subject.spec(0, 1, Some(&Arc::new(World::forgetful())));
    if let Err(e) = subject.plugin.check(&spec.config, &spec.grants) {
        say(Weight::Problem, format!("with the settings here it does not start ({}): {e}", e.code()));
    }
    out
}
