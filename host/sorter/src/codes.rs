//! Help pages for the sorter's error codes.

use crate::SorterError;
use tg_model::CodePage;

/// One page per code.
pub const CODES: &[CodePage] = &[
    CodePage {
        code: SorterError::OPEN,
        title: "the sorter's directory cannot be opened",
        cause: "The directory for spilled changes cannot be wiped or created, or RocksDB cannot start in it: \
                wrong owner, read-only or full file system, or another process uses it.",
        action: "Check that the data directory exists, is writable for the server's user, has free space, and \
                 is not shared with another server. Its content may be deleted while the server is down.",
    },
    CodePage {
        code: SorterError::DISK_LIMIT,
        title: "the sorter's disk limit is reached",
        cause: "More changes wait for the downstream (or for a slow resolved-ts) than the disk limit allows.",
        action: "Find what holds the checkpoint back (`tidegate why`), or raise the sorter's disk limit. Nothing \
                 is lost: the feed goes on from its checkpoint when space is given back.",
    },
    CodePage {
        code: SorterError::DISK,
        title: "the sorter's disk store failed",
        cause: "RocksDB could not read or write a file; usually the disk is full or failing.",
        action: "Free space or replace the disk; the changefeed tries again by itself. Spilled changes are read again \
                 from the upstream, so the directory holds nothing that has to be saved.",
    },
    CodePage {
        code: SorterError::DAMAGED,
        title: "a spilled change came back damaged",
        cause: "A record read from the sorter's directory has a form that is never written: damaged disk or \
                memory, or another program wrote into the directory.",
        action: "Check the disk and the memory of the machine, then resume the changefeed: its changes are read \
                 again from the upstream.",
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use tg_model::Coded;

    #[test]
    fn every_code_has_one_page() {
        let errors = [
            SorterError::Open { dir: "x".into(), cause: String::new() },
            SorterError::DiskLimit { need_bytes: 1, used_bytes: 2, limit_bytes: 3 },
            SorterError::Disk { what: "read", cause: String::new() },
            SorterError::Damaged { commit_ts: 0, len_bytes: 0 },
        ];
        for e in &errors {
            assert_eq!(CODES.iter().filter(|p| p.code == e.code()).count(), 1, "{e}");
        }
        assert_eq!(CODES.len(), errors.len());
    }
}
