//! `metrics`: the guest's own counters and gauges.

use crate::bindings::api::metrics::{Host, HostCounter, HostGauge, HostHistogram};
use crate::histogram::Histogram;
use crate::state::State;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use wasmtime::component::Resource;

/// A counter's cell.
pub struct CounterResource(Arc<AtomicU64>);
/// A gauge's cell.
pub struct GaugeResource(Arc<AtomicU64>);
/// A histogram.
pub struct HistogramResource(Arc<Histogram>);

impl Host for State {}

impl HostCounter for State {
    fn new(&mut self, name: String) -> wasmtime::Result<Resource<CounterResource>> {
        let cell = self.metrics.counter(&name);
        Ok(self.table.push(CounterResource(cell))?)
    }

    fn add(&mut self, counter: Resource<CounterResource>, n: u64) -> wasmtime::Result<()> {
        self.table.get(&counter)?.0.fetch_add(n, Relaxed);
        Ok(())
    }

    fn drop(&mut self, counter: Resource<CounterResource>) -> wasmtime::Result<()> {
        self.table.delete(counter)?;
        Ok(())
    }
}

impl HostGauge for State {
    fn new(&mut self, name: String) -> wasmtime::Result<Resource<GaugeResource>> {
        let cell = self.metrics.gauge(&name);
        Ok(self.table.push(GaugeResource(cell))?)
    }

    fn set(&mut self, gauge: Resource<GaugeResource>, v: f64) -> wasmtime::Result<()> {
        self.table.get(&gauge)?.0.store(v.to_bits(), Relaxed);
        Ok(())
    }

    fn drop(&mut self, gauge: Resource<GaugeResource>) -> wasmtime::Result<()> {
        self.table.delete(gauge)?;
        Ok(())
    }
}

impl HostHistogram for State {
    fn new(&mut self, name: String) -> wasmtime::Result<Resource<HistogramResource>> {
        let histogram = self.metrics.histogram(&name);
        Ok(self.table.push(HistogramResource(histogram))?)
    }

    fn observe(&mut self, histogram: Resource<HistogramResource>, v: f64) -> wasmtime::Result<()> {
        self.table.get(&histogram)?.0.observe(v);
        Ok(())
    }

    fn drop(&mut self, histogram: Resource<HistogramResource>) -> wasmtime::Result<()> {
        self.table.delete(histogram)?;
        Ok(())
    }
}
