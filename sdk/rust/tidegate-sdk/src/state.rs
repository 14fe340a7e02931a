//! A small durable map of this instance's slot and lane.
//!
//! Changes become durable together with the next acknowledged barrier, and are thrown away when the instance is replaced before.
//! All keys and values together: at most 64 KiB.

/// The value of a key.
#[must_use]
pub fn get(key: &str) -> Option<Vec<u8>> {
    #[cfg(target_arch = "wasm32")]
    {
        crate::guest::sink::tidegate::plugin::state::get(key)
    }
    #[cfg(not(target_arch = "wasm32"))]
    {
        crate::native::with(|h| h.state_get(key)).flatten()
    }
}

/// Sets the value of a key.
///
/// # Errors
/// When the map would grow beyond its limit.
pub fn set(key: &str, value: &[u8]) -> Result<(), String> {
    #[cfg(target_arch = "wasm32")]
    {
        crate::guest::sink::tidegate::plugin::state::set(key, value)
    }
    #[cfg(not(target_arch = "wasm32"))]
    {
        crate::native::with(|h| h.state_set(key, value)).unwrap_or_else(|| Err("there is no host".to_owned()))
    }
}

/// Removes a key.
pub fn delete(key: &str) {
    #[cfg(target_arch = "wasm32")]
    {
        crate::guest::sink::tidegate::plugin::state::delete(key);
    }
    #[cfg(not(target_arch = "wasm32"))]
    {
        crate::native::with(|h| h.state_delete(key));
    }
}

/// Keys that begin with `prefix`, in order, at most `limit`.
#[must_use]
pub fn keys(prefix: &str, limit: u32) -> Vec<String> {
    #[cfg(target_arch = "wasm32")]
    {
        crate::guest::sink::tidegate::plugin::state::keys(prefix, limit)
    }
    #[cfg(not(target_arch = "wasm32"))]
    {
        crate::native::with(|h| h.state_keys(prefix, limit)).unwrap_or_default()
    }
}
