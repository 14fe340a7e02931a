// Package log writes to the host's log, which limits the rate.
package log

import "fmt"

// Level says how much a message matters.
type Level uint32

// The levels, as the contract numbers them.
const (
	LevelTrace Level = iota
	LevelDebug
	LevelInfo
	LevelWarn
	LevelError
)

// Debug logs a message with keys and values in turn.
func Debug(message string, fields ...any) { Log(LevelDebug, message, fields...) }

// Info logs a message with keys and values in turn.
func Info(message string, fields ...any) { Log(LevelInfo, message, fields...) }

// Warn logs a message with keys and values in turn.
func Warn(message string, fields ...any) { Log(LevelWarn, message, fields...) }

// Error logs a message with keys and values in turn.
func Error(message string, fields ...any) { Log(LevelError, message, fields...) }

// Log logs a message with keys and values in turn; a key without a value gets an empty one.
func Log(level Level, message string, fields ...any) {
	texts := make([]string, 0, len(fields)+1)
	for _, field := range fields {
		texts = append(texts, fmt.Sprint(field))
	}
	if len(texts)%2 == 1 {
		texts = append(texts, "")
	}
	write(level, message, texts)
}
