//! Each stage alone, on one thread.

pub(crate) mod crossing;
pub(crate) mod decode;
pub(crate) mod kafka;
pub(crate) mod limits;
pub(crate) mod mount;
pub(crate) mod mysql;
pub(crate) mod sort;

/// What the stages are compared with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// CPU nanoseconds to copy a byte that is not in the cache.
    pub(crate) memcpy_ns_per_byte: f64,
    /// CPU nanoseconds, both ends, to bring a byte through a loopback socket.
    pub(crate) loopback_ns_per_byte: f64,
}

impl Limits {
    /// How many times copying `bytes` a cost is.
    pub(crate) fn copies(&self, cpu_ns: f64, bytes: f64) -> String {
        format!("{:.1} x memcpy", cpu_ns / (bytes * self.memcpy_ns_per_byte))
    }

    /// How many times passing `bytes` through loopback a cost is.
    pub(crate) fn loopbacks(&self, cpu_ns: f64, bytes: f64) -> String {
        format!("{:.2} x loopback", cpu_ns / (bytes * self.loopback_ns_per_byte))
    }
}
