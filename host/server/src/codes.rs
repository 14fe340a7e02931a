//! Help pages of this crate's codes.

use tg_model::{Code, CodePage};

/// Pages of what others are the cause of.
pub use crate::cluster::CODES as CLUSTER_CODES;

/// Pages for `tidegate explain`.
pub const CODES: &[CodePage] = &[
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
        code: Code(4105),
        title: "A plugin of the wrong kind",
        cause: "A dispatcher is named where a sink is wanted, or a sink where a dispatcher is wanted.",
        action: "Name a sink in the sink URI or [tidegate.sink], a dispatcher in [tidegate.dispatcher].",
    },
    CodePage {
        code: Code(4107),
        title: "The data directory belongs to another upstream",
        cause: "The changefeeds in the data directory were made for another TiDB cluster than the one --pd names. Their checkpoints mean \
                nothing here, so nothing was started and nothing changed.",
        action: "Give --pd of the cluster in the message, or start with another --data-dir and create changefeeds there.",
    },
    CodePage {
        code: Code(4108),
        title: "A secret cannot be read",
        cause: "The changefeed's file names a file or an environment variable of the server for it, and there is none, or it is too large.",
        action: "Put the file into the server's folder of secrets (`[plugins] secrets-dir`, or `secrets` in the data directory), set the \
                 variable and restart the server, or correct the name. Every server needs it.",
    },
    CodePage {
        code: Code(4109),
        title: "A grant of a kind that cannot be opened",
        cause: "The changefeed's file grants an endpoint of a kind that this build does not have.",
        action: "Take the grant out, or use a build that has endpoints of that kind.",
    },
    CodePage {
        code: Code(4110),
        title: "A record without a plugin",
        cause: "The changefeed's record was changed by hand, or by a version that knows other roles.",
        action: "Update the changefeed with its file (`tidegate changefeed update --config`): that writes the record anew.",
    },
    CodePage {
        code: Code(4111),
        title: "A canary found a difference",
        cause: "The new version was run beside the one that runs on a share of the rows. It failed there, or it would have sent something else.",
        action: "The version that runs goes on. If the difference in the message is what you want, activate the version without --canary; \
                 if not, mend it.",
    },
    CodePage {
        code: Code(4120),
        title: "Rules for topics, partitions or columns cannot be used",
        cause: "A rule of `[[sink.dispatchers]]` or `[[sink.column-selectors]]` cannot be read, or does not go together with the protocol: \
                the avro formats need topics with `{schema}` and `{table}`.",
        action: "Correct the rule that the message names, in the changefeed's file.",
    },
    CodePage {
        code: Code(4112),
        title: "A grant cannot be opened",
        cause: "The URL, a header or a file of a grant in the changefeed's file cannot be used.",
        action: "Correct what the message names, in the `[tidegate.grants]` of the changefeed's file.",
    },
    CodePage {
        code: Code(4113),
        title: "Metadata is not moved",
        cause: "The store that it is to be read from is in use by nodes, or the one that it is to be written to is not empty; or a record \
                cannot be read. Nothing was written.",
        action: "Stop the nodes, name another `--cluster-id`, or empty the store, as the message says; then move again.",
    },
    CodePage {
        code: Code(4114),
        title: "Changefeeds of TiCDC are not taken over",
        cause: "One of them runs in TiCDC, reads another upstream, has a name that is taken, or is configured to deliver something that this \
                version would deliver otherwise or not at all. None was made here, and TiCDC's own are as they were.",
        action: "Pause it in TiCDC (`cdc cli changefeed pause`) or change there what the message names, and take over again; `-c` chooses \
                 among them. What cannot be had here stays with TiCDC.",
    },
    CodePage {
        code: Code(4115),
        title: "TiCDC has no such changefeeds",
        cause: "The etcd that was named has no changefeeds of TiCDC below the key in the message, or not all that were asked for. TiCDC before \
                6.2 keeps them elsewhere.",
        action: "TiCDC keeps its changefeeds in PD: name PD's addresses. Look at --ticdc-cluster-id and --keyspace; of an old TiCDC, \
                 create them anew with `tidegate changefeed create --start-ts`.",
    },
];
