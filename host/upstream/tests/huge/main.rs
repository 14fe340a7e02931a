//! One transaction much larger than the process may grow: a bounded stand-in for the measured run of
//! 2 GiB (`cargo run -p tg-upstream --example huge_txn`).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod run;

fn main() {
    run::main(&run::Case {
        rows: 256 << 10,
        row_bytes: 1 << 10,
        bound_bytes: 80 << 20,
        feed_bytes: 2 << 20,
        unmatched_bytes: 8 << 20,
        sorter_bytes: 16 << 20,
    });
}
