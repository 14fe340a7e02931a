//go:build !wasm

package state

import (
	"slices"
	"strings"
)

// Outside of a host the map lives in memory.
var memory = map[string][]byte{}

// Get is the value of a key.
func Get(key string) ([]byte, bool) {
	value, ok := memory[key]
	return value, ok
}

// Delete forgets a key.
func Delete(key string) { delete(memory, key) }

// Keys are the keys with this prefix, in order, at most limit.
func Keys(prefix string, limit uint32) []string {
	var keys []string
	for key := range memory {
		if strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys[:min(len(keys), int(limit))]
}

func set(key string, value []byte) string {
	memory[key] = slices.Clone(value)
	return ""
}
