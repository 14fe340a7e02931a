// Package dispatcher makes a plugin that decides where rows go: lane, target and partition of each.
package dispatcher

import "tidegate"

// LeaveOut is the lane that means: leave the row out.
const LeaveOut uint16 = 0xffff

// Dispatcher decides for rows. It is pure: no capabilities, the same answer for the same rows.
type Dispatcher interface {
	// Open starts. The context says how many lanes there are.
	Open(ctx *tidegate.Context) error
	// OnSchema is called before the first row of a table version.
	OnSchema(table *tidegate.Table) (Plan, error)
	// Dispatch decides for every row. The decisions it is given say lane, target and partition 0 for all.
	Dispatch(rows *tidegate.Rows, to *Decisions) error
}

// PartitionCounter is told how many partitions each target of a table's plan has, when the sink's side knows, before the table's
// first rows.
type PartitionCounter interface {
	PartitionCounts(table tidegate.TableRef, counts []uint32)
}

// Plan is what a dispatcher wants of one table version.
type Plan struct {
	// Columns needed for the decision; nil: all; empty: row headers only.
	Columns []uint32
	// Targets are the names that decisions point to; empty: the table itself.
	Targets []string
	// SplitKeyUpdates: an update whose row key changed comes as a delete and an insert.
	SplitKeyUpdates bool
	Attrs           []tidegate.Attr
}

// Decisions say where each row goes. A list that stays empty means 0 for every row.
type Decisions struct {
	Lanes, Targets []uint16
	Partitions     []uint32
	rows           int
}

// Lane sends a row to a lane.
func (d *Decisions) Lane(row int, lane uint16) { d.Lanes = set(d.Lanes, d.rows, row, lane) }

// Target sends a row to one of the plan's targets.
func (d *Decisions) Target(row int, target uint16) { d.Targets = set(d.Targets, d.rows, row, target) }

// Partition sends a row to a partition.
func (d *Decisions) Partition(row int, partition uint32) {
	d.Partitions = set(d.Partitions, d.rows, row, partition)
}

func set[T any](list []T, rows, row int, value T) []T {
	if len(list) < rows {
		if cap(list) < rows {
			list = make([]T, rows)
		}
		list = list[:rows]
		clear(list)
	}
	list[row] = value
	return list
}

// reset keeps the memory for the next batch.
func (d *Decisions) reset(rows int) {
	d.Lanes, d.Targets, d.Partitions, d.rows = d.Lanes[:0], d.Targets[:0], d.Partitions[:0], rows
}
