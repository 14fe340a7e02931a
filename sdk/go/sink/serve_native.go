//go:build !wasm

package sink

import "tidegate"

// Serve makes this sink the component's. Outside of a component it does nothing.
func Serve(manifest tidegate.Manifest, plugin Sink) {
	_, _ = manifest, plugin
}
