//! Counters and gauges. Make handles in `open`; hot calls carry a number only.

#[cfg(target_arch = "wasm32")]
mod raw {
    pub(super) use crate::guest::base::tidegate::plugin::metrics::{Counter, Gauge};
}

/// A count that only grows.
pub struct Counter {
    #[cfg(target_arch = "wasm32")]
    raw: raw::Counter,
    #[cfg(not(target_arch = "wasm32"))]
    add: Option<Box<dyn Fn(u64)>>,
}

impl Counter {
    /// The counter of this name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        #[cfg(target_arch = "wasm32")]
        {
            Self { raw: raw::Counter::new(name) }
        }
        #[cfg(not(target_arch = "wasm32"))]
        {
            Self { add: crate::native::with(|h| h.counter(name)) }
        }
    }

    /// Adds `n`.
    pub fn add(&self, n: u64) {
        #[cfg(target_arch = "wasm32")]
        self.raw.add(n);
        #[cfg(not(target_arch = "wasm32"))]
        if let Some(add) = &self.add {
            add(n);
        }
    }
}

/// A value that goes up and down.
pub struct Gauge {
    #[cfg(target_arch = "wasm32")]
    raw: raw::Gauge,
    #[cfg(not(target_arch = "wasm32"))]
    set: Option<Box<dyn Fn(f64)>>,
}

impl Gauge {
    /// The gauge of this name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        #[cfg(target_arch = "wasm32")]
        {
            Self { raw: raw::Gauge::new(name) }
        }
        #[cfg(not(target_arch = "wasm32"))]
        {
            Self { set: crate::native::with(|h| h.gauge(name)) }
        }
    }

    /// Sets the value.
    pub fn set(&self, v: f64) {
        #[cfg(target_arch = "wasm32")]
        self.raw.set(v);
        #[cfg(not(target_arch = "wasm32"))]
        if let Some(set) = &self.set {
            set(v);
        }
    }
}
