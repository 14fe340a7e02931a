package sql

import (
	"math"
	"unsafe"

	"tidegate/internal/abi"
)

//go:wasmimport tidegate:plugin/sql@1.0.0 [static]connection.open
func openRaw(endpoint string, ret unsafe.Pointer)

//go:wasmimport tidegate:plugin/sql@1.0.0 [method]connection.dialect
func dialect(conn uint32) uint32

//go:wasmimport tidegate:plugin/sql@1.0.0 [method]connection.server-version
func versionRaw(conn uint32, ret unsafe.Pointer)

//go:wasmimport tidegate:plugin/sql@1.0.0 [method]connection.max-statement-bytes
func maxBytes(conn uint32) uint32

//go:wasmimport tidegate:plugin/sql@1.0.0 [method]connection.transact
func transactRaw(conn uint32, data unsafe.Pointer, size uint32, ends unsafe.Pointer, n uint32, ret unsafe.Pointer)

//go:wasmimport tidegate:plugin/sql@1.0.0 [method]connection.execute
func executeRaw(conn uint32, statement string, ret unsafe.Pointer)

//go:wasmimport tidegate:plugin/sql@1.0.0 [method]connection.query
func queryRaw(conn uint32, statement string, maxRows uint32, ret unsafe.Pointer)

//go:wasmimport tidegate:plugin/sql@1.0.0 [resource-drop]connection
func closeConn(conn uint32)

type rawError struct {
	kind              uint8
	errno             uint16
	sqlState, message abi.List
}

func (e *rawError) lift() *Error {
	return &Error{Kind(e.kind), e.errno, abi.String(e.sqlState), abi.String(e.message)}
}

func open(endpoint string) (uint32, *Error) {
	openRaw(endpoint, abi.Area())
	defer abi.Taken()
	if abi.ResultTag() != 0 {
		return 0, abi.Result4[rawError]().lift()
	}
	return *abi.Result4[uint32](), nil
}

func version(conn uint32) string {
	versionRaw(conn, abi.Area())
	defer abi.Taken()
	return abi.String(*(*abi.List)(abi.Area()))
}

func transact(conn uint32, s *Statements) (Result, *Error) {
	transactRaw(conn, unsafe.Pointer(unsafe.SliceData(s.Data)), uint32(len(s.Data)), unsafe.Pointer(unsafe.SliceData(s.Ends)),
		uint32(len(s.Ends)), abi.Area())
	return result()
}

func execute(conn uint32, statement string) (Result, *Error) {
	executeRaw(conn, statement, abi.Area())
	return result()
}

func result() (Result, *Error) {
	defer abi.Taken()
	if abi.ResultTag() != 0 {
		return Result{}, abi.Result8[rawError]().lift()
	}
	return *abi.Result8[Result](), nil
}

type rawValue struct {
	tag     uint8
	payload uint64
}

func (v *rawValue) lift() any {
	list := abi.List{Ptr: uint32(v.payload), Len: uint32(v.payload >> 32)}
	switch v.tag {
	case 1:
		return int64(v.payload)
	case 2:
		return v.payload
	case 3:
		return math.Float64frombits(v.payload)
	case 4:
		return abi.String(list)
	case 5:
		return abi.View[byte](list)
	}
	return nil
}

func query(conn uint32, statement string, maxRows uint32) (*ResultSet, *Error) {
	queryRaw(conn, statement, maxRows, abi.Area())
	defer abi.Taken()
	if abi.ResultTag() != 0 {
		return nil, abi.Result4[rawError]().lift()
	}
	raw := *abi.Result4[struct{ columns, rows abi.List }]()
	set := &ResultSet{Columns: abi.Strings(raw.columns)}
	for _, row := range abi.View[abi.List](raw.rows) {
		values := make([]any, 0, row.Len)
		for _, value := range abi.View[rawValue](row) {
			values = append(values, value.lift())
		}
		set.Rows = append(set.Rows, values)
	}
	return set, nil
}
