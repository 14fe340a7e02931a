// Package secret reads secrets the operator granted by name. Prefer endpoints, where the host keeps the secret to itself.
package secret

import (
	"errors"

	"tidegate"
)

// Get is the secret of this name; a fatal failure when it was not granted.
func Get(name string) (string, error) {
	value, reason := get(name)
	if reason != "" {
		return "", tidegate.Fatal("secret", errors.New("secret "+name+": "+reason))
	}
	return value, nil
}
