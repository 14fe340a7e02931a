//! Counters, gauges and histograms. Make handles in `open`; hot calls carry a number only.

#[cfg(target_arch = "wasm32")]
mod raw {
    use crate::guest::base::tidegate::plugin::metrics;

    pub(super) struct Counter(metrics::Counter);
    pub(super) struct Gauge(metrics::Gauge);
    pub(super) struct Histogram(metrics::Histogram);

    impl Counter {
        pub(super) fn new(name: &str) -> Self {
            Self(metrics::Counter::new(name))
        }
        pub(super) fn add(&self, n: u64) {
            self.0.add(n);
        }
    }

    impl Gauge {
        pub(super) fn new(name: &str) -> Self {
            Self(metrics::Gauge::new(name))
        }
        pub(super) fn set(&self, v: f64) {
            self.0.set(v);
        }
    }

    impl Histogram {
        pub(super) fn new(name: &str) -> Self {
            Self(metrics::Histogram::new(name))
        }
        pub(super) fn observe(&self, v: f64) {
            self.0.observe(v);
        }
    }
}

/// Natively a handle is its name, so that a plugin that holds some can move between threads.
#[cfg(not(target_arch = "wasm32"))]
mod raw {
    pub(super) struct Counter(Box<str>);
    pub(super) struct Gauge(Box<str>);
    pub(super) struct Histogram(Box<str>);

    impl Counter {
        pub(super) fn new(name: &str) -> Self {
            Self(name.into())
        }
        pub(super) fn add(&self, n: u64) {
            crate::native::with(|h| h.counter(&self.0)(n));
        }
    }

    impl Gauge {
        pub(super) fn new(name: &str) -> Self {
            Self(name.into())
        }
        pub(super) fn set(&self, v: f64) {
            crate::native::with(|h| h.gauge(&self.0)(v));
        }
    }

    impl Histogram {
        pub(super) fn new(name: &str) -> Self {
            Self(name.into())
        }
        pub(super) fn observe(&self, v: f64) {
            crate::native::with(|h| h.histogram(&self.0)(v));
        }
    }
}

/// A count that only grows.
pub struct Counter(raw::Counter);

impl Counter {
    /// The counter of this name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(raw::Counter::new(name))
    }

    /// Adds `n`.
    pub fn add(&self, n: u64) {
        self.0.add(n);
    }
}

/// A value that goes up and down.
pub struct Gauge(raw::Gauge);

impl Gauge {
    /// The gauge of this name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(raw::Gauge::new(name))
    }

    /// Sets the value.
    pub fn set(&self, v: f64) {
        self.0.set(v);
    }
}

/// How often which size was seen: times in seconds, lengths. A host of contract 1.0 does not have it.
pub struct Histogram(raw::Histogram);

impl Histogram {
    /// The histogram of this name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(raw::Histogram::new(name))
    }

    /// Counts a value.
    pub fn observe(&self, v: f64) {
        self.0.observe(v);
    }
}
