//! Help pages of this crate's codes.

use tg_model::{Code, CodePage};

const fn page(code: u16, title: &'static str, cause: &'static str, action: &'static str) -> CodePage {
    CodePage { code: Code(code), title, cause, action }
}

/// One page per code of [`crate::AuthorError`].
pub const CODES: &[CodePage] = &[
    page(
        8121,
        "The name cannot be used for a plugin",
        "Names are used in files, in Rust crates and in changefeeds, so they are plain.",
        "Use lower-case letters, digits and `-`, beginning with a letter; at most 64 characters.",
    ),
    page(
        8122,
        "There is something already",
        "Beginning a plugin overwrites nothing.",
        "Take another name or folder, or remove what is there.",
    ),
    page(
        8123,
        "There is no such template",
        "Not every language has a template for every kind of plugin.",
        "Begin with one of the kinds in the message; the SDK's documentation shows the others.",
    ),
    page(
        8124,
        "The language of a plugin is not clear",
        "The folder has no `tidegate.toml` that names the language, and no file that gives it away.",
        "Run the command in the plugin's folder, or write `language = \"rust\"` (go, python, js, ts, c) into `tidegate.toml`.",
    ),
    page(
        8125,
        "A tool for building the plugin is missing",
        "Plugins are built by the tools of their language, which Tidegate does not bring along.",
        "The message names the tool and how to get it.",
    ),
    page(
        8126,
        "The plugin does not build",
        "The language's own tools refuse it; their words are in the message.",
        "Mend what they complain about.",
    ),
    page(
        8127,
        "A file or process of the plugin's folder fails",
        "Rights are missing, the disk is full, or a program could not be started. The message has the system's words.",
        "Put that right and run the command again.",
    ),
];

#[cfg(test)]
mod tests {
    use super::CODES;
    use crate::AuthorError;
    use tg_model::Coded;

    #[test]
    fn every_error_has_a_page_and_every_page_an_error() {
        let text = String::new;
        let errors = [
            AuthorError::Name { name: text(), reason: "" },
            AuthorError::Exists { path: text() },
            AuthorError::NoTemplate { language: "", kind: "", known: text() },
            AuthorError::Unclear { path: text() },
            AuthorError::Missing { tool: text(), how: text() },
            AuthorError::Build { path: text(), output: text() },
            AuthorError::System { what: text(), reason: text() },
        ];
        let used: Vec<_> = errors.iter().map(Coded::code).collect();
        assert_eq!(used, CODES.iter().map(|p| p.code).collect::<Vec<_>>());
    }
}
