//go:build !wasm

package producer

import (
	"errors"

	"tidegate"
)

func noHost() error {
	return tidegate.Unsupported("no-host", errors.New("this runs outside of a host"))
}

func open(string) (uint32, error)               { return 0, noHost() }
func partitions(uint32, string) (uint32, error) { return 0, noHost() }
func maxBytes(uint32, string) (uint32, error)   { return 0, noHost() }
func send(uint32, *Messages) error              { return noHost() }
func flush(uint32) error                        { return noHost() }
func closeProducer(uint32)                      {}
