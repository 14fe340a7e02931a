// Package tgr1 reads and writes TGR1, the row batch that crosses the border between the host and a plugin
// (docs/formats/tgr1.md).
//
// Does: check a batch once, then give every column of every row in place, without copies.
// Does not: know tables; names, types and text forms of columns are in the package tidegate.
//
// Invariant: after Parse has returned no error, no accessor panics or reads outside its row, whatever the bytes.
package tgr1

import "encoding/binary"

var le = binary.LittleEndian

// Flags of a batch.
const (
	FlagAbsent        uint16 = 1 // images carry an absent bitmap
	FlagMaybeRepeated uint16 = 2 // the batch may hold rows handed over before
)

// Column is one entry of a batch's column map.
type Column struct {
	Position int // index in the table's columns
	Slot     Slot
	Logical  Logical
}

// Batch is a checked batch over borrowed bytes.
type Batch struct {
	data    []byte
	columns []Column
	indexAt int
	rows    int
	image   imageLayout
}

// imageLayout says where things are within an image.
type imageLayout struct {
	columns int
	absent  int // offset of the absent bitmap; 0: there is none
	slots   int
}

// Len is the number of rows.
func (b *Batch) Len() int { return b.rows }

// Columns are the columns of each image, in order.
func (b *Batch) Columns() []Column { return b.columns }

// Bytes are the bytes of the batch.
func (b *Batch) Bytes() []byte { return b.data }

// Table is the logical table id.
func (b *Batch) Table() uint64 { return le.Uint64(b.data[24:]) }

// Version is the schema version.
func (b *Batch) Version() uint64 { return le.Uint64(b.data[32:]) }

// Minor is the minor version of the format the batch was written in.
func (b *Batch) Minor() uint16 { return le.Uint16(b.data[4:]) }

// Flags are FlagAbsent and FlagMaybeRepeated.
func (b *Batch) Flags() uint16 { return le.Uint16(b.data[6:]) }

// CommitTSRange is the smallest and the greatest commit-ts; zeros for an empty batch.
func (b *Batch) CommitTSRange() (uint64, uint64) {
	return le.Uint64(b.data[48:]), le.Uint64(b.data[56:])
}

// Row gives row i, which must be below Len.
func (b *Batch) Row(i int) Row {
	at := int(le.Uint32(b.data[b.indexAt+4*i:]))
	return Row{data: b.data[at : at+int(le.Uint32(b.data[at+20:]))], layout: &b.image}
}
