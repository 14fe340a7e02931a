//! Compiles the guests that are shipped in the binary.

#[path = "build/guests.rs"]
mod guests;

use guests::Guest;

/// Package and the constant it becomes.
const GUESTS: &[(&str, &str)] = &[
    ("tg-plugin-mysql", "MYSQL"),
    ("tg-plugin-postgres", "POSTGRES"),
    ("tg-plugin-dispatcher", "DISPATCHER"),
    ("tg-plugin-print", "PRINT"),
    ("tg-plugin-blackhole", "BLACKHOLE"),
    ("tg-plugin-webhook", "WEBHOOK"),
    ("tg-plugin-mask", "MASK"),
    ("tg-plugin-route", "ROUTE"),
    ("tg-plugin-storage", "STORAGE"),
    ("tg-plugin-kafka", "KAFKA"),
    ("tg-plugin-rules", "RULES"),
];
const WATCHED: &[&str] = &[
    "wit",
    "sdk/rust",
    "plugins/builtin/build",
    "plugins/sql-common/src",
    "plugins/sql-common/Cargo.toml",
    "plugins/mysql/src",
    "plugins/mysql/Cargo.toml",
    "plugins/postgres/src",
    "plugins/postgres/Cargo.toml",
    "plugins/dispatcher/src",
    "plugins/dispatcher/Cargo.toml",
    "plugins/print/src",
    "plugins/print/Cargo.toml",
    "plugins/blackhole/src",
    "plugins/blackhole/Cargo.toml",
    "plugins/webhook/src",
    "plugins/webhook/Cargo.toml",
    "plugins/mask/src",
    "plugins/mask/Cargo.toml",
    "plugins/route/src",
    "plugins/route/Cargo.toml",
    "plugins/storage/src",
    "plugins/storage/Cargo.toml",
    "plugins/format-storage/src",
    "plugins/format-common/src",
    "plugins/format-csv/src",
    "plugins/format-parquet/src",
    "plugins/format-canal-json/src",
    "plugins/kafka/src",
    "plugins/kafka/Cargo.toml",
    "plugins/rules/src",
    "plugins/rules/Cargo.toml",
    "plugins/format-common/src",
    "plugins/format-partition/src",
    "plugins/format-rules/src",
    "plugins/format-canal-json/src",
    "plugins/format-open-protocol/src",
    "plugins/format-simple/src",
    "plugins/format-debezium/src",
    "plugins/format-debezium-avro/src",
    "plugins/format-avro/src",
    "host/filter/src",
    "host/model/src",
];

fn main() {
    let what: Vec<&str> = GUESTS.iter().flat_map(|(package, _)| ["-p", package]).collect();
    let guest = |(name, constant): &(&'static str, &'static str)| Guest {
        constant,
        name,
        file: format!("{}.wasm", name.replace('-', "_")),
    };
    guests::build(WATCHED, &what, &GUESTS.iter().map(guest).collect::<Vec<_>>());
}
