//go:build !wasm

package sql

var noHost = &Error{Kind: Denied, Message: "this runs outside of a host"}

func open(string) (uint32, *Error)                      { return 0, noHost }
func dialect(uint32) uint32                             { return uint32(Other) }
func version(uint32) string                             { return "" }
func maxBytes(uint32) uint32                            { return 0 }
func transact(uint32, *Statements) (Result, *Error)     { return Result{}, noHost }
func execute(uint32, string) (Result, *Error)           { return Result{}, noHost }
func query(uint32, string, uint32) (*ResultSet, *Error) { return nil, noHost }
func closeConn(uint32)                                  {}
