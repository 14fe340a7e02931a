// Package clock tells the time, in sinks that were granted it.
package clock

import "time"

// Now is the host's wall clock.
func Now() time.Time { return time.UnixMilli(int64(wallMS())) }

// Monotonic is the time since some moment; it never goes back.
func Monotonic() time.Duration { return time.Duration(monotonicNS()) }
