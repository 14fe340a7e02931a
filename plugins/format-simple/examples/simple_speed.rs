//! What a row costs: `cargo run --release -p tg-format-simple --example simple_speed`, or with `--target wasm32-wasip2` and a
//! WebAssembly runtime as the runner.
#![allow(clippy::unwrap_used)]

use tg_format_fixtures::measure;
use tg_format_simple::{Encoding, Options, Simple};

fn main() {
    for (name, encoding) in [("simple json", Encoding::Json), ("simple avro", Encoding::Avro)] {
        measure(name, &mut Simple::new(Options { encoding, ..Options::default() }));
    }
}
