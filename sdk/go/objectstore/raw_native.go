//go:build !wasm

package objectstore

import (
	"errors"

	"tidegate"
)

func noHost() error {
	return tidegate.Unsupported("no-host", errors.New("this runs outside of a host"))
}

func open(string) (uint32, error)                              { return 0, noHost() }
func put(uint32, string, []byte, Mode) (Meta, error)           { return Meta{}, noHost() }
func get(uint32, string, uint64, uint64) ([]byte, bool, error) { return nil, false, noHost() }
func head(uint32, string) (Meta, bool, error)                  { return Meta{}, false, noHost() }
func list(uint32, string, string, uint32) ([]Meta, error)      { return nil, noHost() }
func remove(uint32, string) error                              { return noHost() }
func upload(uint32, string) (uint32, error)                    { return 0, noHost() }
func uploadWrite(uint32, []byte) error                         { return noHost() }
func uploadFinish(uint32) (Meta, error)                        { return Meta{}, noHost() }
func uploadAbort(uint32)                                       {}
func closeUpload(uint32)                                       {}
func closeBucket(uint32)                                       {}
