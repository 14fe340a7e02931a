//! A transaction of 2 GiB through the upstream client and the sorter, in a process that stays below 512 MiB.
//! Says what it took; fails when the bound does not hold.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../tests/huge/run.rs"]
mod run;

fn main() {
    run::main(&run::Case {
        rows: 2 << 20,
        row_bytes: 1 << 10,
        bound_bytes: 512 << 20,
        feed_bytes: 16 << 20,
        unmatched_bytes: 64 << 20,
        sorter_bytes: 128 << 20,
    });
}
