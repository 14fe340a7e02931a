//! Help pages of this crate's codes.

use tg_model::{Code, CodePage};

const fn page(code: u16, title: &'static str, cause: &'static str, action: &'static str) -> CodePage {
    CodePage { code: Code(code), title, cause, action }
}

/// One page per code of [`crate::KitError`] that is its own.
pub const CODES: &[CodePage] = &[
    page(
        8101,
        "A file of the plugin cannot be read or written",
        "It is not there, or rights are missing. The message has the path and the system's words.",
        "Check the path; `tidegate plugin build` says where it puts the component.",
    ),
    page(
        8102,
        "A recorded corpus is not understood",
        "A line is no row, table or DDL of the corpus format, or belongs to a later version of it.",
        "Mend the line that the message names. `tidegate plugin test --save FILE` writes a corpus to compare with.",
    ),
    page(
        8103,
        "A table is not described well",
        "A column has a type or a word that the kit does not know, or a key names no column.",
        "Write columns as in `id bigint primary key` or `note varchar(20) not null unique`.",
    ),
    page(
        8104,
        "A file of examples or settings is not understood",
        "The TOML does not parse, a key does not exist, or a value does not fit its column.",
        "The message says where and what was expected; docs/authoring.md lists all keys.",
    ),
    page(
        8105,
        "There is no such check",
        "The name is misspelled, or the check is for another kind of plugin.",
        "Use one of the names in the message; `tidegate plugin test --list` says what each proves.",
    ),
    page(
        8106,
        "The plugin does not keep the contract",
        "One or more checks or examples failed: the plugin would lose, double or reorder rows, or fail where it must not.",
        "Each failed check above says what was expected, what happened, and the command that runs it alone.",
    ),
    page(
        8107,
        "The plugin could not be measured",
        "It failed while it was measured.",
        "Run `tidegate plugin test` first and mend what it finds.",
    ),
];

#[cfg(test)]
mod tests {
    use super::CODES;
    use crate::KitError;
    use tg_model::Coded;

    #[test]
    fn every_error_has_a_page_and_every_page_an_error() {
        let text = String::new;
        let errors = [
            KitError::File { path: text(), reason: text() },
            KitError::Corpus { file: text(), line: 1, reason: text() },
            KitError::Table { table: text(), reason: text() },
            KitError::Settings { file: text(), reason: text() },
            KitError::NoCheck { name: text(), kind: "", known: text() },
            KitError::Failed { failed: 1, all: 1 },
            KitError::Bench { reason: text() },
        ];
        let used: Vec<_> = errors.iter().map(Coded::code).collect();
        assert_eq!(used, CODES.iter().map(|p| p.code).collect::<Vec<_>>());
    }
}
