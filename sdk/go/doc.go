// Package tidegate is what a Tidegate plugin written in Go is made of.
//
// A plugin is a package main that hands its implementation to sink.Serve, dispatcher.Serve or transform.Serve in an init function.
// Compiled with GOOS=wasip1 GOARCH=wasm it becomes a component; compiled for anything else it is ordinary Go, for unit tests.
//
// Does: types for everything that crosses the border, typed rows, the mapping of errors. Batches are read by the package tgr1;
// capabilities are packages of their own: sql, producer, objectstore, http, state, secret, clock, log, metrics.
// Does not: any IO of its own. A component made with it imports no WASI: there are no files, no sockets, no environment; time.Now
// does not tell the time (package clock does) and crypto/rand fails.
//
// Invariants:
//   - The host never makes two calls at once; goroutines run within a call only.
//   - A panic of a plugin becomes a fatal failure with the panic's text; its stack goes to the log.
package tidegate
