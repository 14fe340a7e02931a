use tg_model::{Code, CodePage};

const fn page(code: u16, title: &'static str, cause: &'static str, action: &'static str) -> CodePage {
    CodePage { code: Code(code), title, cause, action }
}

/// Help for every code of this crate.
pub const CODES: &[CodePage] = &[
    page(
        1101,
        "PD cannot be reached",
        "None of the known PD addresses answered in time.",
        "Check that the PD addresses are right and reachable from here, and that TLS is set on both sides or on none. The request is tried again by itself.",
    ),
    page(
        1102,
        "PD has no leader",
        "The PD members are electing a leader, or have no quorum.",
        "Wait for the election. If it lasts, restore the majority of the PD members.",
    ),
    page(
        1103,
        "PD of another cluster",
        "An endpoint answered with another cluster id than the one this client belongs to.",
        "Correct the list of PD endpoints: all of them must belong to one cluster.",
    ),
    page(
        1104,
        "PD refused a request",
        "PD answered with an error of its own.",
        "Read the message; PD's log says more.",
    ),
    page(
        1105,
        "TLS file unusable",
        "A CA, certificate or key file is missing, unreadable or not PEM.",
        "Check the paths and the permissions. Certificate and key are given together or not at all.",
    ),
    page(
        1106,
        "Not an address",
        "An endpoint is not host:port, with or without http:// or https://.",
        "Correct the address.",
    ),
    page(
        1107,
        "Timestamp in the future",
        "A start or read timestamp is ahead of the cluster's oracle. It is never sent: a read at such a timestamp can end a TiKV process.",
        "Give a timestamp that the cluster has already issued, or none for the present.",
    ),
    page(
        1108,
        "Timestamp already garbage collected",
        "Versions at the timestamp may be gone: the GC safe point is at or above it.",
        "Start from a later timestamp. If a changefeed was stopped for longer than its GC hold lasts, its data is lost for it: make it anew.",
    ),
    page(
        1109,
        "A region keeps failing",
        "Every try met a region error or a broken connection: the region moves, has no leader, or its store is down.",
        "The request is tried again later. If it lasts, look at the region with pd-ctl.",
    ),
    page(
        1110,
        "Lock of a live transaction",
        "A running transaction holds a lock that a read has to wait for.",
        "The read is tried again. If it lasts, end the transaction.",
    ),
    page(
        1111,
        "A read failed",
        "TiKV answered a read with an error for a key.",
        "Read the message; TiKV's log says more.",
    ),
    page(
        1112,
        "Store unusable",
        "PD does not know the store, or it is gone or not one that serves change feeds.",
        "Wait until PD has moved the leaders away; check the store's state with pd-ctl.",
    ),
    page(
        1113,
        "TiKV wants another version",
        "A store refused the version this client names.",
        "Check the compatibility of the cluster's version with this release.",
    ),
    page(
        1114,
        "Store of another cluster",
        "A store behind a known address belongs to another cluster.",
        "Check for address reuse between clusters.",
    ),
    page(
        1115,
        "Change feed broke its rules",
        "A store sent a change at or below a resolved timestamp it had promised, or kept sending commits without prewrites.",
        "The span stops so that nothing wrong is replicated. Start it again from the checkpoint; report the store's version.",
    ),
    page(
        1116,
        "Keyspace unusable",
        "The keyspace is unknown or not enabled.",
        "Check the name with pd-ctl; leave it out for a cluster without keyspaces.",
    ),
    page(
        1118,
        "Too many rows wait for their commit",
        "A large transaction has locked more rows than fit into the memory for rows that wait for their commit, and no directory is given to keep them in (or finding them there would take too much memory).",
        "Give the process a data directory, or raise the limit; else split the transaction. The span starts again from its checkpoint.",
    ),
    page(
        1119,
        "Disk space for waiting rows is used up",
        "Rows of large transactions that wait for their commit fill the space that is set aside for them on disk.",
        "Raise the limit, or end the transactions. The span starts again from its checkpoint.",
    ),
    page(
        1120,
        "Waiting rows cannot be kept on disk",
        "Writing, reading or making a file in the directory for rows that wait for their commit failed.",
        "Check that the directory is writable and its file system has space. The span starts again from its checkpoint.",
    ),
    page(
        1121,
        "A store is too old",
        "A TiKV store reports a version whose change feed this release does not support.",
        "Upgrade the cluster. Stores that are tombstones or TiFlash are not looked at.",
    ),
    page(1117, "Client shut down", "A request came after the client was closed.", "None; the process is ending."),
];
