//! Help pages of this crate's codes.

use tg_model::{Code, CodePage};

const fn page(code: u16, title: &'static str, cause: &'static str, action: &'static str) -> CodePage {
    CodePage { code: Code(code), title, cause, action }
}

/// One page per kind of [`crate::ConsumeError`].
pub const CODES: &[CodePage] = &[
    page(
        8201,
        "The source cannot be read",
        "The folder or bucket does not answer, or refuses.",
        "Read the cause in the message; `tidegate explain` has a page for codes it names. Start the consumer again: it goes on where it was.",
    ),
    page(
        8202,
        "A file of the source does not hold what it should",
        "A data, index or schema file is damaged, was written with other options than those given here (csv needs the same delimiter, \
         quote and fields), or a file that an index names is not there.",
        "Give the changefeed's own file with --config. If the options are right, look at the file in the message.",
    ),
    page(
        8203,
        "A change cannot be applied",
        "The row has no key and the format keeps no old value to find it by, or the message holds the key only.",
        "Write csv with `output-old-value = true`, or canal-json; or give the table a primary key. Old rows in avro need \
         `avro-include-before-value = true`.",
    ),
    page(
        8204,
        "The target refuses",
        "The database that changes are applied to is not there, or does not take a statement.",
        "Read the cause in the message. What was applied is kept with its progress: start the consumer again when the cause is removed.",
    ),
    page(
        8205,
        "The output is closed",
        "What was printed could not be written: the program that reads it has ended, or the disk is full.",
        "Nothing, if that is what you want.",
    ),
    page(
        8206,
        "The source is too large to be listed",
        "There are more objects below the prefix than the consumer keeps names of.",
        "Point it at a longer prefix, or remove what is not needed any more.",
    ),
    page(
        8207,
        "The schema registry is away",
        "A message in an avro format names a schema by its number, and the registry that knows it does not answer, or asks to come later. \
         It was asked several times.",
        "Look at the registry and at `schema-registry`. Start the consumer again: it goes on where it was.",
    ),
    page(
        8208,
        "The schema registry does not know a schema",
        "A message in an avro format names a schema by its number, and the registry has none of that number: it is not the one that the \
         changefeed wrote to, or the schema was removed for good there.",
        "Give the changefeed's own `schema-registry`. A schema that was removed can be registered again under its number where the registry \
         allows that; otherwise read the topic from behind the message.",
    ),
    page(
        8209,
        "The schema registry refuses",
        "It wants other credentials, or answers something that is no schema.",
        "Read the answer in the message. A user and password belong into the URL: `schema-registry=https://user:password@host`.",
    ),
    page(
        8210,
        "The URL of the schema registry cannot be used",
        "It is no URL, has a query or a fragment, or is neither `http` nor `https`.",
        "Give `schema-registry` as the changefeed has it: http://host:8081, with a path where the registry has one.",
    ),
];
