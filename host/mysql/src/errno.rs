//! Numbers of server errors that decide what happens next. MySQL and MariaDB agree below 1900; TiDB's own start at 8000.

/// Another transaction has the row locked.
pub(crate) const LOCK_WAIT_TIMEOUT: u16 = 1205;

/// A unique key is taken.
pub(crate) const DUPLICATE: &[u16] = &[
    1062, // ER_DUP_ENTRY
    1586, // ER_DUP_ENTRY_WITH_KEY_NAME
    1859, // ER_DUP_UNKNOWN_IN_INDEX
];

/// Credentials and rights.
pub(crate) const DENIED: &[u16] = &[
    1044, // no rights on the database
    1045, // wrong user or password
    1130, // host may not connect
    1142, // no rights on the table
    1143, // no rights on the column
    1227, // a privilege is needed
    1251, // authentication protocol not supported
    1370, // no rights on the routine
    1698, // MariaDB: access denied, no password
    1820, // password must be reset
    1862, // password has expired
    3118, // account is locked
    4151, // MariaDB: account is locked
    8121, // TiDB: privilege check failed
];

/// The transaction was undone, or the server cannot serve for now.
pub(crate) const RETRYABLE: &[u16] = &[
    1020, // record changed since it was read
    1021, // disk full
    1028, // sort aborted
    1037, // out of memory
    1038, // out of sort memory
    1040, // too many connections
    1041, // out of resources
    1047, // Galera: node is not ready
    1053, // shutdown in progress
    1114, // table full
    1135, // cannot create a thread
    1152, 1184, // connection aborted
    1158, 1159, 1160, 1161, // network read and write errors
    1203, // user has too many connections
    1205, // lock wait timeout
    1206, // lock table full
    1213, // deadlock
    1226, // user exceeded a resource limit
    1290, // read only
    1317, // interrupted
    1412, // definition changed
    1580, // log tables locked
    1613, 1614, // XA rolled back
    1615, // prepare again
    1637, // too many transactions
    1792, // transaction is read only
    1836, // server is read only
    1927, // MariaDB: connection was killed
    1969, // MariaDB: statement took too long
    2006, // gone away
    2013, // lost
    3024, // statement took too long
    3100, 3101, // group replication undid the transaction
    3168, // server is not available
    3572, // lock not available at once
    4031, // disconnected for inactivity
    8001, // TiDB: memory quota exceeded
    8002, // TiDB: write conflict
    8005, // TiDB: write conflict in local latch
    8018, 8019, // TiDB: transaction is retryable
    8022, // TiDB: transaction is retryable
    8027, // TiDB: schema is out of date
    8028, // TiDB: schema changed in the transaction
    8175, // TiDB: memory limit
    8176, // TiDB: server memory limit
    8229, // TiDB: transaction ran too long
    8252, // TiDB: resource group throttled
    9001, // TiDB: PD timeout
    9002, // TiDB: TiKV timeout
    9003, // TiDB: TiKV busy
    9004, // TiDB: lock not resolved in time
    9005, // TiDB: region unavailable
    9006, // TiDB: life time of GC shorter than the transaction
    9007, // TiDB: write conflict
    9008, // TiDB: store limit
    9009, // TiDB: prewrite found the transaction gone
    9010, // TiDB: TiKV stale command
    9011, // TiDB: TiKV max timestamp not synced
    9012, // TiDB: TiFlash timeout
    9013, // TiDB: TiFlash busy
];

/// In answer to COMMIT (or within DDL) these leave open what happened.
pub(crate) const OPEN_OUTCOME: &[u16] = &[
    1053, 1152, 1158, 1159, 1160, 1161, 1184, 1317, 1927, 1969, 2006, 2013, 3024, // cut short
    1180, // error during COMMIT
    8501, // TiDB: outcome undetermined
    9001, 9002, 9005, // TiDB: timeouts towards the store
];
