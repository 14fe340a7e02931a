//! What a plugin says of itself.

use crate::Attrs;

/// A capability the plugin asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Capability {
    /// Name of the interface, for example `sql`.
    pub name: String,
    /// Without it the plugin does not start.
    pub required: bool,
    /// What it is needed for, for the operator who grants it.
    pub reason: String,
}

impl Capability {
    /// A capability without which the plugin does not start.
    #[must_use]
    pub fn required(name: &str, reason: &str) -> Self {
        Self { name: name.into(), required: true, reason: reason.into() }
    }
}

/// What a plugin says of itself before anything else runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Manifest {
    /// Name in lower case.
    pub name: String,
    /// Version of the plugin.
    pub version: String,
    /// JSON Schema of the configuration; empty: takes none.
    pub config_schema: String,
    /// What it asks for.
    pub capabilities: Vec<Capability>,
    /// Highest TGR1 minor this build knows.
    pub tgr_minor: u32,
    /// For growth.
    pub attrs: Attrs,
}

impl Manifest {
    /// A manifest without configuration and capabilities.
    #[must_use]
    pub fn new(name: &str, version: &str) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            config_schema: String::new(),
            capabilities: Vec::new(),
            tgr_minor: 0,
            attrs: Vec::new(),
        }
    }
}
