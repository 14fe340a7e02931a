//! Help pages of this crate's codes.

use tg_model::{Code, CodePage};

const fn page(code: u16, title: &'static str, cause: &'static str, action: &'static str) -> CodePage {
    CodePage { code: Code(code), title, cause, action }
}

/// One page per code of [`crate::ApiError`].
pub const CODES: &[CodePage] = &[
    page(
        6101,
        "There is no such changefeed",
        "The name is misspelt, belongs to another namespace, or the changefeed was removed.",
        "List them with `tidegate changefeed list --all`; give the namespace with --namespace.",
    ),
    page(
        6102,
        "A changefeed of this name exists",
        "Names are unique within a namespace, also among paused and failed changefeeds.",
        "Choose another name, or remove the old one with `tidegate changefeed remove`.",
    ),
    page(
        6103,
        "A request is malformed",
        "The body is not the JSON this path takes, or a value in it has a wrong type or form.",
        "Correct the member that the message names. Names of changefeeds are letters, digits, `-` and `_`, at most 128.",
    ),
    page(
        6104,
        "The sink URI cannot be used",
        "It is missing, or the downstream it names cannot be reached or refuses the login.",
        "Check host, port, user and password; special characters in a password need percent-encoding.",
    ),
    page(
        6105,
        "The changefeed cannot be changed now",
        "Some of its settings can be changed only while it stands still, and its start never.",
        "Pause it with `tidegate changefeed pause`, change it, and resume it.",
    ),
    page(
        6106,
        "The target does not lie above the start",
        "A changefeed replicates what was committed above its start up to its target.",
        "Give a target timestamp above the start timestamp, or none.",
    ),
    page(
        6107,
        "The start is lost to garbage collection",
        "The upstream has removed old versions of rows that a changefeed from this start would need.",
        "Start from a later timestamp and load the data before it by other means, or raise the upstream's GC life time before the next attempt.",
    ),
    page(
        6108,
        "Tables have no usable key",
        "Without a primary key, or a unique key whose columns are all NOT NULL, a row cannot be told from another.",
        "Add a key, leave the tables out with a filter rule, set `ignore-ineligible-table = true`, or accept duplicates with `force-replicate = true`.",
    ),
    page(
        6109,
        "There is no such node",
        "The id is misspelt, or the node has left the cluster.",
        "List the nodes with `tidegate capture list`.",
    ),
    page(
        6110,
        "The cluster is not healthy",
        "There is no owner, or it cannot reach the metadata store or the upstream.",
        "Look at the message and the owner's log; `tidegate capture list` shows which node it is.",
    ),
];
