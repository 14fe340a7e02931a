//! What can go wrong with plugins before one runs.

use crate::Digest;
use tg_metastore::MetaError;
use tg_model::{Code, Coded};
use tg_plugin::PluginError;
use tg_signature::SignatureError;

/// Why a plugin is not to be had, or a change of the registry was refused.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "fields are named in the messages")]
pub enum RegistryError {
    /// A name, version or digest that cannot be one.
    #[error("`{text}` does not name a plugin: {reason}; write `name`, `name@version` or `sha256:…`")]
    BadName { text: String, reason: String },
    /// No such name.
    #[error(
        "there is no plugin `{name}` in this build, in the registry or as {name}.wasm in {folder}{hint}; there are: {known}"
    )]
    Unknown { name: String, folder: String, hint: String, known: String },
    /// No such version.
    #[error("plugin `{name}` has no version `{version}`; it has: {known}")]
    UnknownVersion { name: String, version: String, known: String },
    /// No version has these bytes.
    #[error("no plugin has the digest {digest}")]
    UnknownDigest { digest: Digest },
    /// A file of the folder that cannot be read.
    #[error("the plugin file {path} cannot be read: {reason}")]
    File { path: String, reason: String },
    /// Other bytes than agreed.
    #[error("plugin `{name}` has the digest {found}, not {wanted} as the changefeed says")]
    WrongDigest { name: String, wanted: String, found: Digest },
    /// A built-in's name.
    #[error(
        "`{name}` is built in: its name cannot be given to another plugin, and it cannot be removed or rolled back"
    )]
    Builtin { name: String },
    /// The version has other bytes.
    #[error("plugin `{name}` has a version `{version}` already, with other bytes ({found})")]
    VersionTaken { name: String, version: String, found: Digest },
    /// Somebody uses it.
    #[error("plugin {plugin} is used by {users}")]
    InUse { plugin: String, users: String },
    /// Too many bytes.
    #[error("the component has {size_bytes} bytes; this server takes at most {limit_bytes}")]
    TooLarge { size_bytes: usize, limit_bytes: usize },
    /// A signature is needed.
    #[error(
        "plugin `{name}` is not signed, and this server takes only what one of its {trusted} trusted keys has signed"
    )]
    Unsigned { name: String, trusted: usize },
    /// A signature that does not hold.
    #[error("plugin `{name}`: {source}")]
    Signature { name: String, source: SignatureError },
    /// A signed component under another name.
    #[error(
        "the component says it is {found}, not {wanted}: where signatures are checked, what was signed decides the name"
    )]
    Renamed { found: String, wanted: String },
    /// Bytes on disk that are not what they were.
    #[error("the stored component {digest} is damaged: it has the digest {found}")]
    Damaged { digest: Digest, found: Digest },
    /// Bytes nobody has.
    #[error("the bytes of {plugin} ({digest}) are not on this node, and could not be had: {tried}")]
    NoBytes { plugin: String, digest: Digest, tried: String },
    /// The disk.
    #[error("cannot {what} {path}: {reason}")]
    Disk { what: &'static str, path: String, reason: String },
    /// No version to go back to.
    #[error("plugin `{name}` has no earlier version to go back to")]
    NoEarlier { name: String },
    /// Too many versions.
    #[error("plugin `{name}` has {count} versions, which is the most one may have")]
    TooManyVersions { name: String, count: usize },
    /// The component.
    #[error("plugin `{name}`: {source}")]
    Component { name: String, source: PluginError },
    /// The metadata.
    #[error(transparent)]
    Meta(#[from] MetaError),
}

impl Coded for RegistryError {
    fn code(&self) -> Code {
        Code(match self {
            Self::Unknown { .. } => 4101,
            Self::File { .. } => 4104,
            Self::WrongDigest { .. } => 4106,
            Self::BadName { .. } => 4201,
            Self::UnknownVersion { .. } => 4202,
            Self::UnknownDigest { .. } => 4203,
            Self::Builtin { .. } => 4204,
            Self::VersionTaken { .. } => 4205,
            Self::InUse { .. } => 4206,
            Self::TooLarge { .. } => 4207,
            Self::Unsigned { .. } => 4208,
            Self::Renamed { .. } => 4209,
            Self::Damaged { .. } => 4210,
            Self::NoBytes { .. } => 4211,
            Self::Disk { .. } => 4212,
            Self::NoEarlier { .. } => 4213,
            Self::TooManyVersions { .. } => 4214,
            Self::Signature { source, .. } => return source.code(),
            Self::Component { source, .. } => return source.code(),
            Self::Meta(source) => return source.code(),
        })
    }

    fn is_retryable(&self) -> bool {
        match self {
            Self::NoBytes { .. } => true,
            Self::Meta(source) => source.is_retryable(),
            _ => false,
        }
    }
}

impl RegistryError {
    /// Whether the request was wrong, not the node.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        !matches!(
            self,
            Self::File { .. } | Self::Damaged { .. } | Self::NoBytes { .. } | Self::Disk { .. } | Self::Meta(_)
        )
    }
}
