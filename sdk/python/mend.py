#!/usr/bin/env python3
"""Mends a component of componentize-py 0.25.1 in place: mend.py X.wasm.

The bindings of that version forget every list of bytes that Python hands to the host: the runtime copies it and never frees the copy, while
lists of anything else are put on the call's list of what is freed behind it (`wit_dylib_dealloc_bytes` with `defer`). The module that
componentize-py generates calls both; here it gets one more function, which asks for the list and puts the copy on that list too, and all
its calls go there. Bytes that are not as expected are an error, and nothing is written.

Formats: the WebAssembly core specification 2.0, section 5, and the component model's binary format, whose sections have the same shape.
"""

import pathlib
import sys
from typing import Iterator

MODULE = 1
TYPES, IMPORTS, FUNCTIONS, CODE = 1, 2, 3, 10
POP_LIST, DEALLOC = "wit_dylib_pop_list", "wit_dylib_dealloc_bytes"
# Result type and parameters of the two functions, as the type section spells them.
POP_LIST_TYPE = bytes.fromhex("60037f7f7f017f")
DEALLOC_TYPE = bytes.fromhex("60057f7f7f7f7f00")


class Unexpected(Exception):
    """The component is not one of the version that this mends."""


def unsigned(data: bytes, at: int) -> tuple[int, int]:
    """A LEB128 number (signed ones are only passed over), and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def leb(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def sized(data: bytes) -> bytes:
    return leb(len(data)) + data


def sections(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Id, start and content of the sections of a module or component."""
    at = 8
    while at < len(data):
        size, start = unsigned(data, at + 1)
        yield data[at], at, data[start : start + size]
        at = start + size


def types(data: bytes) -> list[bytes]:
    count, at = unsigned(data, 0)
    out = []
    for _ in range(count):
        start = at
        if data[at] != 0x60:
            raise Unexpected(f"a type of kind {data[at]:#x}")
        params, at = unsigned(data, at + 1)
        results, at = unsigned(data, at + params)
        at += results
        out.append(data[start:at])
    return out


def functions_imported(data: bytes) -> list[tuple[str, int]]:
    """Name and type index of every function that is imported, in order."""
    count, at = unsigned(data, 0)
    out = []
    for _ in range(count):
        size, at = unsigned(data, at)
        size, at = unsigned(data, at + size)
        name = data[at : at + size].decode()
        kind, at = data[at + size], at + size + 1
        if kind == 0:
            index, at = unsigned(data, at)
            out.append((name, index))
        elif kind in (1, 2):
            at += kind == 1
            limits, at = data[at], at + 1
            for _ in range(1 + (limits & 1)):
                _, at = unsigned(data, at)
        elif kind == 3:
            at += 2
        else:
            raise Unexpected(f"an import of kind {kind}")
    return out


def after(body: bytes, at: int) -> int:
    """Where the instruction ends that begins here."""
    op, at = body[at], at + 1
    if op in (0x0E, 0xFC):
        count, at = unsigned(body, at)
        if op == 0xFC and count not in (10, 11):
            raise Unexpected(f"the instruction fc {count:#x}")
        numbers = {10: 2, 11: 1}[count] if op == 0xFC else count + 1
    elif op in (0x43, 0x44):
        return at + (4 if op == 0x43 else 8)
    elif 0x02 <= op <= 0x04 or op in (0x0C, 0x0D, 0x10, 0x41, 0x42) or 0x20 <= op <= 0x26 or op in (0x3F, 0x40):
        numbers = 1
    elif op == 0x11 or 0x28 <= op <= 0x3E:
        numbers = 2
    elif op in (0x00, 0x01, 0x05, 0x0B, 0x0F, 0x1A, 0x1B) or 0x45 <= op <= 0xC4:
        numbers = 0
    else:
        raise Unexpected(f"the instruction {op:#x}")
    for _ in range(numbers):
        _, at = unsigned(body, at)
    return at


def redirected(body: bytes, old: int, new: int) -> bytes:
    """A function's body with calls of one function turned into calls of another."""
    groups, at = unsigned(body, 0)
    for _ in range(groups):
        _, at = unsigned(body, at)
        at += 1
    out = bytearray(body[:at])
    while at < len(body):
        end = after(body, at)
        calls = body[at] == 0x10 and unsigned(body, at + 1)[0] == old
        out += b"\x10" + leb(new) if calls else body[at:end]
        at = end
    return bytes(out)


def remembering(pop_list: int, dealloc: int) -> bytes:
    """The body of: (call, type, where) -> length, as the runtime answers; a copy that lies at `where` is freed behind the call."""
    where, length = b"\x20\x02\x28\x02\x00", b"\x20\x03"
    pop = b"\x20\x00\x20\x01\x20\x02\x10" + leb(pop_list) + b"\x21\x03"
    free = b"\x20\x00" + where + length + b"\x41\x01\x41\x01\x10" + leb(dealloc)
    return b"\x01\x01\x7f" + pop + where + b"\x04\x40" + free + b"\x0b" + length + b"\x0b"


def mended(module: bytes) -> bytes:
    """The generated module with every list of bytes freed."""
    parts = {kind: content for kind, _, content in sections(module) if kind in (TYPES, IMPORTS, FUNCTIONS, CODE)}
    known, imported = types(parts[TYPES]), functions_imported(parts[IMPORTS])
    names = [name for name, _ in imported]
    pop_list, dealloc = names.index(POP_LIST), names.index(DEALLOC)
    if known[imported[pop_list][1]] != POP_LIST_TYPE or known[imported[dealloc][1]] != DEALLOC_TYPE:
        raise Unexpected("functions of another type")
    defined, at = unsigned(parts[FUNCTIONS], 0)
    parts[FUNCTIONS] = leb(defined + 1) + parts[FUNCTIONS][at:] + leb(imported[pop_list][1])
    new = len(imported) + defined
    count, at = unsigned(parts[CODE], 0)
    bodies = []
    for _ in range(count):
        size, at = unsigned(parts[CODE], at)
        bodies.append(redirected(parts[CODE][at : at + size], pop_list, new))
        at += size
    bodies.append(remembering(pop_list, dealloc))
    parts[CODE] = leb(len(bodies)) + b"".join(map(sized, bodies))
    out = bytearray(module[:8])
    for kind, _, content in sections(module):
        out += bytes([kind]) + sized(parts.get(kind, content))
    return bytes(out)


def main() -> None:
    path = pathlib.Path(sys.argv[1])
    component = path.read_bytes()
    out, found = bytearray(component[:8]), 0
    for kind, _, content in sections(component):
        # Among the modules only the generated one imports this; the runtime defines it.
        if kind == MODULE and any(k == IMPORTS and POP_LIST.encode() in c for k, _, c in sections(content)):
            content, found = mended(content), found + 1
        out += bytes([kind]) + sized(content)
    if found != 1:
        raise Unexpected(f"{found} modules that were generated")
    path.write_bytes(out)


try:
    main()
except (Unexpected, IndexError, KeyError, ValueError) as error:
    sys.exit(f"tidegate: {sys.argv[1]} is no component of componentize-py 0.25.1: {error!r}")
