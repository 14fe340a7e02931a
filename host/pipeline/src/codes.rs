//! Help pages of this crate's codes.

use tg_model::{Code, CodePage};

/// Pages for `tidegate explain`.
pub const CODES: &[CodePage] = &[
    CodePage {
        code: Code(4001),
        title: "A batch of rows is not well-formed",
        cause: "Tidegate built a batch that its own check refuses: a defect in Tidegate, not in your data.",
        action: "Report it with the log lines around it. Nothing is lost: the changefeed stands at its checkpoint.",
    },
    CodePage {
        code: Code(4002),
        title: "A DDL failed downstream",
        cause: "The downstream refused the statement for good, or kept failing while it was tried again.",
        action: "Read the statement and the server's answer in the message. Run a statement that does the same by hand and \
                 resume with an event filter that leaves this one out, or change the downstream and resume: the DDL is run again.",
    },
    CodePage {
        code: Code(4003),
        title: "A plugin refused a row",
        cause: "The sink or dispatcher says that it cannot take this row, and the changefeed has no place for refused rows.",
        action: "The message names table, commit-ts and the plugin's reason. Fix the plugin's configuration or filter the table, then resume.",
    },
    CodePage {
        code: Code(4004),
        title: "A sink never completes its flush",
        cause: "The sink answered a thousand times that a flush is not complete yet.",
        action: "Look at the sink's log. A sink that waits for its server should answer with a retryable failure and a time to wait.",
    },
    CodePage {
        code: Code(4005),
        title: "Progress could not be stored",
        cause: "The metadata store did not take the checkpoint: it is unreachable, read-only, full, or another owner wrote it.",
        action: "Check the data directory or etcd. The changefeed goes on from its last stored checkpoint.",
    },
    CodePage {
        code: Code(4006),
        title: "A part of the pipeline ended without a reason",
        cause: "A task of the changefeed was stopped from outside, or failed in a way it could not report.",
        action: "The changefeed restarts from its checkpoint by itself. If it comes again, report it with the log.",
    },
    CodePage {
        code: Code(4007),
        title: "Too many DDLs wait",
        cause: "More DDLs arrived than the queue takes while an earlier one is still running.",
        action: "See which DDL runs (`tidegate changefeed query`). The changefeed restarts from its checkpoint and reads the rest again.",
    },
    CodePage {
        code: Code(4008),
        title: "A transaction moves too many rows to other keys",
        cause: "One transaction changes the row keys of more rows of one table than may wait for its end in memory.",
        action: "Filter the table or the transaction (`ignore-txn-start-ts`), repair the table downstream from a snapshot, and resume.",
    },
];
