//! Help pages of this crate's codes.

use tg_model::{Code, CodePage};

/// One page per code of [`crate::ScratchError`].
pub const CODES: &[CodePage] = &[
    CodePage {
        code: Code(8051),
        title: "MariaDB is not installed",
        cause: "The demo writes into a real MariaDB that it starts in a temporary folder, and needs the programs `mariadbd` and `mariadb-install-db` for it. They are looked for in PATH, /usr/sbin and /usr/local/sbin.",
        action: "Install the package mariadb-server (`apt-get install mariadb-server`; `make demo` does it for you), or write elsewhere with --sink-uri.",
    },
    CodePage {
        code: Code(8052),
        title: "MariaDB did not come up",
        cause: "The server that was started in a temporary folder ended, or was not ready in two minutes. The message has the end of its log.",
        action: "Read the log: a full disk and too little memory are the usual reasons. Or write elsewhere with --sink-uri.",
    },
    CodePage {
        code: Code(8053),
        title: "MariaDB cannot be started",
        cause: "The operating system refused a temporary folder, a port or a process.",
        action: "Look at the reason in the message; TMPDIR names the folder used.",
    },
];

#[cfg(test)]
mod tests {
    use super::CODES;
    use crate::ScratchError;
    use std::io;
    use tg_model::Coded;

    #[test]
    fn every_error_has_a_page() {
        for error in [
            ScratchError::NotInstalled { program: "x" },
            ScratchError::NotUp { log: String::new() },
            ScratchError::system("x")(io::ErrorKind::Other.into()),
        ] {
            assert_eq!(CODES.iter().filter(|p| p.code == error.code()).count(), 1, "{error}");
        }
    }
}
