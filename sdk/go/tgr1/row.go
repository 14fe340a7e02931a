package tgr1

import (
	"bytes"
	"math"
	"unicode/utf8"
)

// Row is one row of a batch.
type Row struct {
	data   []byte
	layout *imageLayout
}

// Raw are the bytes of the row, header included.
func (r Row) Raw() []byte { return r.data }

// CommitTS is the commit timestamp.
func (r Row) CommitTS() uint64 { return le.Uint64(r.data) }

// StartTS is the start timestamp of the transaction.
func (r Row) StartTS() uint64 { return le.Uint64(r.data[8:]) }

// Op is what happened.
func (r Row) Op() Op { return Op(r.data[16]) }

// Flags are RowMaybeRepeated and RowSplitUpdate.
func (r Row) Flags() uint16 { return le.Uint16(r.data[18:]) }

// Partition is what the dispatcher answered.
func (r Row) Partition() uint32 { return le.Uint32(r.data[32:]) }

// Target is what the dispatcher answered.
func (r Row) Target() uint16 { return le.Uint16(r.data[36:]) }

// Lane is what the dispatcher answered.
func (r Row) Lane() uint16 { return le.Uint16(r.data[38:]) }

// After is the row as it is now; false for a delete.
func (r Row) After() (Image, bool) { return r.image(1, 24) }

// Before is the row as it was; false for an insert.
func (r Row) Before() (Image, bool) { return r.image(2, 28) }

// Current is the image that identifies the row as it is: after, or before for a delete.
func (r Row) Current() (Image, bool) {
	if image, ok := r.After(); ok {
		return image, true
	}
	return r.Before()
}

func (r Row) image(bit byte, field int) (Image, bool) {
	if r.data[17]&bit == 0 {
		return Image{}, false
	}
	return Image{row: r.data, at: int(le.Uint32(r.data[field:])), layout: r.layout}, true
}

// Image holds the values of a row before or after the change.
//
// The typed accessors answer false for NULL and for columns that do not exist. They do not check the slot kind: use the one that
// the column map names.
type Image struct {
	row    []byte
	at     int
	layout *imageLayout
}

// Len is the number of columns.
func (m Image) Len() int { return m.layout.columns }

// IsNull says whether the value is NULL, or there is no such column.
func (m Image) IsNull(col int) bool {
	return col < 0 || col >= m.layout.columns || m.row[m.at+col>>3]>>(col&7)&1 != 0
}

// IsAbsent says whether the value is not known; it reads as NULL then.
func (m Image) IsAbsent(col int) bool {
	return col >= 0 && col < m.layout.columns && m.layout.absent != 0 && m.row[m.at+m.layout.absent+col>>3]>>(col&7)&1 != 0
}

// Uint is an unsigned integer, an enum number, a set, a bit field or a packed time.
func (m Image) Uint(col int) (uint64, bool) {
	if m.IsNull(col) {
		return 0, false
	}
	return le.Uint64(m.row[m.at+m.layout.slots+8*col:]), true
}

// Int is a signed integer.
func (m Image) Int(col int) (int64, bool) {
	v, ok := m.Uint(col)
	return int64(v), ok
}

// Float is a double.
func (m Image) Float(col int) (float64, bool) {
	v, ok := m.Uint(col)
	return math.Float64frombits(v), ok
}

// Time is a date, datetime or timestamp.
func (m Image) Time(col int) (PackedTime, bool) {
	v, ok := m.Uint(col)
	return PackedTime(v), ok
}

// Bytes are the bytes of a string, in place; false also when they would lie outside the row.
func (m Image) Bytes(col int) ([]byte, bool) {
	slot, ok := m.Uint(col)
	if !ok {
		return nil, false
	}
	at, end := slot&math.MaxUint32, slot&math.MaxUint32+slot>>32
	if end > uint64(len(m.row)) {
		return nil, false
	}
	return m.row[at:end:end], true
}

// Text is a string; false also when it lies outside the row or is not UTF-8.
func (m Image) Text(col int) (string, bool) {
	v, ok := m.Bytes(col)
	if !ok || !utf8.Valid(v) {
		return "", false
	}
	return string(v), true
}

// Check tells whether the column can be read: a string that lies outside its row cannot.
func (m Image) Check(col int, spec Column) error {
	if spec.Slot != SlotBytes || m.IsNull(col) {
		return nil
	}
	if _, ok := m.Bytes(col); !ok {
		return bounds("string")
	}
	return nil
}

// Same tells whether a column holds the same value in both images, which must be of one table version.
func (m Image) Same(other Image, col int, slot Slot) bool {
	if m.IsNull(col) || other.IsNull(col) {
		return m.IsNull(col) == other.IsNull(col)
	}
	if slot == SlotBytes {
		a, aok := m.Bytes(col)
		b, bok := other.Bytes(col)
		return aok == bok && bytes.Equal(a, b)
	}
	a, _ := m.Uint(col)
	b, _ := other.Uint(col)
	return a == b
}
