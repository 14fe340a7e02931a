//! Secrets the operator granted by name. Prefer endpoints, where the host keeps the secret to itself.

/// The value of a secret.
///
/// # Errors
/// When it is not granted.
pub fn get(name: &str) -> Result<String, String> {
    #[cfg(target_arch = "wasm32")]
    {
        crate::guest::sink::tidegate::plugin::secret::get(name)
    }
    #[cfg(not(target_arch = "wasm32"))]
    {
        let denied = || Err(format!("the secret {name:?} is not granted"));
        crate::native::with(|h| h.secret(name)).unwrap_or_else(denied)
    }
}
