package tgr1

const (
	headerLen    = 64
	columnLen    = 8
	rowHeaderLen = 40
	columnsMax   = 65535
)

// LimitBytes is the largest batch there is.
const LimitBytes = 16 << 20

// Slot says how a column's 8 bytes are read.
type Slot uint8

// The kinds of slot.
const (
	SlotInt Slot = iota + 1
	SlotUint
	SlotFloat
	SlotBytes
)

// Logical is what a value means, beyond its slot.
type Logical uint8

// The logical types, as docs/formats/tgr1.md numbers them.
const (
	Int Logical = iota + 1
	Uint
	Float32
	Float64
	Decimal
	Text
	Bytes
	JSON
	Date
	DateTime
	Timestamp
	TimeOfDay
	Year
	Enum
	Set
	Bit
	Vector
)

var slotOf = [...]Slot{
	Int: SlotInt, Uint: SlotUint, Float32: SlotFloat, Float64: SlotFloat, Decimal: SlotBytes, Text: SlotBytes, Bytes: SlotBytes,
	JSON: SlotBytes, Date: SlotUint, DateTime: SlotUint, Timestamp: SlotUint, TimeOfDay: SlotInt, Year: SlotInt, Enum: SlotUint,
	Set: SlotUint, Bit: SlotUint, Vector: SlotBytes,
}

// Slot is the kind of slot values of this type are kept in.
func (l Logical) Slot() Slot { return slotOf[l] }

// Op is what happened to a row.
type Op uint8

// The operations.
const (
	Delete Op = iota
	Update
	Insert
)

// String is the operation in lower case.
func (o Op) String() string { return [...]string{"delete", "update", "insert"}[o] }

// Flags of a row.
const (
	RowMaybeRepeated uint16 = 1 // may have been handed over before
	RowSplitUpdate   uint16 = 2 // one half of an update that changed its key
)

func bitmapLen(columns int) int { return (columns + 63) / 64 * 8 }
