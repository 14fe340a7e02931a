//! Help pages of this crate's codes.

use tg_model::{Code, CodePage};

/// Pages for `tidegate explain`.
pub const CODES: &[CodePage] = &[
    CodePage {
        code: Code(4101),
        title: "A plugin is not installed",
        cause: "The sink URI or the changefeed's file names a plugin that this node does not have.",
        action: "Copy the component to the folder in the message as NAME.wasm, use one of the names there, or correct the scheme of the \
                 sink URI.",
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
    CodePage {
        code: Code(4104),
        title: "A plugin's file cannot be read",
        cause: "The file is there and the operating system does not let this process read it.",
        action: "Look at the reason in the message; give the user of the server the right to read the file.",
    },
    CodePage {
        code: Code(4105),
        title: "A plugin of the wrong kind",
        cause: "A dispatcher is named where a sink is wanted, or a sink where a dispatcher is wanted.",
        action: "Name a sink in the sink URI or [tidegate.sink], a dispatcher in [tidegate.dispatcher].",
    },
    CodePage {
        code: Code(4106),
        title: "A plugin has other bytes than agreed",
        cause: "The changefeed's file gives a digest, and the plugin's file has another one: it was rebuilt, replaced or damaged.",
        action: "Install the build the digest belongs to, or put the new digest (`sha256sum NAME.wasm`) into the changefeed's file.",
    },
    CodePage {
        code: Code(4107),
        title: "The data directory belongs to another upstream",
        cause: "The changefeeds in the data directory were made for another TiDB cluster than the one --pd names. Their checkpoints mean \
                nothing here, so nothing was started and nothing changed.",
        action: "Give --pd of the cluster in the message, or start with another --data-dir and create changefeeds there.",
    },
];
