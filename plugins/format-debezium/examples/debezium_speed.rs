//! What a row costs: `cargo run --release -p tg-format-debezium --example debezium_speed`, or with `--target wasm32-wasip2` and a
//! WebAssembly runtime as the runner.
#![allow(clippy::unwrap_used)]

use tg_format_debezium::{Debezium, Options};
use tg_format_fixtures::measure;

fn main() {
    measure("debezium", &mut Debezium::new(Options::default()));
    let bare = Options { disable_schema: true, ..Options::default() };
    measure("debezium bare", &mut Debezium::new(bare));
}
