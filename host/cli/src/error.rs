//! What can go wrong on the command line, and how it is shown.

use crate::Terminal;
use tg_config::ConfigError;
use tg_model::{Code, CodePage, Coded};

/// Why a command failed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CliError {
    /// No server answers.
    #[error("cannot reach a server at {server}: {reason}")]
    Unreachable {
        /// Its address.
        server: String,
        /// What happened.
        reason: String,
    },
    /// The server refused.
    #[error("{message}")]
    Refused {
        /// Its message.
        message: String,
        /// Its code, if it sent one of ours.
        code: Option<Code>,
    },
    /// The answer is not what a Tidegate server sends.
    #[error("{server} does not answer like a Tidegate server: {reason}")]
    Strange {
        /// Its address.
        server: String,
        /// What was odd.
        reason: String,
    },
    /// A yes was needed and not given.
    #[error("{reason}")]
    NotConfirmed {
        /// What would have happened.
        reason: String,
    },
    /// There is no such code.
    #[error("there is no error code `{code}`{hint}")]
    UnknownCode {
        /// What was asked for.
        code: String,
        /// What was probably meant; may be empty.
        hint: String,
    },
    /// An argument has a bad value.
    #[error("{flag}: {reason}")]
    BadArgument {
        /// The flag.
        flag: &'static str,
        /// What is wrong with its value.
        reason: String,
    },
    /// A configuration or a sink URI cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A key or a signature cannot be used.
    #[error(transparent)]
    Signature(#[from] tg_signature::SignatureError),
    /// The output cannot be written.
    #[error("cannot write the output: {reason}")]
    Output {
        /// What the operating system says.
        reason: String,
    },
}

impl Coded for CliError {
    fn code(&self) -> Code {
        Code(match self {
            Self::Unreachable { .. } => 8001,
            Self::Refused { code: Some(code), .. } => return *code,
            Self::Refused { code: None, .. } => 8002,
            Self::Strange { .. } => 8003,
            Self::NotConfirmed { .. } => 8004,
            Self::UnknownCode { .. } => 8005,
            Self::BadArgument { .. } => 8006,
            Self::Config(error) => return error.code(),
            Self::Signature(error) => return error.code(),
            Self::Output { .. } => 8007,
        })
    }
}

impl From<std::io::Error> for CliError {
    fn from(error: std::io::Error) -> Self {
        Self::Output { reason: error.to_string() }
    }
}

/// Shows an error that has a code: code and what, then what to do next.
pub fn print_error(terminal: &mut Terminal<'_>, code: Code, message: &str, pages: &[&[CodePage]]) {
    let page = pages.iter().copied().flatten().find(|p| p.code == code);
    let (red, cyan, off) = if terminal.colour { ("\x1b[1;31m", "\x1b[36m", "\x1b[0m") } else { ("", "", "") };
    // The API's messages begin with the code for clients that know no other place for it.
    let message = message.strip_prefix(&format!("[{code}]")).unwrap_or(message);
    let mut text = format!("{red}error[{code}]{off}: {message}\n");
    if let Some(page) = page {
        text += &format!("  {cyan}why{off}:  {}\n  {cyan}next{off}: {}\n", page.cause, page.action);
    }
    // Nobody is left to be told when standard error is gone.
    let _ = terminal.err.write_all(text.as_bytes());
}
