//! What a row costs: `cargo run --release -p tg-format-open-protocol --example open_protocol_speed`, or with `--target wasm32-wasip2` and a
//! WebAssembly runtime as the runner.
#![allow(clippy::unwrap_used)]

use tg_format_fixtures::measure;
use tg_format_open_protocol::{OpenProtocol, Options};

fn main() {
    measure("open-protocol", &mut OpenProtocol::new(Options::default()));
}
