//! Help pages of this crate's codes.

use tg_model::{Code, CodePage};

const fn page(code: u16, title: &'static str, cause: &'static str, action: &'static str) -> CodePage {
    CodePage { code: Code(code), title, cause, action }
}

/// One page per kind of [`crate::StoreError`].
pub const CODES: &[CodePage] = &[
    page(
        3301,
        "The object store is not available for now",
        "It cannot be reached, does not answer in time, asks to slow down, or answers with an error of its own; or whoever gives out \
         credentials for it (the machine's metadata service, when none are given) does. Requests were repeated a few times already.",
        "Nothing, if it passes: it is tried again with growing pauses. If it stays, check the endpoint named in the message, the \
         network, and the store's own health.",
    ),
    page(
        3302,
        "A request to the object store has no known outcome",
        "The connection broke, or the time was up, after an object had been sent and before the store answered.",
        "Nothing: what the store holds is looked at before anything is written again.",
    ),
    page(
        3304,
        "The bucket or folder is not there",
        "The bucket, container or folder of the URI does not exist, or is in another region than the URI says.",
        "Create the bucket, or correct the URI. A folder is made when its parent may be written to.",
    ),
    page(
        3305,
        "The object store may not be written to",
        "The credentials are good, but lack the right to list, read, write or delete below the prefix; or the folder, file system or \
         bucket is read only.",
        "Grant listing, reading, writing and deleting below the prefix in the message, then resume the changefeed.",
    ),
    page(
        3306,
        "The object store refuses the credentials",
        "The access key is unknown, the signature does not fit the secret key, the token has expired, or there are no credentials.",
        "Check the keys in the sink URI, in the file it names, or in the server's environment. They are not shown here.",
    ),
    page(
        3307,
        "The clock is too far off for the object store",
        "Signatures carry the time. The store refuses them when this machine's clock differs from its own by more than some minutes.",
        "Set the clock of the machine that runs the server (NTP); the changefeed goes on by itself.",
    ),
    page(
        3308,
        "The object store refuses a request",
        "It does not accept the object's path, size or options, or does not know conditional puts, which exactly-once needs.",
        "Read the store's words in the message. A store without conditional puts can be written to with `exactly-once = false`.",
    ),
    page(
        3309,
        "An object store cannot be set up as it is described",
        "A parameter of the URI has a value that the store's client does not take, or a file it names cannot be read.",
        "Correct the parameter named in the message.",
    ),
];
