//! What a row costs: `cargo run --release -p tg-format-csv --example csv_speed`, or with `--target wasm32-wasip2` and a
//! WebAssembly runtime as the runner.
#![allow(clippy::unwrap_used)]

use tg_format_csv::{Csv, Options};
use tg_format_fixtures::measure;

fn main() {
    measure("csv", &mut Csv::new(Options::default()).unwrap());
}
