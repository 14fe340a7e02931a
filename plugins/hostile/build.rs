//! Compiles the hostile guests, unless it is those that are being compiled.

#[path = "../builtin/build/guests.rs"]
mod guests;

use guests::Guest;

/// Example and the constant it becomes.
const GUESTS: &[(&str, &str)] = &[
    ("hostile_sink", "SINK"),
    ("hostile_dispatcher", "DISPATCHER"),
    ("hostile_transform", "TRANSFORM"),
    ("past", "PAST"),
];
const WATCHED: &[&str] = &["wit", "sdk/rust", "plugins/builtin/build", "plugins/hostile"];

fn main() {
    if guests::var("CARGO_CFG_TARGET_ARCH") == "wasm32" {
        return;
    }
    let mut what = vec!["-p", "tg-plugin-hostile"];
    what.extend(GUESTS.iter().flat_map(|(example, _)| ["--example", example]));
    let guest = |(name, constant): &(&'static str, &'static str)| Guest {
        constant,
        name,
        file: format!("examples/{name}.wasm"),
    };
    guests::build(WATCHED, &what, &GUESTS.iter().map(guest).collect::<Vec<_>>());
}
