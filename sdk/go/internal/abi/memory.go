// Package abi is how values cross the border between this module and the host: the canonical ABI of the component model, for the
// types of wit/tidegate.wit.
//
// Types named Raw... lie in memory exactly as the canonical ABI lays them out: Go aligns fields as it does, and pointers of the
// 32-bit memory are kept as List. What they point to is kept alive by the two lists of this file, since the collector does not see
// such pointers.
package abi

import "unsafe"

// List is a string or list: where its items are, and how many.
type List struct{ Ptr, Len uint32 }

// incoming holds what the host put into this memory until the call that brought it has taken it over.
var incoming []unsafe.Pointer

// outgoing holds what was handed to the host, until the host has read it.
var outgoing []unsafe.Pointer

// Allocate gives size bytes at a multiple of 8 to the host.
func Allocate(size uint32) unsafe.Pointer {
	p := unsafe.Pointer(unsafe.SliceData(make([]uint64, (size+7)/8)))
	incoming = append(incoming, p)
	return p
}

// Taken lets go of what the host had put into memory: whatever is still wanted has Go references by now.
func Taken() {
	clear(incoming)
	incoming = incoming[:0]
}

// Mark and Release bracket what an import call lends to the host.
func Mark() int { return len(outgoing) }

// Release lets go of everything lent since the mark.
func Release(mark int) {
	clear(outgoing[mark:])
	outgoing = outgoing[:mark]
}

func address(p unsafe.Pointer) uint32 { return uint32(uintptr(p)) }

// At turns an address that the host gave into a pointer.
func At[T any](ptr uint32) *T { return (*T)(pointer(ptr)) }

// View is a list of the host's as a slice over the same memory.
func View[T any](l List) []T {
	if l.Len == 0 {
		return nil
	}
	return unsafe.Slice(At[T](l.Ptr), l.Len)
}

// String is a string of the host's, in place: memory that the host filled is not written again.
func String(l List) string {
	return unsafe.String(unsafe.SliceData(View[byte](l)), l.Len)
}

// Strings are many strings of the host's.
func Strings(l List) []string {
	raw := View[List](l)
	out := make([]string, len(raw))
	for i, item := range raw {
		out[i] = String(item)
	}
	return out
}

// Lend makes a slice visible to the host until it is released.
func Lend[T any](items []T) List {
	if len(items) == 0 {
		return List{}
	}
	p := unsafe.Pointer(unsafe.SliceData(items))
	outgoing = append(outgoing, p)
	return List{address(p), uint32(len(items))}
}

// LendString makes a string visible to the host until it is released.
func LendString(s string) List {
	if s == "" {
		return List{}
	}
	p := unsafe.Pointer(unsafe.StringData(s))
	outgoing = append(outgoing, p)
	return List{address(p), uint32(len(s))}
}

// LendStrings makes many strings visible to the host until they are released.
func LendStrings(items []string) List {
	raw := make([]List, len(items))
	for i, item := range items {
		raw[i] = LendString(item)
	}
	return Lend(raw)
}

// area is where results lie: those of exports until the next call, those of imports until they were read. 264 bytes are the most
// that a call of the contract answers.
var area [40]uint64

// Area is where an import puts its result.
func Area() unsafe.Pointer { return unsafe.Pointer(&area) }

// ResultTag is 0 for ok.
func ResultTag() uint8 { return *(*uint8)(Area()) }

// Result4 is the payload of a result none of whose cases holds 64-bit numbers.
func Result4[T any]() *T { return (*T)(unsafe.Add(Area(), 4)) }

// Result8 is the payload of a result with a case that holds 64-bit numbers.
func Result8[T any]() *T { return (*T)(unsafe.Add(Area(), 8)) }

// Answer puts a value that is no result into the area and gives its address.
func Answer[T any](v T) uint32 {
	*(*T)(Area()) = v
	return address(Area())
}

// Answer4 answers a result none of whose cases holds 64-bit numbers.
func Answer4[T any](tag uint8, v T) uint32 {
	*(*uint8)(Area()) = tag
	*Result4[T]() = v
	return address(Area())
}

// Answer8 answers a result with a case that holds 64-bit numbers.
func Answer8[T any](tag uint8, v T) uint32 {
	*(*uint8)(Area()) = tag
	*Result8[T]() = v
	return address(Area())
}

// pointer hides from vet that a number becomes a pointer: it is an address of this module's memory, which incoming keeps alive.
func pointer(ptr uint32) unsafe.Pointer {
	p := uintptr(ptr)
	return *(*unsafe.Pointer)(unsafe.Pointer(&p))
}
