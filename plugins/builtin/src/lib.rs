//! The plugins shipped in the binary, as WebAssembly components. They use the public contract and nothing else.
//!
//! Does: compile them when this crate is built, and hold their bytes.
//! Does not: load or run them (that is `tg-plugin`).

include!(concat!(env!("OUT_DIR"), "/guests.rs"));

/// Names of the built-in plugins.
pub const NAMES: &[&str] =
    &["mysql", "postgres", "dispatcher", "print", "blackhole", "webhook", "mask", "route", "storage", "kafka", "rules"];

/// The component with this name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static [u8]> {
    Some(match name {
        "mysql" => MYSQL,
        "postgres" => POSTGRES,
        "dispatcher" => DISPATCHER,
        "print" => PRINT,
        "blackhole" => BLACKHOLE,
        "webhook" => WEBHOOK,
        "mask" => MASK,
        "route" => ROUTE,
        "storage" => STORAGE,
        "kafka" => KAFKA,
        "rules" => RULES,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_name_has_a_component() {
        for name in super::NAMES {
            // The header of a component: magic, version 0x0d, layer 1.
            assert!(super::by_name(name).is_some_and(|b| b.starts_with(b"\0asm\x0d\0\x01\0")), "{name}");
        }
    }
}
