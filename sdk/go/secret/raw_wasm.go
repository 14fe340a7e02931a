package secret

import (
	"unsafe"

	"tidegate/internal/abi"
)

//go:wasmimport tidegate:plugin/secret@1.0.0 get
func getRaw(name string, ret unsafe.Pointer)

func get(name string) (value, reason string) {
	getRaw(name, abi.Area())
	tag, text := abi.ResultTag(), abi.String(*abi.Result4[abi.List]())
	abi.Taken()
	if tag == 0 {
		return text, ""
	}
	if text == "" {
		text = "not granted"
	}
	return "", text
}
