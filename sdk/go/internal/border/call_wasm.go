package border

import (
	"fmt"
	"runtime/debug"
	"unsafe"

	"tidegate"
	"tidegate/internal/abi"
	"tidegate/log"
)

// manifest is what describe answers.
var manifest tidegate.Manifest

// Describe sets the manifest.
func Describe(m tidegate.Manifest) { manifest = m }

//go:wasmexport tidegate:plugin/describe@1.0.0#describe
func describe() uint32 {
	abi.Release(0)
	return abi.Answer(LowerManifest(&manifest))
}

// Call runs the body of an export: what the last call had lent is let go, and a panic becomes a fatal failure.
func Call(body func() error) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			log.Error("the plugin panicked", "panic", fmt.Sprint(fault), "stack", string(debug.Stack()))
			err = tidegate.Fatal("panic", fmt.Errorf("the plugin panicked: %v", fault))
		}
	}()
	abi.Release(0)
	return body()
}

// Unit answers result<_, failure>.
func Unit(err error) uint32 {
	if err != nil {
		return abi.Answer4(1, LowerFailure(err))
	}
	return abi.Answer4(0, uint32(0))
}

// Fail4 answers the failure of a result none of whose cases holds 64-bit numbers.
func Fail4(err error) uint32 { return abi.Answer4(1, LowerFailure(err)) }

// Fail8 answers the failure of a result with a case that holds 64-bit numbers.
func Fail8(err error) uint32 { return abi.Answer8(1, LowerFailure(err)) }

// Batch is the batch in the host, lent for one call.
type Batch uint32

//go:wasmimport tidegate:plugin/rows@1.0.0 [method]row-batch.table
func batchTable(batch uint32, ret unsafe.Pointer)

//go:wasmimport tidegate:plugin/rows@1.0.0 [method]row-batch.read
func batchRead(batch, some uint32, columns unsafe.Pointer, n, start, count uint32, ret unsafe.Pointer)

//go:wasmimport tidegate:plugin/rows@1.0.0 [resource-drop]row-batch
func batchDrop(batch uint32)

// Table says which version of which table the batch holds.
func (b Batch) Table() tidegate.TableRef {
	batchTable(uint32(b), abi.Area())
	return *(*tidegate.TableRef)(abi.Area())
}

// Drop gives the batch back, which every call must.
func (b Batch) Drop() { batchDrop(uint32(b)) }

// Read implements tidegate.Reader.
func (b Batch) Read(columns []uint32, start, count uint32) ([]byte, error) {
	var some uint32
	if columns != nil {
		some = 1
	}
	batchRead(uint32(b), some, unsafe.Pointer(unsafe.SliceData(columns)), uint32(len(columns)), start, count, abi.Area())
	tag, list := abi.ResultTag(), *abi.Result4[abi.List]()
	defer abi.Taken()
	if tag != 0 {
		return nil, tidegate.Fatal("read", fmt.Errorf("reading more of the batch: %s", abi.String(list)))
	}
	return bytes(list), nil
}

// Tables are the schema versions in use.
type Tables[T any] map[tidegate.TableRef]T

// Of is the entry of the batch's table.
func (t Tables[T]) Of(batch Batch) (T, error) {
	ref := batch.Table()
	entry, ok := t[ref]
	if !ok {
		return entry, tidegate.Fatal("schema", fmt.Errorf("rows of table %d version %d came before its schema", ref.Table, ref.Version))
	}
	return entry, nil
}
