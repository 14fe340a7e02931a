//! Help pages of this crate's codes.

use tg_model::{Code, CodePage};

const fn page(code: u16, title: &'static str, cause: &'static str, action: &'static str) -> CodePage {
    CodePage { code: Code(code), title, cause, action }
}

/// One page per code of [`crate::CliError`].
pub const CODES: &[CodePage] = &[
    page(
        8001,
        "No server answers",
        "Nothing listens at the address, or the network does not let the request through.",
        "Start one with `tidegate server` or `tidegate demo`, or give the right address with --server or TIDEGATE_SERVER.",
    ),
    page(
        8002,
        "The server refused",
        "The server answered with an error that has no code of its own.",
        "Read the message; the server's log has more.",
    ),
    page(
        8003,
        "The answer makes no sense",
        "Something answers at the address that is not a Tidegate server, or one of a very different version.",
        "Check --server; `tidegate status` shows what answers.",
    ),
    page(
        8004,
        "Not confirmed",
        "The command destroys or leaves out something and was not told to go on. Without a terminal nothing can be asked.",
        "Run it again with --no-confirm if this is what you want.",
    ),
    page(
        8005,
        "There is no such error code",
        "Codes are TG- and four digits.",
        "`tidegate explain` without a code lists all of them.",
    ),
    page(
        8006,
        "An argument has a bad value",
        "The value is not of the form the flag takes.",
        "Use the form that the message shows; --help has the details.",
    ),
    page(
        8007,
        "The output cannot be written",
        "Standard output was closed, or the disk is full.",
        "Check where the output goes.",
    ),
    page(
        8008,
        "Arguments that make no sense",
        "A command, flag or value does not exist, or one that is needed is missing.",
        "The message says which, and what was probably meant; --help after any command lists what there is.",
    ),
];

#[cfg(test)]
mod tests {
    use super::CODES;
    use crate::CliError;
    use tg_model::Coded;

    #[test]
    fn every_error_has_a_page() {
        let text = String::new;
        for error in [
            CliError::Unreachable { server: text(), reason: text() },
            CliError::Refused { message: text(), code: None },
            CliError::Strange { server: text(), reason: text() },
            CliError::NotConfirmed { reason: text() },
            CliError::UnknownCode { code: text(), hint: text() },
            CliError::BadArgument { flag: "", reason: text() },
            CliError::Output { reason: text() },
        ] {
            assert!(CODES.iter().any(|p| p.code == error.code()), "{error:?}");
        }
    }
}
