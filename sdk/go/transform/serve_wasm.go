package transform

import (
	"tidegate"
	"tidegate/internal/abi"
	"tidegate/internal/border"
)

type entry struct{ input, output *tidegate.Table }

var (
	plugin Transform
	tables = border.Tables[entry]{}
)

// Serve makes this transform the component's. To be called from an init function.
func Serve(manifest tidegate.Manifest, implementation Transform) {
	plugin = implementation
	border.Describe(manifest)
}

//go:wasmexport tidegate:plugin/transform@1.0.0#open
func open(ctx uint32) uint32 {
	return border.Unit(border.Call(func() error {
		context := border.Context(abi.At[abi.RawContext](ctx))
		abi.Taken()
		return plugin.Open(context)
	}))
}

type rawPlan struct {
	active  bool
	columns abi.Option[abi.List]
	output  abi.Option[abi.RawTable]
	attrs   abi.List
}

//go:wasmexport tidegate:plugin/transform@1.0.0#on-schema
func onSchema(schema uint32) uint32 {
	var plan Plan
	err := border.Call(func() (err error) {
		table := border.Table(abi.At[abi.RawTable](schema))
		abi.Taken()
		if plan, err = plugin.OnSchema(table); err != nil {
			return err
		}
		e := entry{table, table}
		if plan.Output != nil {
			e.output = plan.Output
		}
		tables[table.Ref] = e
		return nil
	})
	if err != nil {
		return border.Fail8(err)
	}
	raw := rawPlan{active: plan.Active, columns: border.LowerColumns(plan.Columns), attrs: border.LowerAttrs(plan.Attrs)}
	if plan.Output != nil {
		raw.output = abi.Some(border.LowerTable(plan.Output))
	}
	return abi.Answer8(0, raw)
}

//go:wasmexport tidegate:plugin/transform@1.0.0#drop-schema
func dropSchema(table, version uint64) {
	delete(tables, tidegate.TableRef{Table: table, Version: version})
}

type rawTransformed struct{ data, origins, quarantined abi.List }

//go:wasmexport tidegate:plugin/transform@1.0.0#transform
func transform(handle, data, size uint32) uint32 {
	var raw rawTransformed
	err := border.Call(func() error {
		batch := border.Batch(handle)
		defer batch.Drop()
		bytes := abi.View[byte](abi.List{Ptr: data, Len: size})
		abi.Taken()
		e, err := tables.Of(batch)
		if err != nil {
			return err
		}
		rows, err := tidegate.NewRows(e.input, nil, bytes, batch)
		if err != nil {
			return err
		}
		out := newOutput(e.output, &rows.Batch)
		if err := plugin.Transform(rows, out); err != nil {
			return err
		}
		raw = rawTransformed{origins: abi.Lend(out.origins), quarantined: border.LowerBad(rows.Bad)}
		if out.Len() > 0 {
			raw.data = abi.Lend(out.Finish())
		}
		return nil
	})
	if err != nil {
		return border.Fail4(err)
	}
	return abi.Answer4(0, raw)
}

//go:wasmexport tidegate:plugin/transform@1.0.0#on-ddl
func onDDL(params uint32) uint32 {
	var ddl *tidegate.DDL
	err := border.Call(func() (err error) {
		ddl = border.DDL(abi.At[abi.RawDDL](params))
		abi.Taken()
		if handler, ok := plugin.(DDLHandler); ok {
			ddl, err = handler.OnDDL(ddl)
		}
		return err
	})
	if err != nil {
		return border.Fail8(err)
	}
	if ddl == nil {
		return abi.Answer8(0, abi.Option[abi.RawDDL]{})
	}
	return abi.Answer8(0, abi.Some(border.LowerDDL(ddl)))
}
