package log

import (
	"unsafe"

	"tidegate/internal/abi"
)

//go:wasmimport tidegate:plugin/log@1.0.0 enabled
func enabledRaw(level uint32) uint32

//go:wasmimport tidegate:plugin/log@1.0.0 log
func logRaw(level uint32, message string, fields unsafe.Pointer, n uint32)

// Enabled says whether a message of this level is kept; ask before building a dear one.
func Enabled(level Level) bool { return enabledRaw(uint32(level)) != 0 }

func write(level Level, message string, texts []string) {
	defer abi.Release(abi.Mark())
	raw := make([]abi.List, len(texts))
	for i, text := range texts {
		raw[i] = abi.LendString(text)
	}
	// Two texts make one field.
	logRaw(uint32(level), message, unsafe.Pointer(unsafe.SliceData(raw)), uint32(len(raw)/2))
}
