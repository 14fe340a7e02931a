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
    CodePage {
        code: Code(4009),
        title: "A transform changes what identifies a row",
        cause: "The transform leaves out a column of the table's row key, or makes another key: rows of one key could then no longer \
                be kept in order.",
        action: "Leave the key's columns in (their values may be masked), or leave the table out of the transform's rules, then resume.",
    },
    CodePage {
        code: Code(4010),
        title: "Too many rows are put aside",
        cause: "More rows were put into the quarantine within an hour than `[tidegate.quarantine] limit-per-hour` allows, or it is full: \
                it is not a row that is wrong but something greater.",
        action: "See the reasons with `tidegate quarantine list`. Mend the plugin, its configuration or the downstream, then resume; \
                 rows that were put aside can be replayed or dropped.",
    },
    CodePage {
        code: Code(4011),
        title: "The quarantine cannot be read or written",
        cause: "The file system refused, or the file is damaged or of a later version of Tidegate.",
        action: "The message names the file and the reason. Free or repair the disk; the changefeed goes on from its checkpoint.",
    },
    CodePage {
        code: Code(4012),
        title: "The quarantine holds no such row",
        cause: "The row was replayed or dropped before, or the number is another changefeed's.",
        action: "See which rows there are with `tidegate quarantine list`.",
    },
    CodePage {
        code: Code(4013),
        title: "A sink claims more than it was given",
        cause: "The sink that was to take over says that rows are durable which nobody has handed over yet: its own store belongs to \
                another changefeed, or it is at fault.",
        action: "The version before goes on. Give the sink a store of its own, or mend it, and swap again.",
    },
    CodePage {
        code: Code(4014),
        title: "Sinks keep too much state",
        cause: "What the sink instances of all lanes keep is stored with the checkpoint, and is more than the metadata store should take.",
        action: "Use fewer lanes or slots, or let the plugin keep less.",
    },
    CodePage {
        code: Code(4015),
        title: "A swap was refused",
        cause: "The changefeed does not run, another swap is under way, the new plugins could not be started beside the present ones, or \
                the run has not yet got past what had been written before it began.",
        action: "The present version goes on. The message says why; mend that and swap again.",
    },
    CodePage {
        code: Code(4016),
        title: "A swap was rolled back",
        cause: "The plugins that were swapped in failed while they were on probation.",
        action: "The version before went on at the same position; nothing was lost. The message names the failure: mend it and swap again.",
    },
    CodePage {
        code: Code(4017),
        title: "A row was not replayed",
        cause: "The changefeed does not run, its plugins refuse the row as before, or the row could never be mounted.",
        action: "The row stays in the quarantine. Read the reason; start the changefeed, mend the plugin, or write the row by hand and drop it.",
    },
    CodePage {
        code: Code(4018),
        title: "A node that runs a part of the changefeed is lost",
        cause: "Its process has ended, or it cannot be heard any more. Its tables go to the other nodes; what it had under way is fenced \
                downstream.",
        action: "Nothing, if it passes: the changefeed goes on by itself. If it repeats, look at the node and the network between the nodes.",
    },
];
