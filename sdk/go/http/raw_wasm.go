package http

import (
	"fmt"
	"unsafe"

	"tidegate/internal/abi"
)

//go:wasmimport tidegate:plugin/http@1.0.0 send
func sendRaw(endpoint string, method uint32, path string, headers unsafe.Pointer, nHeaders uint32, body unsafe.Pointer, nBody uint32,
	someTimeout, timeout uint32, ret unsafe.Pointer)

type rawResponse struct {
	status        uint16
	headers, body abi.List
}

// rawError ends in a text or, for too large answers, a size.
type rawError struct {
	tag     uint8
	payload uint64
}

func send(r *Request) (*Response, *Error) {
	defer abi.Release(abi.Mark())
	headers := make([][2]abi.List, len(r.Headers))
	for i, h := range r.Headers {
		headers[i] = [2]abi.List{abi.LendString(h.Name), abi.LendString(h.Value)}
	}
	var someTimeout uint32
	if r.TimeoutMS != 0 {
		someTimeout = 1
	}
	sendRaw(r.Endpoint, uint32(r.Method), r.Path, unsafe.Pointer(unsafe.SliceData(headers)), uint32(len(headers)),
		unsafe.Pointer(unsafe.SliceData(r.Body)), uint32(len(r.Body)), someTimeout, r.TimeoutMS, abi.Area())
	defer abi.Taken()
	if abi.ResultTag() != 0 {
		return nil, liftError(abi.Result8[rawError]())
	}
	raw := *abi.Result8[rawResponse]()
	response := &Response{Status: int(raw.status), Body: abi.View[byte](raw.body)}
	for _, h := range abi.View[[2]abi.List](raw.headers) {
		response.Headers = append(response.Headers, Header{abi.String(h[0]), abi.String(h[1])})
	}
	return response, nil
}

func liftError(raw *rawError) *Error {
	if Problem(raw.tag) == TooLarge {
		return &Error{TooLarge, fmt.Sprintf("the answer of %d bytes is larger than the host takes", raw.payload)}
	}
	text := abi.List{Ptr: uint32(raw.payload), Len: uint32(raw.payload >> 32)}
	return &Error{Problem(raw.tag), abi.String(text)}
}
