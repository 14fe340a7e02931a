//go:build !wasm

package dispatcher

import "tidegate"

// Serve makes this dispatcher the component's. Outside of a component it does nothing.
func Serve(manifest tidegate.Manifest, plugin Dispatcher) {
	_, _ = manifest, plugin
}

// Decide runs the dispatcher over rows, for unit tests.
func Decide(plugin Dispatcher, rows *tidegate.Rows) (*Decisions, error) {
	decisions := &Decisions{}
	decisions.reset(rows.Len())
	return decisions, plugin.Dispatch(rows, decisions)
}
