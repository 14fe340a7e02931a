//! Help pages of this crate's codes.

use tg_model::{Code, CodePage};

/// Pages for `tidegate explain`.
pub const CODES: &[CodePage] = &[
    CodePage {
        code: Code(4101),
        title: "A plugin is not installed",
        cause: "The sink URI or the changefeed's file names a plugin that this node does not have.",
        action: "Use one of the names in the message, or correct the scheme of the sink URI.",
    },
    CodePage {
        code: Code(4102),
        title: "Another node owns the changefeeds",
        cause: "The owner key of this cluster is held by another process that is alive.",
        action: "Stop the other node, or start this one with another cluster id or data directory.",
    },
    CodePage {
        code: Code(4103),
        title: "The start is lost to garbage collection",
        cause: "The upstream has collected, or may collect, versions that a start at this timestamp needs.",
        action: "Choose a later start-ts, restore the downstream from a newer snapshot, or raise tidb_gc_life_time before it is too late.",
    },
];
