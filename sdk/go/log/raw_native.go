//go:build !wasm

package log

import (
	"fmt"
	"os"
)

// Enabled says whether a message of this level is kept; ask before building a dear one.
func Enabled(level Level) bool { return level >= LevelInfo }

func write(level Level, message string, texts []string) {
	if Enabled(level) {
		fmt.Fprintln(os.Stderr, message, texts)
	}
}
