package abi

// Option is option<T> where T is not larger than its alignment lets the tag be one word: every option of the contract.
type Option[T any] struct {
	Some uint8
	V    T
}

// Some is an option with a value.
func Some[T any](v T) Option[T] { return Option[T]{1, v} }

// RawPosition is types.position.
type RawPosition struct {
	TS    uint64
	Stage uint8
	Seq   uint64
}

// RawTableRef is types.table-ref.
type RawTableRef struct{ Table, Version uint64 }

// RawColumn is types.column.
type RawColumn struct {
	ID                 int64
	Name               List
	Logical            uint8
	SourceType         List
	Props              uint8
	Length, Decimals   Option[uint32]
	Charset, Collation List
	Members            List
	Default            Option[List]
	Attrs              List
}

// RawIndex is types.index.
type RawIndex struct {
	Name, Columns   List
	Unique, Primary uint8
}

// RawTable is types.table-schema.
type RawTable struct {
	Ref                RawTableRef
	Database, Name     List
	Columns, Indexes   List
	RowKey             Option[uint32]
	Charset, Collation List
	Attrs              List
}

// RawDDL is types.ddl-event.
type RawDDL struct {
	At                     RawPosition
	Kind                   uint8
	Database, Table, Query List
	Before, After          Option[RawTable]
	MaybeDone              uint8
	Attrs                  List
}

// RawBlocks is types.blocks.
type RawBlocks struct{ Data, Ends List }

// RawBadEvent is types.bad-event.
type RawBadEvent struct {
	Row           uint32
	Code, Message List
}

// RawFailure is types.failure: the tag, then a retry-hint (message, after-ms, attrs) or a fatal-error (code, message, attrs).
type RawFailure struct {
	Tag     uint8
	Payload [6]uint32
}

// RawContext is session.context.
type RawContext struct {
	Changefeed        List
	Slot, Lane, Lanes uint32
	Epoch             [2]uint64
	Config            List
	Checkpoint        RawPosition
	State             Option[List]
	Endpoints         List
	TGRMinor          uint32
	Attrs             List
}

// RawCapability is describe.capability.
type RawCapability struct {
	Name     List
	Required uint8
	Reason   List
}

// RawManifest is describe.manifest.
type RawManifest struct {
	Name, Version, ConfigSchema, Capabilities List
	TGRMinor                                  uint32
	Attrs                                     List
}
