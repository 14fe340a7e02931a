package metrics

//go:wasmimport tidegate:plugin/metrics@1.0.0 [constructor]counter
func newCounter(name string) uint32

//go:wasmimport tidegate:plugin/metrics@1.0.0 [method]counter.add
func counterAdd(counter uint32, n uint64)

//go:wasmimport tidegate:plugin/metrics@1.0.0 [constructor]gauge
func newGauge(name string) uint32

//go:wasmimport tidegate:plugin/metrics@1.0.0 [method]gauge.set
func gaugeSet(gauge uint32, v float64)
