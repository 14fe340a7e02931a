package tidegate

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"tidegate/tgr1"
)

var errNoHost = errors.New("this runs outside of a host")

func errColumn(table *Table, position int) error {
	return fmt.Errorf("the batch of %s.%s has a column at position %d, the table has %d", table.Database, table.Name, position,
		len(table.Columns))
}

// Record is an image with the names and types of its columns. Columns are those of the plan, counted from 0.
type Record struct {
	tgr1.Image
	rows *Rows
}

// Index is the number within the record of the column with this name, or -1 when the plan left it out.
func (r Record) Index(name string) int { return r.rows.column(name) }

// Column describes column col.
func (r Record) Column(col int) *Column {
	return &r.rows.Table.Columns[r.rows.Batch.Columns()[col].Position]
}

// Get is the value of the column with this name; an error when the record has no such column or its bytes are damaged.
func (r Record) Get(name string) (any, error) {
	col := r.Index(name)
	if col < 0 {
		return nil, Fatal("column", fmt.Errorf("%s.%s has no column %q in this batch", r.rows.Table.Database, r.rows.Table.Name, name))
	}
	return r.Value(col)
}

// Value is column col as Go has it, exactly:
// nil (NULL, or not known), int64 (int, year), uint64 (uint, bit), float32, float64, string (text, decimal, json, enum, set),
// []byte (bytes, in place), tgr1.PackedTime (date, datetime, timestamp), time.Duration (time), []float32 (vector).
func (r Record) Value(col int) (any, error) {
	spec := r.rows.Batch.Columns()[col]
	if r.IsNull(col) {
		return nil, nil
	}
	if err := r.Check(col, spec); err != nil {
		return nil, Fatal("batch", err)
	}
	switch spec.Slot {
	case tgr1.SlotInt:
		v, _ := r.Int(col)
		if spec.Logical == tgr1.TimeOfDay {
			return time.Duration(v) * time.Microsecond, nil
		}
		return v, nil
	case tgr1.SlotUint:
		v, _ := r.Uint(col)
		return r.unsigned(col, spec.Logical, v), nil
	case tgr1.SlotFloat:
		v, _ := r.Float(col)
		if spec.Logical == tgr1.Float32 {
			return float32(v), nil
		}
		return v, nil
	}
	data, _ := r.Bytes(col)
	switch spec.Logical {
	case tgr1.Bytes:
		return data, nil
	case tgr1.Vector:
		return floats(data), nil
	}
	return string(data), nil
}

func (r Record) unsigned(col int, logical tgr1.Logical, v uint64) any {
	switch logical {
	case tgr1.Date, tgr1.DateTime, tgr1.Timestamp:
		return tgr1.PackedTime(v)
	case tgr1.Enum:
		return EnumText(r.Column(col), v)
	case tgr1.Set:
		return SetText(r.Column(col), v)
	}
	return v
}

// EnumText is the member with this number; empty for 0 and for numbers the column does not have.
func EnumText(column *Column, number uint64) string {
	if number == 0 || number > uint64(len(column.Members)) {
		return ""
	}
	return column.Members[number-1]
}

// SetText is the members of the set, joined by commas.
func SetText(column *Column, bits uint64) string {
	var text strings.Builder
	for i, member := range column.Members {
		if i < 64 && bits>>i&1 != 0 {
			if text.Len() > 0 {
				text.WriteByte(',')
			}
			text.WriteString(member)
		}
	}
	return text.String()
}

func floats(data []byte) []float32 {
	out := make([]float32, len(data)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return out
}
