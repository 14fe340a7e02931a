//go:build !wasm

package http

func send(*Request) (*Response, *Error) { return nil, &Error{Refused, "this runs outside of a host"} }
