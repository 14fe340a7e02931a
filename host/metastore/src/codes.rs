//! Help pages for the metadata store's error codes.

use tg_model::{Code, CodePage};

const fn page(code: u16, title: &'static str, cause: &'static str, action: &'static str) -> CodePage {
    CodePage { code: Code(code), title, cause, action }
}

/// One page per code.
pub const CODES: &[CodePage] = &[
    page(
        5201,
        "the metadata store cannot be reached",
        "etcd is down, has no leader, refuses the credentials or is cut off by the network.",
        "Check the endpoints and `etcdctl endpoint health`. Changefeeds resume by themselves when it is back.",
    ),
    page(
        5202,
        "the metadata store is slow",
        "etcd answered too late: a slow disk, an overloaded node or a bad network.",
        "Check etcd's disk latency and load. The request is repeated.",
    ),
    page(
        5203,
        "the history of the metadata is gone",
        "A watch was interrupted for longer than the store keeps history.",
        "Nothing: the records are read anew and watched from there.",
    ),
    page(
        5204,
        "a lease has ended",
        "The process was stopped, paused or cut off from the metadata store for longer than its lease.",
        "Nothing: the capture registers anew. If it recurs, look for pauses of the machine and for a slow etcd.",
    ),
    page(
        5205,
        "the data directory is in use",
        "Another process with the same data directory is running.",
        "Stop it, or give this one a data directory of its own.",
    ),
    page(
        5206,
        "the metadata file failed",
        "The file of the embedded metadata store cannot be opened, read or written: a full or failing disk or wrong permissions.",
        "Free space, or check the disk and the permissions of the data directory. A changefeed tries again by itself and goes on from its checkpoint; a server that did not start has to be started again.",
    ),
    page(
        5207,
        "a metadata record cannot be read",
        "A record in the metadata store is damaged or was written by something else.",
        "Look at the key named in the message; remove or repair the record.",
    ),
    page(
        5208,
        "a metadata record is from a newer version",
        "A newer version of Tidegate has written the record.",
        "Upgrade this server.",
    ),
    page(
        5209,
        "the owner was replaced",
        "Another capture became owner while this one was still writing as owner.",
        "Nothing: the new owner carries on.",
    ),
    page(
        5210,
        "a record was changed meanwhile",
        "Two clients changed the same record at the same time.",
        "Repeat the request; it is then based on the new content.",
    ),
    page(
        5211,
        "a checkpoint was to go back",
        "A checkpoint before the stored one was reported. It was refused; it points to a defect or to two clusters on one changefeed.",
        "Check that no second cluster uses the same metadata, and report the message.",
    ),
    page(
        5212,
        "the changefeed exists",
        "A changefeed with that name exists already.",
        "Take another name, or remove the old changefeed.",
    ),
    page(
        5213,
        "there is no such changefeed",
        "No changefeed with that name exists in this cluster.",
        "Check the name and the namespace with `tidegate changefeed list`.",
    ),
    page(
        5214,
        "another node runs the changefeed",
        "The changefeed was given to another node while this one still ran it: this one was thought to be gone, or it was moved.",
        "Nothing: the other node carries on, and what this one tried was refused.",
    ),
    page(
        5215,
        "certificates for the metadata store cannot be used",
        "A file of `[metastore]` or of `--ca`, `--cert`, `--key` is missing or is not PEM.",
        "Look at the file in the message.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MetaError;
    use tg_model::{Coded, Position};

    #[test]
    fn every_code_has_one_page() {
        let (what, text) = ("try", String::new);
        let errors = [
            MetaError::Unavailable { what, cause: text() },
            MetaError::Timeout { what, limit_ms: 1 },
            MetaError::Compacted { from_rev: 1, oldest_rev: 2 },
            MetaError::LeaseLost { lease: 1 },
            MetaError::Locked { dir: "d".into() },
            MetaError::Storage { what, cause: text() },
            MetaError::BadRecord { key: text(), cause: text() },
            MetaError::NewerFormat { key: text(), found: 2, known: 1 },
            MetaError::NotOwner { rev: 1, what },
            MetaError::NotRunner { changefeed: text(), rev: 1, what },
            MetaError::Tls { reason: text() },
            MetaError::Conflict { key: text() },
            MetaError::CheckpointBack { changefeed: text(), from: Position::ZERO, to: Position::ZERO },
            MetaError::Exists { changefeed: text() },
            MetaError::NotFound { changefeed: text() },
        ];
        for e in &errors {
            assert_eq!(CODES.iter().filter(|p| p.code == e.code()).count(), 1, "{e}");
        }
        assert_eq!(CODES.len(), errors.len());
    }
}
