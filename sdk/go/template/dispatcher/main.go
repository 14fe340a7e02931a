// Command {{name}} sends rows of one key to one lane, so that their order is kept.
package main

import (
	"tidegate"
	"tidegate/dispatcher"
	"tidegate/tgr1"
)

func init() {
	dispatcher.Serve(tidegate.Manifest{Name: "{{name}}", Version: "0.1.0"}, &plugin{})
}

func main() {}

type plugin struct{ lanes uint64 }

func (p *plugin) Open(ctx *tidegate.Context) error {
	p.lanes = uint64(max(ctx.Lanes, 1))
	return nil
}

// OnSchema asks for the key only; a change of the key comes as a delete and an insert, which may go to different lanes.
func (p *plugin) OnSchema(table *tidegate.Table) (dispatcher.Plan, error) {
	return dispatcher.Plan{Columns: table.KeyColumns(), SplitKeyUpdates: true}, nil
}

func (p *plugin) Dispatch(rows *tidegate.Rows, to *dispatcher.Decisions) error {
	for i, row := range rows.All() {
		if record, ok := row.Current(); ok {
			to.Lane(i, uint16(hash(rows.Batch.Columns(), record)%p.lanes))
		}
	}
	return nil
}

// hash mixes the key's values. The same for ever: nothing random, nothing of the process.
func hash(columns []tgr1.Column, record tidegate.Record) uint64 {
	var h uint64
	for col, column := range columns {
		if column.Slot == tgr1.SlotBytes {
			bytes, _ := record.Bytes(col)
			for _, b := range bytes {
				h = h*31 + uint64(b)
			}
			continue
		}
		value, _ := record.Uint(col)
		h = h*31 + value
	}
	return h
}
