// Package state is a small durable map of this instance's slot and lane. Changes become durable together with the next acknowledged
// barrier, and are thrown away when the instance is replaced before. All keys and values together: at most 64 KiB.
package state

import (
	"errors"

	"tidegate"
)

// Set keeps a value; a fatal failure when the map would become too large.
func Set(key string, value []byte) error {
	if reason := set(key, value); reason != "" {
		return tidegate.Fatal("state", errors.New("keeping "+key+": "+reason))
	}
	return nil
}
