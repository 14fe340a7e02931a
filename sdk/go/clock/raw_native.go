//go:build !wasm

package clock

import "time"

var start = time.Now()

func wallMS() uint64      { return uint64(time.Now().UnixMilli()) }
func monotonicNS() uint64 { return uint64(time.Since(start).Nanoseconds()) }
