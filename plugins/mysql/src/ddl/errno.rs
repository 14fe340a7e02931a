//! Server errors that say that a DDL has taken effect before.

/// Always: what the statement makes is there, what it drops is gone (`ticdc-surface` 6.5).
const DONE: &[u16] = &[
    1007, // database exists
    1008, // database to drop does not exist
    1050, // table exists
    1051, // table to drop does not exist
    1054, // unknown column (renamed or changed before)
    1060, // duplicate column
    1061, // duplicate key name
    1068, // several primary keys
    1091, // column or key to drop does not exist
    1176, // key does not exist
    1507, // partition to drop does not exist
    1517, // duplicate partition name
    1831, // duplicate index
];

/// Only for a statement handed over before with an outcome that is not known.
const DONE_BEFORE: &[u16] = &[
    1022, // duplicate constraint name
    1146, // table to rename does not exist
    1505, // partitioning was removed
    1735, // partition to reorganize does not exist
    1826, // duplicate foreign key name
    4092, // MariaDB: view does not exist
];

/// Whether the error means that there is nothing left to do.
pub(super) fn means_done(errno: u16, maybe_done: bool) -> bool {
    DONE.contains(&errno) || (maybe_done && DONE_BEFORE.contains(&errno))
}

#[cfg(test)]
mod tests {
    use super::means_done;

    #[test]
    fn a_missing_table_is_no_success_the_first_time() {
        assert!(means_done(1050, false) && means_done(1091, false));
        assert!(!means_done(1146, false) && means_done(1146, true));
        assert!(!means_done(0, true) && !means_done(1064, true));
    }
}
