//go:build !wasm

package transform

import "tidegate"

// Serve makes this transform the component's. Outside of a component it does nothing.
func Serve(manifest tidegate.Manifest, plugin Transform) {
	_, _ = manifest, plugin
}

// Run runs the transform over rows, for unit tests. The table is the output of its plan.
func Run(plugin Transform, table *tidegate.Table, rows *tidegate.Rows) (data []byte, origins []uint32, err error) {
	out := newOutput(table, &rows.Batch)
	if err := plugin.Transform(rows, out); err != nil {
		return nil, nil, err
	}
	return out.Finish(), out.origins, nil
}
