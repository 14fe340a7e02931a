//! The `metadata` file: how far everything is written.

/// Its path.
pub const METADATA: &str = "metadata";

/// Its content: every change up to and with this timestamp is there.
#[must_use]
pub fn checkpoint_text(ts: u64) -> String {
    format!("{{\"checkpoint-ts\":{ts}}}")
}

/// The timestamp of a file; `None`: it is damaged.
#[must_use]
pub fn checkpoint_of(content: &[u8]) -> Option<u64> {
    serde_json::from_slice::<serde_json::Value>(content).ok()?.get("checkpoint-ts")?.as_u64()
}

#[cfg(test)]
mod tests {
    use super::{checkpoint_of, checkpoint_text};

    #[test]
    fn what_was_written_is_read() {
        assert_eq!(checkpoint_text(470_609_021_224_353_795), r#"{"checkpoint-ts":470609021224353795}"#);
        assert_eq!(checkpoint_of(checkpoint_text(7).as_bytes()), Some(7));
        assert_eq!(checkpoint_of(b"{}"), None);
        assert_eq!(checkpoint_of(b"\xff"), None);
    }
}
