package dispatcher

import (
	"tidegate"
	"tidegate/internal/abi"
	"tidegate/internal/border"
)

var (
	plugin    Dispatcher
	tables    = border.Tables[*tidegate.Table]{}
	decisions Decisions
)

// Serve makes this dispatcher the component's. To be called from an init function.
func Serve(manifest tidegate.Manifest, implementation Dispatcher) {
	plugin = implementation
	border.Describe(manifest)
}

//go:wasmexport tidegate:plugin/dispatcher@1.0.0#open
func open(ctx uint32) uint32 {
	return border.Unit(border.Call(func() error {
		context := border.Context(abi.At[abi.RawContext](ctx))
		abi.Taken()
		return plugin.Open(context)
	}))
}

type rawPlan struct {
	columns abi.Option[abi.List]
	targets abi.List
	split   bool
	attrs   abi.List
}

//go:wasmexport tidegate:plugin/dispatcher@1.0.0#on-schema
func onSchema(schema uint32) uint32 {
	var plan Plan
	err := border.Call(func() (err error) {
		table := border.Table(abi.At[abi.RawTable](schema))
		abi.Taken()
		if plan, err = plugin.OnSchema(table); err == nil {
			tables[table.Ref] = table
		}
		return err
	})
	if err != nil {
		return border.Fail4(err)
	}
	return abi.Answer4(0, rawPlan{
		border.LowerColumns(plan.Columns), abi.LendStrings(plan.Targets), plan.SplitKeyUpdates, border.LowerAttrs(plan.Attrs),
	})
}

//go:wasmexport tidegate:plugin/dispatcher@1.0.0#drop-schema
func dropSchema(table, version uint64) {
	delete(tables, tidegate.TableRef{Table: table, Version: version})
}

//go:wasmexport tidegate:plugin/dispatcher@1.0.0#partition-counts
func partitionCounts(table, version uint64, counts, n uint32) {
	// What a panic would say is in the log already, and there is nobody to answer to.
	_ = border.Call(func() error {
		list := abi.View[uint32](abi.List{Ptr: counts, Len: n})
		abi.Taken()
		if counter, ok := plugin.(PartitionCounter); ok {
			counter.PartitionCounts(tidegate.TableRef{Table: table, Version: version}, list)
		}
		return nil
	})
}

type rawDecisions struct{ lanes, targets, partitions, quarantined abi.List }

//go:wasmexport tidegate:plugin/dispatcher@1.0.0#dispatch
func dispatch(handle, data, size uint32) uint32 {
	var bad []tidegate.BadRow
	err := border.Call(func() error {
		batch := border.Batch(handle)
		defer batch.Drop()
		bytes := abi.View[byte](abi.List{Ptr: data, Len: size})
		abi.Taken()
		table, err := tables.Of(batch)
		if err != nil {
			return err
		}
		rows, err := tidegate.NewRows(table, nil, bytes, batch)
		if err != nil {
			return err
		}
		decisions.reset(rows.Len())
		err = plugin.Dispatch(rows, &decisions)
		bad = rows.Bad
		return err
	})
	if err != nil {
		return border.Fail4(err)
	}
	return abi.Answer4(0, rawDecisions{
		abi.Lend(decisions.Lanes), abi.Lend(decisions.Targets), abi.Lend(decisions.Partitions), border.LowerBad(bad),
	})
}
