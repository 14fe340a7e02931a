//! Help pages of this crate's codes.

use tg_model::{Code, CodePage};

const fn page(code: u16, title: &'static str, cause: &'static str, action: &'static str) -> CodePage {
    CodePage { code: Code(code), title, cause, action }
}

/// One page per kind of [`crate::Fault`].
pub const CODES: &[CodePage] = &[
    page(
        3001,
        "The SQL downstream is not available for now",
        "It cannot be reached, is shutting down, is read only, is out of connections or space, or a lock or deadlock undid the transaction. Nothing was written.",
        "Nothing, if it passes: it is tried again with growing pauses. If it stays, check the server named in the message, the network and its limits.",
    ),
    page(
        3002,
        "The connection broke while the outcome was open",
        "The connection was lost, or timed out, between COMMIT (or a DDL) and the server's answer.",
        "Nothing: the position kept in the downstream tells whether it took effect, and writing goes on from there.",
    ),
    page(
        3003,
        "Another writer has taken over",
        "The progress row in the downstream carries a newer epoch: the slot was moved while this writer was cut off or slow.",
        "Nothing: this writer stops and the new one goes on. If two clusters write with the same changefeed name, rename one or give it another progress database.",
    ),
    page(
        3004,
        "A row is there already",
        "A unique key downstream holds the value that is being inserted, also after the rows were written in safe mode.",
        "Look for a unique key that exists only downstream, or for another writer to the table.",
    ),
    page(
        3005,
        "The SQL downstream refuses a statement",
        "The table or column does not exist or differs, a value does not fit, or the dialect lacks what the statement uses.",
        "Compare the table in the message with its source. After repairing it, resume the changefeed.",
    ),
    page(
        3006,
        "The SQL downstream denies access",
        "User, password or host are not accepted, or the user lacks rights on the database, or on the progress database.",
        "Check user and password in the sink URI, and grant the rights the message names.",
    ),
];
