package clock

//go:wasmimport tidegate:plugin/clock@1.0.0 wall-ms
func wallMS() uint64

//go:wasmimport tidegate:plugin/clock@1.0.0 monotonic-ns
func monotonicNS() uint64
