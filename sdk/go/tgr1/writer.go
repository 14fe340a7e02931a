package tgr1

import (
	"errors"
	"math"
)

// ErrFull says that the row was undone: with it the batch would be larger than LimitBytes.
var ErrFull = errors.New("the row does not fit into the batch")

// Writer writes one batch: BeginRow, then for each image BeginImage and a Put for every column that is not NULL, then EndRow.
type Writer struct {
	data    []byte
	index   []uint32
	columns []Column
	absent  bool
	row     int // start of the row in progress
	image   int // start of the image in progress
	min     uint64
	max     uint64
}

// NewWriter starts a batch of this table version. With absent, images carry an absent bitmap.
func NewWriter(table, version uint64, columns []Column, absent bool) *Writer {
	w := &Writer{columns: columns, absent: absent, min: math.MaxUint64}
	w.data = make([]byte, headerLen, 4096)
	copy(w.data, "TGR1")
	if absent {
		w.data[6] = byte(FlagAbsent)
	}
	le.PutUint32(w.data[8:], headerLen)
	le.PutUint32(w.data[16:], uint32(len(columns)))
	le.PutUint64(w.data[24:], table)
	le.PutUint64(w.data[32:], version)
	le.PutUint32(w.data[44:], rowHeaderLen)
	for _, column := range columns {
		w.data = le.AppendUint16(w.data, uint16(column.Position))
		w.data = append(w.data, byte(column.Slot), byte(column.Logical), 0, 0, 0, 0)
	}
	return w
}

// Len is the number of finished rows.
func (w *Writer) Len() int { return len(w.index) }

// BeginRow starts a row.
func (w *Writer) BeginRow(commitTS, startTS uint64, op Op, flags uint16) {
	w.row = len(w.data)
	w.data = le.AppendUint64(w.data, commitTS)
	w.data = le.AppendUint64(w.data, startTS)
	w.data = append(w.data, byte(op), 0)
	w.data = le.AppendUint16(w.data, flags)
	w.data = append(w.data, make([]byte, rowHeaderLen-20)...)
}

// SetRoute sets what a dispatcher answers.
func (w *Writer) SetRoute(partition uint32, target, lane uint16) {
	le.PutUint32(w.data[w.row+32:], partition)
	le.PutUint16(w.data[w.row+36:], target)
	le.PutUint16(w.data[w.row+38:], lane)
}

// BeginAfter starts the after image, all of it NULL.
func (w *Writer) BeginAfter() { w.begin(1, 24) }

// BeginBefore starts the before image, all of it NULL.
func (w *Writer) BeginBefore() { w.begin(2, 28) }

func (w *Writer) begin(bit byte, field int) {
	w.pad()
	w.image = len(w.data)
	w.data[w.row+17] |= bit
	le.PutUint32(w.data[w.row+field:], uint32(w.image-w.row))
	w.data = append(w.data, make([]byte, w.slots()+8*len(w.columns))...)
	for col := range w.columns {
		w.data[w.image+col>>3] |= 1 << (col & 7)
	}
}

func (w *Writer) slots() int {
	if w.absent {
		return 2 * bitmapLen(len(w.columns))
	}
	return bitmapLen(len(w.columns))
}

// PutUint sets an unsigned integer, an enum number, a set, a bit field or a packed time.
func (w *Writer) PutUint(col int, v uint64) {
	w.data[w.image+col>>3] &^= 1 << (col & 7)
	le.PutUint64(w.data[w.image+w.slots()+8*col:], v)
}

// PutInt sets a signed integer.
func (w *Writer) PutInt(col int, v int64) { w.PutUint(col, uint64(v)) }

// PutFloat sets a double.
func (w *Writer) PutFloat(col int, v float64) { w.PutUint(col, math.Float64bits(v)) }

// PutBytes sets a string.
func (w *Writer) PutBytes(col int, v []byte) {
	w.PutUint(col, uint64(len(v))<<32|uint64(len(w.data)-w.row))
	w.data = append(w.data, v...)
}

// PutAbsent says that the value is not known.
func (w *Writer) PutAbsent(col int) {
	if w.absent {
		w.data[w.image+bitmapLen(len(w.columns))+col>>3] |= 1 << (col & 7)
	}
}

// EndRow finishes the row. ErrFull: the batch is as it was before the row.
func (w *Writer) EndRow() error {
	w.pad()
	if len(w.data)+8*(len(w.index)+2) > LimitBytes {
		w.data = w.data[:w.row]
		return ErrFull
	}
	le.PutUint32(w.data[w.row+20:], uint32(len(w.data)-w.row))
	w.index = append(w.index, uint32(w.row))
	ts := le.Uint64(w.data[w.row:])
	w.min, w.max = min(w.min, ts), max(w.max, ts)
	return nil
}

// AbortRow undoes the row in progress.
func (w *Writer) AbortRow() { w.data = w.data[:w.row] }

// Finish gives the batch.
func (w *Writer) Finish() []byte {
	le.PutUint32(w.data[12:], uint32(len(w.index)))
	le.PutUint32(w.data[20:], uint32(len(w.data)))
	for _, at := range w.index {
		w.data = le.AppendUint32(w.data, at)
	}
	w.pad()
	le.PutUint32(w.data[40:], uint32(len(w.data)))
	if len(w.index) > 0 {
		le.PutUint64(w.data[48:], w.min)
		le.PutUint64(w.data[56:], w.max)
	}
	return w.data
}

func (w *Writer) pad() {
	for len(w.data)%8 != 0 {
		w.data = append(w.data, 0)
	}
}
