// Package sink makes a plugin that writes somewhere.
package sink

import "tidegate"

// Sink writes rows. One instance serves one lane of one slot, and the host makes one call at a time.
//
// What more it may want to know it says by further methods: see SchemaHandler, DDLHandler, Ticker, Watcher, StatusKeeper, Holder, Closer.
type Sink interface {
	// Open starts. Everything up to the context's checkpoint is durable already.
	Open(ctx *tidegate.Context) error
	// Write takes rows of one table version, in commit order; they need not be durable yet. Bytes of the rows are good for this
	// call only as far as the sink keeps references to them.
	Write(rows *tidegate.Rows) error
	// Flush makes everything written so far durable.
	Flush(barrier *Barrier) error
}

// SchemaHandler is told of every table version before its first row and says what is wanted of it.
type SchemaHandler interface {
	OnSchema(table *tidegate.Table, targets []string) (Plan, error)
}

// DDLHandler carries DDLs out, between barriers. Without it they are passed over.
type DDLHandler interface {
	OnDDL(ddl *tidegate.DDL) error
}

// Ticker is called about every second.
type Ticker interface {
	OnTick() error
}

// Watcher is told, about once a second and on the instance that runs DDL, up to where the whole changefeed is durable.
type Watcher interface {
	OnCheckpoint(at tidegate.Position) error
}

// StatusKeeper is a sink whose own store keeps the position: it is asked when a sink opens and after a failure of unknown outcome.
type StatusKeeper interface {
	// Status is what is durable; false: nothing yet.
	Status() (tidegate.Position, bool, error)
}

// Holder is a sink that tells how many bytes it holds that are not durable: the host may flush early.
type Holder interface {
	Buffered() uint64
}

// Closer is told that no more calls come.
type Closer interface {
	Close()
}

// Plan is what a sink wants of one table version. The zero Plan wants every column.
type Plan struct {
	// Columns wanted, by position; nil: all; empty: row headers only.
	Columns []uint32
	// Undelivered: nothing is delivered with Write; rows are read on demand, if at all.
	Undelivered bool
	// BatchRows and BatchBytes are what this sink would like before a flush; 0: the host chooses.
	BatchRows, BatchBytes uint32
	Attrs                 []tidegate.Attr
}

// BarrierKind is why a barrier comes.
type BarrierKind uint8

// The kinds of barrier, as the contract numbers them.
const (
	// Checkpoint: progress.
	Checkpoint BarrierKind = iota
	// DDL: one follows.
	DDL
	// Swap: another version of the plugin takes over.
	Swap
	// Stop: the instance ends.
	Stop
)

// Barrier asks to make everything written durable. What a sink leaves in it is the answer.
type Barrier struct {
	ID   uint32
	Kind BarrierKind
	// At is what becomes durable with the barrier.
	At tidegate.Position
	// Incomplete: not everything is durable yet; the host asks again.
	Incomplete bool
	// State is saved by the host in one step with the checkpoint; at most 64 KiB.
	State []byte
}
