//! What a row costs: `cargo run --release -p tg-format-canal-json --example canal_json_speed`, or with `--target wasm32-wasip2` and a
//! WebAssembly runtime as the runner.
#![allow(clippy::unwrap_used)]

use tg_format_canal_json::{CanalJson, Options};
use tg_format_fixtures::measure;

fn main() {
    measure("canal-json", &mut CanalJson::new(Options { enable_tidb_extension: true, ..Options::default() }).unwrap());
}
