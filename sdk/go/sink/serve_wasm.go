package sink

import (
	"tidegate"
	"tidegate/internal/abi"
	"tidegate/internal/border"
	"tidegate/tgr1"
)

type entry struct {
	table   *tidegate.Table
	targets []string
	deliver bool
}

var (
	plugin Sink
	tables = border.Tables[entry]{}
	// empty is what a sink reads that wants nothing delivered.
	empty = tgr1.NewWriter(0, 0, nil, false).Finish()
)

// Serve makes this sink the component's. To be called from an init function.
func Serve(manifest tidegate.Manifest, implementation Sink) {
	plugin = implementation
	border.Describe(manifest)
}

//go:wasmexport tidegate:plugin/sink@1.0.0#open
func open(ctx uint32) uint32 {
	var at tidegate.Position
	var known bool
	err := border.Call(func() error {
		context := border.Context(abi.At[abi.RawContext](ctx))
		abi.Taken()
		if err := plugin.Open(context); err != nil {
			return err
		}
		var err error
		at, known, err = durable()
		return err
	})
	return position(at, known, err)
}

func durable() (tidegate.Position, bool, error) {
	if keeper, ok := plugin.(StatusKeeper); ok {
		return keeper.Status()
	}
	return tidegate.Position{}, false, nil
}

func position(at tidegate.Position, known bool, err error) uint32 {
	if err != nil {
		return border.Fail8(err)
	}
	if !known {
		return abi.Answer8(0, abi.Option[abi.RawPosition]{})
	}
	return abi.Answer8(0, abi.Some(abi.RawPosition(at)))
}

//go:wasmexport tidegate:plugin/sink@1.0.0#on-schema
func onSchema(params uint32) uint32 {
	var plan Plan
	err := border.Call(func() error {
		args := abi.At[struct {
			table   abi.RawTable
			targets abi.List
		}](params)
		e := entry{table: border.Table(&args.table), targets: abi.Strings(args.targets)}
		abi.Taken()
		if handler, ok := plugin.(SchemaHandler); ok {
			var err error
			if plan, err = handler.OnSchema(e.table, e.targets); err != nil {
				return err
			}
		}
		e.deliver = !plan.Undelivered
		tables[e.table.Ref] = e
		return nil
	})
	if err != nil {
		return border.Fail4(err)
	}
	raw := rawPlan{columns: border.LowerColumns(plan.Columns), attrs: border.LowerAttrs(plan.Attrs)}
	raw.batchRows, raw.batchBytes = wish(plan.BatchRows), wish(plan.BatchBytes)
	if !plan.Undelivered {
		raw.deliver = 1
	}
	return abi.Answer4(0, raw)
}

type rawPlan struct {
	columns               abi.Option[abi.List]
	deliver               uint8
	batchRows, batchBytes abi.Option[uint32]
	attrs                 abi.List
}

func wish(n uint32) abi.Option[uint32] {
	if n == 0 {
		return abi.Option[uint32]{}
	}
	return abi.Some(n)
}

//go:wasmexport tidegate:plugin/sink@1.0.0#drop-schema
func dropSchema(table, version uint64) {
	delete(tables, tidegate.TableRef{Table: table, Version: version})
}

//go:wasmexport tidegate:plugin/sink@1.0.0#on-ddl
func onDDL(params uint32) uint32 {
	return border.Unit(border.Call(func() error {
		ddl := border.DDL(abi.At[abi.RawDDL](params))
		abi.Taken()
		if handler, ok := plugin.(DDLHandler); ok {
			return handler.OnDDL(ddl)
		}
		return nil
	}))
}

//go:wasmexport tidegate:plugin/sink@1.0.0#write
func write(handle, data, size uint32) uint32 {
	var bad []tidegate.BadRow
	err := border.Call(func() error {
		batch := border.Batch(handle)
		defer batch.Drop()
		bytes := abi.View[byte](abi.List{Ptr: data, Len: size})
		abi.Taken()
		e, err := tables.Of(batch)
		if err != nil {
			return err
		}
		if !e.deliver {
			bytes = empty
		}
		rows, err := tidegate.NewRows(e.table, e.targets, bytes, batch)
		if err != nil {
			return err
		}
		err = plugin.Write(rows)
		bad = rows.Bad
		return err
	})
	if err != nil {
		return border.Fail8(err)
	}
	raw := rawOutcome{quarantined: border.LowerBad(bad)}
	if holder, ok := plugin.(Holder); ok {
		raw.buffered = holder.Buffered()
	}
	return abi.Answer8(0, raw)
}

type rawOutcome struct {
	quarantined abi.List
	buffered    uint64
}

//go:wasmexport tidegate:plugin/sink@1.0.0#flush
func flush(id, kind uint32, ts uint64, stage uint32, seq uint64) uint32 {
	barrier := Barrier{ID: id, Kind: BarrierKind(kind), At: tidegate.Position{TS: ts, Stage: uint8(stage), Seq: seq}}
	if err := border.Call(func() error { return plugin.Flush(&barrier) }); err != nil {
		return border.Fail4(err)
	}
	ack := rawAck{barrier: id, state: border.LowerBytes(barrier.State)}
	if !barrier.Incomplete {
		ack.complete = 1
	}
	return abi.Answer4(0, ack)
}

type rawAck struct {
	barrier  uint32
	complete uint8
	state    abi.Option[abi.List]
}

//go:wasmexport tidegate:plugin/sink@1.0.0#status
func status() uint32 {
	var at tidegate.Position
	var known bool
	err := border.Call(func() (err error) {
		at, known, err = durable()
		return err
	})
	return position(at, known, err)
}

//go:wasmexport tidegate:plugin/sink@1.0.0#on-checkpoint
func onCheckpoint(ts uint64, stage uint32, seq uint64) uint32 {
	return border.Unit(border.Call(func() error {
		if watcher, ok := plugin.(Watcher); ok {
			return watcher.OnCheckpoint(tidegate.Position{TS: ts, Stage: uint8(stage), Seq: seq})
		}
		return nil
	}))
}

//go:wasmexport tidegate:plugin/sink@1.0.0#on-tick
func onTick() uint32 {
	return border.Unit(border.Call(func() error {
		if ticker, ok := plugin.(Ticker); ok {
			return ticker.OnTick()
		}
		return nil
	}))
}

//go:wasmexport tidegate:plugin/sink@1.0.0#close
func closeSink() {
	// What a panic would say is in the log already, and there is nobody to answer to.
	_ = border.Call(func() error {
		if closer, ok := plugin.(Closer); ok {
			closer.Close()
		}
		return nil
	})
}
