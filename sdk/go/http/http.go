// Package http sends requests to origins the operator granted by name. The host adds what the grant says (authorisation headers) and
// follows no redirect.
package http

import (
	"fmt"

	"tidegate"
)

// Method of a request.
type Method uint8

// The methods, as the contract numbers them.
const (
	Get Method = iota
	Head
	Post
	Put
	Patch
	Delete
)

// Header is one header.
type Header struct{ Name, Value string }

// Request to a granted origin.
type Request struct {
	// Endpoint is one of the context's endpoints: it names the origin.
	Endpoint string
	Method   Method
	// Path and query, with a leading slash; joined to the endpoint's own path.
	Path    string
	Headers []Header
	Body    []byte
	// TimeoutMS 0: the endpoint's own timeout, which is also the most.
	TimeoutMS uint32
}

// Response to a request.
type Response struct {
	Status  int
	Headers []Header
	Body    []byte
}

// Problem is why there is no response.
type Problem uint8

// The problems, as the contract numbers them.
const (
	// Refused: the endpoint was not granted, or the request is malformed.
	Refused Problem = iota
	// NotSent: no connection.
	NotSent
	// Unknown: sent, and no whole answer came.
	Unknown
	// TooLarge: the answer is larger than the host takes.
	TooLarge
)

// Error of a request.
type Error struct {
	Problem Problem
	Message string
}

func (e *Error) Error() string { return e.Message }

// Send sends a request. Its errors are failures made of *Error: not sent is retryable, refused and too large are fatal; one without
// an answer is retryable too, since a receiver that must not see a request twice tells so by the request's idempotency key.
func Send(request *Request) (*Response, error) {
	response, err := send(request)
	if err == nil {
		return response, nil
	}
	wrapped := fmt.Errorf("request to %s%s: %w", request.Endpoint, request.Path, err)
	if err.Problem == Refused || err.Problem == TooLarge {
		return nil, tidegate.Fatal("http", wrapped)
	}
	return nil, tidegate.Retryable(wrapped)
}

// Check turns the status of an answer into a failure: 2xx is none, 408, 425, 429 and 5xx are retryable, others fatal.
func (r *Response) Check() error {
	if r.Status >= 200 && r.Status < 300 {
		return nil
	}
	err := fmt.Errorf("the receiver answered %d: %.200s", r.Status, r.Body)
	if r.Status >= 500 || r.Status == 408 || r.Status == 425 || r.Status == 429 {
		return tidegate.Retryable(err)
	}
	return tidegate.Fatal("http-status", err)
}
