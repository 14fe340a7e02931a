//! Help pages of the demo's codes.

use tg_model::{Code, CodePage};

/// One page per code of [`super::error::DemoError`] that is its own.
pub(crate) const CODES: &[CodePage] = &[
    CodePage {
        code: Code(8061),
        title: "The demo's changefeed failed",
        cause: "The changefeed met an error that trying again will not mend. The message has its code.",
        action: "Run `tidegate explain` with the code in the message. With RUST_LOG=info the demo logs what led to it.",
    },
    CodePage {
        code: Code(8062),
        title: "The demo does not get on",
        cause: "The checkpoint has not moved for a long time: the downstream is too slow or out of reach, or a part of Tidegate hangs.",
        action: "Try again with a lower --rows-per-sec, or with --no-faults. With RUST_LOG=info the demo logs what it waits for.",
    },
    CodePage {
        code: Code(8063),
        title: "The downstream cannot be read",
        cause: "The demo compares the tables by reading them from the downstream, which refused.",
        action: "Look at the database's message; with --sink-uri, the user needs SELECT on the tables and on information_schema.",
    },
    CodePage {
        code: Code(8064),
        title: "The API's address cannot be used",
        cause: "Another process listens at the address, or it is none of this machine's.",
        action: "Give another with --addr, or leave --addr out: then a free port is taken.",
    },
    CodePage {
        code: Code(8065),
        title: "The operating system refuses",
        cause: "A temporary folder or a signal handler could not be made.",
        action: "Look at the reason in the message; TMPDIR names the folder used.",
    },
];
