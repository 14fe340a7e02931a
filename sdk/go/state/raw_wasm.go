package state

import (
	"unsafe"

	"tidegate/internal/abi"
)

//go:wasmimport tidegate:plugin/state@1.0.0 get
func getRaw(key string, ret unsafe.Pointer)

//go:wasmimport tidegate:plugin/state@1.0.0 set
func setRaw(key string, value unsafe.Pointer, size uint32, ret unsafe.Pointer)

//go:wasmimport tidegate:plugin/state@1.0.0 delete
func deleteRaw(key string)

//go:wasmimport tidegate:plugin/state@1.0.0 keys
func keysRaw(prefix string, limit uint32, ret unsafe.Pointer)

// Get is the value of a key.
func Get(key string) ([]byte, bool) {
	getRaw(key, abi.Area())
	tag, value := abi.ResultTag(), abi.View[byte](*abi.Result4[abi.List]())
	abi.Taken()
	if tag == 0 {
		return nil, false
	}
	return value, true
}

// Delete forgets a key.
func Delete(key string) { deleteRaw(key) }

// Keys are the keys with this prefix, in order, at most limit.
func Keys(prefix string, limit uint32) []string {
	keysRaw(prefix, limit, abi.Area())
	keys := abi.Strings(*(*abi.List)(abi.Area()))
	abi.Taken()
	return keys
}

func set(key string, value []byte) string {
	setRaw(key, unsafe.Pointer(unsafe.SliceData(value)), uint32(len(value)), abi.Area())
	if abi.ResultTag() == 0 {
		return ""
	}
	reason := abi.String(*abi.Result4[abi.List]())
	abi.Taken()
	if reason == "" {
		return "refused"
	}
	return reason
}
