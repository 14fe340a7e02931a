//! Why a server does not start, or stops by itself.

use std::io;
use tg_model::{Code, CodePage, Coded};

/// Why a server does not start, or stops by itself.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    /// A server setting.
    #[error(transparent)]
    Config(#[from] tg_config::ConfigError),
    /// The node: upstream, data directory, ownership.
    #[error(transparent)]
    Node(#[from] tg_server::ServerError),
    /// The address.
    #[error("cannot listen on {addr}: {error}")]
    Listen {
        /// The address.
        addr: String,
        /// What the system says.
        error: io::Error,
    },
    /// The log's file.
    #[error("cannot write the log to {path}: {error}")]
    Log {
        /// The file.
        path: String,
        /// What the system says.
        error: io::Error,
    },
    /// Certificates.
    #[error("the certificates of the API cannot be used: {reason}")]
    Tls {
        /// Which file, and what is wrong with it.
        reason: String,
    },
    /// Connections cannot be accepted any more, or signals not be handled.
    #[error("{what}: {error}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the system says.
        error: io::Error,
    },
}

impl Coded for ServeError {
    fn code(&self) -> Code {
        Code(match self {
            Self::Config(e) => return e.code(),
            Self::Node(e) => return e.code(),
            Self::Listen { .. } => 8041,
            Self::Log { .. } => 8042,
            Self::System { .. } => 8043,
            Self::Tls { .. } => 8044,
        })
    }
}

/// One page per code of [`ServeError`] that is its own.
pub(crate) const CODES: &[CodePage] = &[
    CodePage {
        code: Code(8041),
        title: "The server's address cannot be used",
        cause: "Another process listens there (another Tidegate?), or the address is none of this machine's.",
        action: "Give another with --addr, for example --addr 127.0.0.1:8301, or stop the other process: `ss -ltnp` shows it.",
    },
    CodePage {
        code: Code(8042),
        title: "The log's file cannot be written",
        cause: "Its folder does not exist, or the user of this process may not write there.",
        action: "Create the folder, give another file with --log-file, or leave --log-file out: then the log goes to standard error.",
    },
    CodePage {
        code: Code(8043),
        title: "The operating system refuses",
        cause: "Connections could not be accepted, or signal handlers not be set: usually a limit on open files.",
        action: "Look at the reason in the message and at `ulimit -n`, then start the server again: changefeeds go on from their checkpoints.",
    },
    CodePage {
        code: Code(8044),
        title: "Certificates of the API cannot be used",
        cause: "A file of `--cert`, `--key` or `--ca` is missing, is not PEM, or the key is not the certificate's.",
        action: "Look at the file in the message. A certificate's file holds it and what leads to the CA; the key's file one private key.",
    },
];

#[cfg(test)]
mod tests {
    use super::{CODES, ServeError};
    use std::io;
    use tg_model::Coded;

    #[test]
    fn every_code_has_a_page() {
        let error = || io::Error::from(io::ErrorKind::AddrInUse);
        for e in [
            ServeError::Listen { addr: String::new(), error: error() },
            ServeError::Log { path: String::new(), error: error() },
            ServeError::System { what: "", error: error() },
            ServeError::Tls { reason: String::new() },
        ] {
            assert!(CODES.iter().any(|p| p.code == e.code()), "{e:?}");
        }
    }
}
