//! What a row costs: `cargo run --release -p tg-format-debezium-avro --example debezium_avro_speed`, or with `--target wasm32-wasip2` and a
//! WebAssembly runtime as the runner.
#![allow(clippy::unwrap_used)]

use tg_format_avro::{Registry, SchemaId};
use tg_format_debezium_avro::{DebeziumAvro, Options};
use tg_format_fixtures::measure;

/// One id for everything.
struct One;

impl Registry for One {
    fn schema_id(&mut self, _: &str, _: &str) -> Result<SchemaId, String> {
        Ok(SchemaId::Confluent(1))
    }
}

fn main() {
    measure("debezium avro", &mut DebeziumAvro::new(Options::default(), Box::new(|_, table| table.to_owned()), One));
}
