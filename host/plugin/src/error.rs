//! What can go wrong with a plugin.

use std::fmt;
use std::sync::Arc;
use tg_model::{Code, Coded};

/// Why a component cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "fields are named in the messages")]
pub enum PluginError {
    /// The bytes are not a component.
    #[error("the plugin is not a WebAssembly component: {detail}")]
    NotComponent { detail: String },
    /// It exports none of `sink`, `dispatcher`, `transform` of this version of the contract.
    #[error("the plugin exports no {wanted} of this version of the contract; it exports: {exports}")]
    World { wanted: &'static str, exports: String },
    /// It imports something the host does not have.
    #[error("the plugin imports `{import}`, which this host does not offer: leave it out, or upgrade Tidegate")]
    Import { import: String },
    /// It was built for a version of the contract that this host does not speak.
    #[error("the plugin uses `{interface}`; this host speaks version {host} of the contract: {remedy}")]
    Version { interface: String, host: String, remedy: &'static str },
    /// What was stored for it cannot be read.
    #[error("the saved state of plugin {plugin} cannot be read: {detail}")]
    State { plugin: String, detail: String },
    /// A capability it cannot do without was not granted.
    #[error("plugin {plugin} requires the capability `{capability}` ({reason}), which is not granted")]
    NotGranted { plugin: String, capability: String, reason: String },
    /// The file is too large.
    #[error("the plugin has {len_bytes} bytes; the limit is {limit_bytes}")]
    TooLarge { len_bytes: usize, limit_bytes: usize },
    /// `describe` failed or its answer is out of bounds.
    #[error("the plugin does not describe itself: {detail}")]
    Describe { detail: String },
    /// The configuration does not fit the plugin's schema.
    #[error("the configuration of plugin {plugin} is not what it takes: {detail}")]
    Config { plugin: String, detail: String },
    /// The runtime itself could not be set up, or an instance could not be made.
    #[error("the plugin runtime failed: {detail}")]
    Engine { detail: String },
}

impl Coded for PluginError {
    fn code(&self) -> Code {
        Code(match self {
            Self::NotComponent { .. } => 2001,
            Self::World { .. } => 2002,
            Self::Import { .. } => 2003,
            Self::NotGranted { .. } => 2004,
            Self::TooLarge { .. } => 2005,
            Self::Describe { .. } => 2006,
            Self::Config { .. } => 2007,
            Self::Engine { .. } => 2008,
            Self::State { .. } => 2009,
            Self::Version { .. } => 2015,
        })
    }
}

/// Why the host stopped an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The guest ran into its own end: `unreachable`, a bad access, a division by zero.
    Trap,
    /// The guest's stack is used up.
    StackOverflow,
    /// The call took too much guest time.
    Deadline,
    /// The guest asked for more memory than it may have.
    Memory,
    /// The answer breaks the contract.
    Contract,
    /// The instance died in an earlier call.
    Dead,
}

/// How a call failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "see the messages")]
pub enum CallFault {
    /// Nothing took effect.
    Retryable { message: String, after_ms: Option<u32> },
    /// Whether it took effect is not known.
    Unknown { message: String, after_ms: Option<u32> },
    /// Another writer has taken over.
    Fenced { message: String },
    /// The plugin gives up.
    Fatal { code: String, message: String },
    /// The plugin lacks what the input needs.
    Unsupported { code: String, message: String },
    /// The host stopped the instance, which is dead now.
    Stopped { stop: Stop, detail: String },
    /// The instance could not be made.
    Start(PluginError),
}

/// A failed call of a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallError {
    /// Plugin, as its manifest names it.
    pub plugin: Arc<str>,
    /// The function that was called.
    pub call: &'static str,
    /// How it failed.
    pub fault: CallFault,
}

impl CallError {
    /// Makes an error; for ports that are not WebAssembly.
    #[must_use]
    pub fn new(plugin: &str, call: &'static str, fault: CallFault) -> Self {
        Self { plugin: plugin.into(), call, fault }
    }

    /// Nothing took effect: the same call may be made again on the same instance.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self.fault, CallFault::Retryable { .. })
    }

    /// Whether it took effect is not known: ask `status` first.
    #[must_use]
    pub const fn is_unknown(&self) -> bool {
        matches!(self.fault, CallFault::Unknown { .. })
    }

    /// The wait the plugin asked for.
    #[must_use]
    pub const fn after_ms(&self) -> Option<u32> {
        match self.fault {
            CallFault::Retryable { after_ms, .. } | CallFault::Unknown { after_ms, .. } => after_ms,
            _ => None,
        }
    }

    /// Whether a fresh instance started from the checkpoint may succeed.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        match &self.fault {
            CallFault::Retryable { .. } | CallFault::Unknown { .. } | CallFault::Fenced { .. } => true,
            CallFault::Stopped { stop, .. } => !matches!(stop, Stop::Contract),
            CallFault::Start(e) => matches!(e, PluginError::Engine { .. }),
            CallFault::Fatal { .. } | CallFault::Unsupported { .. } => false,
        }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plugin, call, fault } = self;
        write!(f, "plugin {plugin}, {call}: ")?;
        match fault {
            CallFault::Retryable { message, .. } => write!(f, "failed, may be repeated: {message}"),
            CallFault::Unknown { message, .. } => write!(f, "outcome unknown: {message}"),
            CallFault::Fenced { message } => write!(f, "fenced off by another writer: {message}"),
            CallFault::Fatal { code, message } => write!(f, "failed for good ({code}): {message}"),
            CallFault::Unsupported { code, message } => write!(f, "not supported by this plugin ({code}): {message}"),
            CallFault::Stopped { stop, detail } => match stop {
                Stop::Trap => write!(f, "trapped: {detail}"),
                Stop::StackOverflow => write!(f, "ran out of stack: {detail}"),
                Stop::Deadline => write!(f, "stopped at its deadline: {detail}"),
                Stop::Memory => write!(f, "stopped at its memory limit: {detail}"),
                Stop::Contract => write!(f, "broke the contract: {detail}"),
                Stop::Dead => write!(f, "the instance is dead since an earlier call"),
            },
            CallFault::Start(e) => write!(f, "{e}"),
        }
    }
}

impl std::error::Error for CallError {}

impl Coded for CallError {
    fn code(&self) -> Code {
        match &self.fault {
            CallFault::Retryable { .. } => Code(2010),
            CallFault::Unknown { .. } => Code(2011),
            CallFault::Fenced { .. } => Code(2012),
            CallFault::Fatal { .. } => Code(2013),
            CallFault::Unsupported { .. } => Code(2014),
            CallFault::Stopped { stop, .. } => Code(match stop {
                Stop::Trap => 2020,
                Stop::StackOverflow => 2021,
                Stop::Deadline => 2022,
                Stop::Memory => 2023,
                Stop::Contract => 2024,
                Stop::Dead => 2025,
            }),
            CallFault::Start(e) => e.code(),
        }
    }

    fn is_retryable(&self) -> bool {
        Self::is_retryable(self)
    }
}
