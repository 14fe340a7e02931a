//! Help pages of this crate's codes.

use tg_model::{Code, CodePage};

const fn page(code: u16, title: &'static str, cause: &'static str, action: &'static str) -> CodePage {
    CodePage { code: Code(code), title, cause, action }
}

/// One page per code of [`crate::ConfigError`].
pub const CODES: &[CodePage] = &[
    page(
        6001,
        "The configuration is not well-formed",
        "The text could not be read as TOML (files) or JSON (HTTP API): a quote, bracket or `=` is missing or misplaced.",
        "Go to the line and column of the message. Strings need quotes, tables are written [table], lists of tables [[table]].",
    ),
    page(
        6002,
        "An option does not exist",
        "A key is misspelt, or stands in the wrong table. Unknown keys are refused because a misspelt option that is silently ignored is worse.",
        "Use the suggestion of the message, or move the key to its table: after a [table] line every key belongs to that table.",
    ),
    page(
        6003,
        "An option's value cannot be used",
        "The value has another type than the option, lies outside its limits, or is not one of the allowed words.",
        "Read the limits in the message. Durations are written \"10m\" or \"1h30m\", sizes 1073741824 or \"1GiB\".",
    ),
    page(
        6004,
        "Options do not go together",
        "Two options exclude each other, or one of them needs another one that is missing.",
        "Remove one of the two, or add the missing one, as the message says.",
    ),
    page(
        6005,
        "A configuration file cannot be read",
        "The file does not exist, is no text in UTF-8, or may not be read by this user.",
        "Check the path (relative paths start at the working directory) and its permissions.",
    ),
    page(
        6010,
        "The sink URI is not a URI",
        "A sink URI is scheme://[user[:password]@]host[:port]/[path][?name=value&…]. Special characters in a password need percent-encoding.",
        "Encode @ as %40, : as %3A, / as %2F, # as %23, ? as %3F and % as %25 in user, password and values.",
    ),
    page(
        6011,
        "The sink URI's scheme is unknown",
        "The scheme names the kind of downstream, and no sink goes by this name.",
        "Use mysql, tidb, postgres, kafka, pulsar, file, s3, gcs, azblob, blackhole, print, or plugin+NAME for an installed plugin.",
    ),
    page(
        6012,
        "The sink URI has an unknown parameter",
        "The parameter is misspelt or belongs to another kind of sink.",
        "Use the suggestion of the message, or remove the parameter.",
    ),
    page(
        6013,
        "A sink URI parameter's value cannot be used",
        "The value is no number, duration or word of the kind this parameter takes, or lies outside its limits.",
        "Use a value within the limits of the message.",
    ),
    page(
        6020,
        "A server option cannot be used",
        "An address, path, size or duration of the server's configuration is malformed or outside its limits. Values come from the file, then the environment, then flags; the last one wins.",
        "Correct the option where it was set; `tidegate server --help` lists flags and environment variables.",
    ),
];
