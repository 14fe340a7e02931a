//go:build !wasm

package secret

func get(string) (string, string) { return "", "this runs outside of a host" }
