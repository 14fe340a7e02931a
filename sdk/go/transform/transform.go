// Package transform makes a plugin that turns rows to rows, before dispatch: reshape, mask, rename, leave out.
package transform

import (
	"tidegate"
	"tidegate/tgr1"
)

// Transform changes rows. It is pure: no capabilities, the same answer for the same rows.
type Transform interface {
	// Open starts.
	Open(ctx *tidegate.Context) error
	// OnSchema is called before the first row of a table version and says what becomes of the table.
	OnSchema(table *tidegate.Table) (Plan, error)
	// Transform writes rows to out, in the order of the input, each with the op, images and timestamps of the row it came from.
	Transform(rows *tidegate.Rows, out *Output) error
}

// DDLHandler says how everyone behind is to see a statement; nil: not at all. Without it statements pass as they are.
type DDLHandler interface {
	OnDDL(ddl *tidegate.DDL) (*tidegate.DDL, error)
}

// Plan is what becomes of one table version. The zero Plan leaves the table alone.
type Plan struct {
	// Active: Transform is called for rows of this table.
	Active bool
	// Columns wanted, by position; nil: all.
	Columns []uint32
	// Output is what the table is to everyone behind: other names, fewer or other columns, other indexes, the same Ref. Nil: as it
	// was.
	Output *tidegate.Table
	Attrs  []tidegate.Attr
}

// Output takes the rows of the answer.
type Output struct {
	*tgr1.Writer
	origins []uint32
}

// From starts a row that comes from row number `row` of the input, with its timestamps, op, flags and route. Begin its images, then
// call End.
func (o *Output) From(row int, of tidegate.Row) {
	o.BeginRow(of.CommitTS(), of.StartTS(), of.Op(), of.Flags())
	o.SetRoute(of.Partition(), of.Target(), of.Lane())
	o.origins = append(o.origins, uint32(row))
}

// End finishes the row.
func (o *Output) End() error {
	if err := o.EndRow(); err != nil {
		o.origins = o.origins[:len(o.origins)-1]
		return tidegate.Fatal("batch", err)
	}
	return nil
}

// Copy writes one column of an image as it is.
func (o *Output) Copy(col int, from tidegate.Record, fromCol int) {
	switch {
	case from.IsAbsent(fromCol):
		o.PutAbsent(col)
	case from.IsNull(fromCol):
	case from.Column(fromCol).Logical.Slot() == tgr1.SlotBytes:
		bytes, _ := from.Bytes(fromCol)
		o.PutBytes(col, bytes)
	default:
		value, _ := from.Uint(fromCol)
		o.PutUint(col, value)
	}
}

// Origins say for each row written which row of the input it came from.
func (o *Output) Origins() []uint32 { return o.origins }

// newOutput starts an answer with the columns of the table, as the batch they come from has them.
func newOutput(table *tidegate.Table, from *tgr1.Batch) *Output {
	columns := make([]tgr1.Column, len(table.Columns))
	for i, column := range table.Columns {
		columns[i] = tgr1.Column{Position: i, Slot: column.Logical.Slot(), Logical: column.Logical}
	}
	absent := from.Flags()&tgr1.FlagAbsent != 0
	return &Output{Writer: tgr1.NewWriter(table.Ref.Table, table.Ref.Version, columns, absent)}
}
