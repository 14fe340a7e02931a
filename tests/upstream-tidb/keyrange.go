package main

import (
	"bytes"

	"github.com/pingcap/tidb/pkg/util/codec"
)

// keyRange holds raw keys from start up to, not including, end; an empty end has no limit.
type keyRange struct{ start, end []byte }

// decodeRange turns the bounds of a region, or of a registration, into raw keys. A bound that is not
// memory-comparable counts as open, as TiKV has it.
func decodeRange(start, end []byte) keyRange {
	plain := func(bound []byte) []byte {
		if len(bound) == 0 {
			return nil
		}
		if _, key, err := codec.DecodeBytes(bound, nil); err == nil {
			return key
		}
		return nil
	}
	return keyRange{plain(start), plain(end)}
}

func (r keyRange) has(key []byte) bool {
	return bytes.Compare(r.start, key) <= 0 && !r.isBelow(key)
}

// isBelow tells whether the whole range lies below key.
func (r keyRange) isBelow(key []byte) bool {
	return len(r.end) != 0 && bytes.Compare(r.end, key) <= 0
}

// common is what two ranges share.
func (r keyRange) common(other keyRange) keyRange {
	out := r
	if bytes.Compare(other.start, out.start) > 0 {
		out.start = other.start
	}
	if len(out.end) == 0 || len(other.end) != 0 && bytes.Compare(other.end, out.end) < 0 {
		out.end = other.end
	}
	return out
}

func (r keyRange) meets(other keyRange) bool {
	return !r.isBelow(other.start) && !other.isBelow(r.start)
}
