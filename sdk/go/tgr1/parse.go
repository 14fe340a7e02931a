package tgr1

import "fmt"

// Fault is a kind of damage.
type Fault string

// The kinds of damage.
const (
	FaultMagic   Fault = "magic"
	FaultBounds  Fault = "bounds"
	FaultAlign   Fault = "align"
	FaultUnknown Fault = "unknown"
)

// FormatError says why bytes are not a batch this package reads.
type FormatError struct {
	Fault Fault
	What  string
}

func (e *FormatError) Error() string {
	switch e.Fault {
	case FaultMagic:
		return "the bytes do not start with TGR1"
	case FaultBounds:
		return "the batch is cut short or its " + e.What + " points outside it"
	case FaultAlign:
		return "the batch's " + e.What + " is not a valid length or offset"
	default:
		return "the batch holds an unknown " + e.What
	}
}

func bounds(what string) error { return &FormatError{FaultBounds, what} }
func align(what string) error  { return &FormatError{FaultAlign, what} }
func unknown(what string, number byte) error {
	return &FormatError{FaultUnknown, fmt.Sprintf("%s: %d", what, number)}
}

// Parse checks header, column map, row index, lengths and image offsets, in O(rows + columns). Offsets of strings are checked
// when they are read.
func Parse(data []byte) (Batch, error) {
	if len(data) < 4 || string(data[:4]) != "TGR1" {
		return Batch{}, &FormatError{FaultMagic, ""}
	}
	if len(data) < headerLen {
		return Batch{}, bounds("header")
	}
	// 64-bit sums cannot wrap over fields of 32 bits.
	field := func(at int) uint64 { return uint64(le.Uint32(data[at:])) }
	mapAt, rowHeader := field(8), field(44)
	if mapAt < headerLen || mapAt%8 != 0 {
		return Batch{}, align("header length")
	}
	if rowHeader < rowHeaderLen || rowHeader%8 != 0 {
		return Batch{}, align("row header length")
	}
	rows, columns, indexAt, total := field(12), field(16), field(20), field(40)
	mapEnd := mapAt + columns*columnLen
	switch {
	case total > uint64(len(data)):
		return Batch{}, bounds("total length")
	case columns > columnsMax:
		return Batch{}, bounds("column count")
	case mapEnd > indexAt:
		return Batch{}, bounds("column map")
	case indexAt%8 != 0:
		return Batch{}, align("row index")
	case indexAt+4*rows > total:
		return Batch{}, bounds("row index")
	}
	b := Batch{data: data[:total], indexAt: int(indexAt), rows: int(rows)}
	b.image = imageLayout{columns: int(columns), slots: bitmapLen(int(columns))}
	if b.Flags()&FlagAbsent != 0 {
		b.image.absent = b.image.slots
		b.image.slots *= 2
	}
	var err error
	if b.columns, err = parseColumns(b.data[mapAt:mapEnd]); err != nil {
		return Batch{}, err
	}
	for i := range b.rows {
		if err := b.checkRow(i, int(mapEnd), int(rowHeader)); err != nil {
			return Batch{}, err
		}
	}
	return b, nil
}

func parseColumns(data []byte) ([]Column, error) {
	columns := make([]Column, len(data)/columnLen)
	for i := range columns {
		entry := data[i*columnLen:]
		slot, logical := Slot(entry[2]), Logical(entry[3])
		if slot < SlotInt || slot > SlotBytes {
			return nil, unknown("slot kind", entry[2])
		}
		if logical < Int || logical > Vector {
			return nil, unknown("logical type", entry[3])
		}
		columns[i] = Column{Position: int(le.Uint16(entry)), Slot: slot, Logical: logical}
	}
	return columns, nil
}

func (b *Batch) checkRow(i, first, rowHeader int) error {
	at := int(le.Uint32(b.data[b.indexAt+4*i:]))
	if at%8 != 0 || at < first {
		return align("row offset")
	}
	if at > b.indexAt || b.indexAt-at < rowHeader {
		return bounds("row offset")
	}
	rowLen := int(le.Uint32(b.data[at+20:]))
	if rowLen%8 != 0 || rowLen < rowHeader {
		return align("row length")
	}
	if rowLen > b.indexAt-at {
		return bounds("row length")
	}
	if op := b.data[at+16]; op > byte(Insert) {
		return unknown("op", op)
	}
	for kind, field := range [...]int{24, 28} {
		if b.data[at+17]>>kind&1 == 0 {
			continue
		}
		image := int(le.Uint32(b.data[at+field:]))
		if image%8 != 0 || image < rowHeader {
			return align("image offset")
		}
		if image > rowLen || rowLen-image < b.image.slots+8*b.image.columns {
			return bounds("image")
		}
	}
	return nil
}
