//! What time it is.

/// Milliseconds since 1970.
#[must_use]
pub fn wall_ms() -> u64 {
    #[cfg(target_arch = "wasm32")]
    {
        crate::guest::sink::tidegate::plugin::clock::wall_ms()
    }
    #[cfg(not(target_arch = "wasm32"))]
    {
        let now = || std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(0, |d| d.as_millis() as u64);
        crate::native::with(|h| h.wall_ms()).unwrap_or_else(now)
    }
}

/// Nanoseconds since some moment; never goes back.
#[must_use]
pub fn monotonic_ns() -> u64 {
    #[cfg(target_arch = "wasm32")]
    {
        crate::guest::sink::tidegate::plugin::clock::monotonic_ns()
    }
    #[cfg(not(target_arch = "wasm32"))]
    {
        crate::native::with(|h| h.monotonic_ns()).unwrap_or_else(crate::native::since_start_ns)
    }
}
