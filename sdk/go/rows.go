package tidegate

import (
	"iter"

	"tidegate/tgr1"
)

// BadRow is one row a plugin will not take.
type BadRow struct {
	Row           int
	Code, Message string
}

// Reader reads more of a batch than came along; the host implements it.
type Reader interface {
	// Read gives the rows from start on, at most count, as TGR1 with the columns at these positions; nil: all columns.
	Read(columns []uint32, start, count uint32) ([]byte, error)
}

// Rows are rows of one version of one table, in commit order.
type Rows struct {
	Table *Table
	// Targets are the names that Row.Target counts, as the dispatcher gave them; empty: the table itself.
	Targets []string
	Batch   tgr1.Batch
	// Bad are the rows set aside with Quarantine.
	Bad    []BadRow
	reader Reader
	byName map[string]int
}

// NewRows reads a batch of the table. The host calls it; unit tests may, with bytes of tgr1.Writer and no reader.
func NewRows(table *Table, targets []string, data []byte, reader Reader) (*Rows, error) {
	batch, err := tgr1.Parse(data)
	if err != nil {
		return nil, Fatal("batch", err)
	}
	for _, column := range batch.Columns() {
		if column.Position >= len(table.Columns) {
			return nil, Fatal("batch", errColumn(table, column.Position))
		}
	}
	return &Rows{Table: table, Targets: targets, Batch: batch, reader: reader}, nil
}

// Len is the number of rows.
func (r *Rows) Len() int { return r.Batch.Len() }

// All gives every row with its number.
func (r *Rows) All() iter.Seq2[int, Row] {
	return func(yield func(int, Row) bool) {
		for i := range r.Batch.Len() {
			if !yield(i, r.Row(i)) {
				return
			}
		}
	}
}

// Row gives row i, which must be below Len.
func (r *Rows) Row(i int) Row { return Row{Row: r.Batch.Row(i), rows: r} }

// Quarantine sets a row aside: the host keeps it with the reason, and the changefeed goes on.
func (r *Rows) Quarantine(row int, code, message string) {
	r.Bad = append(r.Bad, BadRow{Row: row, Code: code, Message: message})
}

// Read gives more of the batch than the plan asked for, as TGR1.
func (r *Rows) Read(columns []uint32, start, count uint32) ([]byte, error) {
	if r.reader == nil {
		return nil, Unsupported("no-host", errNoHost)
	}
	return r.reader.Read(columns, start, count)
}

// column is the index within the batch of the column with this name, or -1.
func (r *Rows) column(name string) int {
	if r.byName == nil {
		r.byName = make(map[string]int, len(r.Batch.Columns()))
		for i, column := range r.Batch.Columns() {
			r.byName[r.Table.Columns[column.Position].Name] = i
		}
	}
	if i, ok := r.byName[name]; ok {
		return i
	}
	return -1
}

// Row is one row with its table.
type Row struct {
	tgr1.Row
	rows *Rows
}

// After is the row as it is now; false for a delete.
func (r Row) After() (Record, bool) {
	image, ok := r.Row.After()
	return Record{image, r.rows}, ok
}

// Before is the row as it was; false for an insert.
func (r Row) Before() (Record, bool) {
	image, ok := r.Row.Before()
	return Record{image, r.rows}, ok
}

// Current is the record that identifies the row as it is: after, or before for a delete.
func (r Row) Current() (Record, bool) {
	image, ok := r.Row.Current()
	return Record{image, r.rows}, ok
}

// TargetName is where the dispatcher sends the row: one of the targets, or the table's own name.
func (r Row) TargetName() string {
	if target := int(r.Target()); target < len(r.rows.Targets) {
		return r.rows.Targets[target]
	}
	return r.rows.Table.Name
}
