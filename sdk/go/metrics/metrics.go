// Package metrics holds counters and gauges. Make them in Open: hot calls carry a number only.
package metrics

// Counter is a count that only grows.
type Counter struct{ handle uint32 }

// Gauge is a value that goes up and down.
type Gauge struct{ handle uint32 }

// NewCounter is the counter of this name.
func NewCounter(name string) *Counter { return &Counter{newCounter(name)} }

// Add adds n.
func (c *Counter) Add(n uint64) { counterAdd(c.handle, n) }

// NewGauge is the gauge of this name.
func NewGauge(name string) *Gauge { return &Gauge{newGauge(name)} }

// Set sets the value.
func (g *Gauge) Set(v float64) { gaugeSet(g.handle, v) }
