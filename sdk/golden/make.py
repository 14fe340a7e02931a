#!/usr/bin/env python3
"""Makes the golden files of this directory from docs/formats/tgr1.md alone, with no SDK's code.

`make.py` writes them, `make.py --check` compares. Every SDK reads them in its tests.
"""

import json
import pathlib
import struct
import sys

HERE = pathlib.Path(__file__).parent
INT, UINT, FLOAT, BYTES = 1, 2, 3, 4
SLOT_OF = [None, INT, UINT, FLOAT, FLOAT, BYTES, BYTES, BYTES, BYTES, UINT, UINT, UINT, INT, INT, UINT, UINT, UINT, BYTES]
OPS = {"delete": 0, "update": 1, "insert": 2}
ABSENT = "absent"


def pad8(data):
    return data + bytes(-len(data) % 8)


def packed(year, month, day, hour=0, minute=0, second=0, micro=0):
    return (year * 13 + month) << 46 | day << 41 | hour << 36 | minute << 30 | second << 24 | micro


def image(values, logicals, at, with_absent):
    """One image that starts `at` bytes into its row."""
    words = (len(values) + 63) // 64 * 8
    nulls, absents, slots, tail = bytearray(words), bytearray(words), b"", b""
    fixed = words * (2 if with_absent else 1) + 8 * len(values)
    for i, (value, logical) in enumerate(zip(values, logicals)):
        if value is None or value == ABSENT:
            nulls[i // 8] |= 1 << i % 8
            if value == ABSENT:
                absents[i // 8] |= 1 << i % 8
            slots += bytes(8)
        elif SLOT_OF[logical] == BYTES:
            slots += struct.pack("<II", at + fixed + len(tail), len(value))
            tail += value
        else:
            slots += struct.pack({INT: "<q", UINT: "<Q", FLOAT: "<d"}[SLOT_OF[logical]], value)
    return bytes(nulls) + (bytes(absents) if with_absent else b"") + slots + pad8(tail)


def batch(table, version, columns, rows, with_absent):
    head_len = 64 + 8 * len(columns)
    logicals = [logical for _, logical in columns]
    body, index = b"", b""
    for row in rows:
        offsets, images, data = {"after": 0, "before": 0}, 0, b""
        for bit, kind in ((1, "after"), (2, "before")):
            if kind in row:
                offsets[kind] = 40 + len(data)
                data += image(row[kind], logicals, offsets[kind], with_absent)
                images |= bit
        index += struct.pack("<I", head_len + len(body))
        body += struct.pack(
            "<QQBBHIIIIHH", row["commit_ts"], row["start_ts"], OPS[row["op"]], images, row.get("flags", 0), 40 + len(data),
            offsets["after"], offsets["before"], row.get("partition", 0), row.get("target", 0), row.get("lane", 0),
        ) + data
    stamps = [row["commit_ts"] for row in rows] or [0]
    total = head_len + len(body) + len(pad8(index))
    head = b"TGR1" + struct.pack(
        "<HHIIIIQQIIQQ", 0, int(with_absent), 64, len(rows), len(columns), head_len + len(body), table, version, total, 40,
        min(stamps), max(stamps),
    )
    column_map = b"".join(struct.pack("<HBB4x", position, SLOT_OF[logical], logical) for position, logical in columns)
    return head + column_map + body + pad8(index)


def value_json(value, logical):
    """Exact in every language: 64-bit numbers as digits, doubles as their bits, strings as hex."""
    if value is None or value == ABSENT:
        return value
    slot = SLOT_OF[logical]
    if slot == BYTES:
        return {"bytes": value.hex()}
    if slot == FLOAT:
        return {"float": struct.pack(">d", value).hex()}
    return {"int" if slot == INT else "uint": str(value)}


def batch_json(table, version, columns, rows, with_absent):
    def row_json(row):
        out = {"commit_ts": str(row["commit_ts"]), "start_ts": str(row["start_ts"]), "op": row["op"]}
        out.update({key: row.get(key, 0) for key in ("flags", "partition", "target", "lane")})
        for kind in ("after", "before"):
            if kind in row:
                out[kind] = [value_json(v, logical) for v, (_, logical) in zip(row[kind], columns)]
        return out

    return {
        "table": str(table), "version": str(version), "flags": int(with_absent),
        "columns": [{"position": p, "slot": SLOT_OF[logical], "logical": logical} for p, logical in columns],
        "rows": [row_json(row) for row in rows],
    }


NOON = packed(2020, 2, 20, 2, 20, 20, 123456)
SMALL = (45, 9001, [(0, 1), (1, 6), (2, 4), (4, 10)], [
    {"commit_ts": 450, "start_ts": 440, "op": "insert", "partition": 3, "target": 1, "lane": 2,
     "after": [-7, "grüße".encode(), 1.5, NOON]},
    {"commit_ts": 460, "start_ts": 455, "op": "update", "flags": 2,
     "after": [-7, b"", None, 0], "before": [-7, "grüße".encode(), 1.5, NOON]},
    {"commit_ts": 470, "start_ts": 465, "op": "delete", "before": [-7, None, -0.5, NOON]},
], False)

FLOAT32 = struct.unpack("<f", struct.pack("<f", 0.1))[0]
LOW = [
    -(2**63), 0, -3.4028234663852886e38, 5e-324, b"-0.0000", b"", b"\x00\xff", b"null", packed(0, 0, 0), packed(1, 1, 1),
    packed(2020, 0, 0), -3020399999999, 1901, 0, 0, 0, b"",
]
HIGH = [
    2**63 - 1, 2**64 - 1, FLOAT32, 1.7976931348623157e308, b"9" * 35 + b"." + b"9" * 30, "naïve 日本語 🦀".encode(), bytes(range(256)),
    '{"k": [1, "ü"]}'.encode(), packed(9999, 12, 31), packed(9999, 12, 31, 23, 59, 59, 999999), NOON, 3020399999999, 2155, 65535,
    2**64 - 1, 2**64 - 1, struct.pack("<3f", 1, -2.5, 3e10),
]
TYPES = (2**53 + 1, 2**63 + 5, [(i, i + 1) for i in range(17)], [
    {"commit_ts": 461000000000000001, "start_ts": 461000000000000000, "op": "insert", "flags": 1, "partition": 4294967295,
     "target": 65534, "lane": 7, "after": LOW},
    {"commit_ts": 2**64 - 2, "start_ts": 2**53 + 1, "op": "update", "flags": 3, "after": HIGH, "before": LOW},
    {"commit_ts": 461000000000000002, "start_ts": 461000000000000001, "op": "update", "after": [1] + [None] * 16,
     "before": [1] + [ABSENT] * 16},
    {"commit_ts": 461000000000000003, "start_ts": 461000000000000002, "op": "delete", "before": [2**53 + 1] + [None] * 16},
], True)
# More columns than one word of a bitmap holds.
WIDE = (7, 1, [(i * 3, 1) for i in range(70)], [
    {"commit_ts": 9, "start_ts": 8, "op": "insert", "after": [i if i % 3 else None for i in range(70)]},
], False)
EMPTY = (8, 2, [(0, 1)], [], False)

TIMES = [
    (packed(0, 0, 0), 0, "0000-00-00 00:00:00"), (NOON, 6, "2020-02-20 02:20:20.123456"), (NOON, 3, "2020-02-20 02:20:20.123"),
    (NOON, 0, "2020-02-20 02:20:20"), (packed(7, 1, 2, 3, 4, 5, 67890), 6, "0007-01-02 03:04:05.067890"),
    (packed(2020, 0, 0), 0, "2020-00-00 00:00:00"), (packed(9999, 12, 31, 23, 59, 59, 999999), 6, "9999-12-31 23:59:59.999999"),
]
DURATIONS = [
    (0, 0, "00:00:00"), (-1000, 3, "-00:00:00.001"), (3020399999999, 6, "838:59:59.999999"), (-37845000000, 0, "-10:30:45"),
    (-(2**63), 6, "-2562047788:00:54.775808"),
]


def parts(bits):
    return [bits >> 46, bits >> 41 & 31, bits >> 36 & 31, bits >> 30 & 63, bits >> 24 & 63, bits & 0xFFFFFF]


def time_json(bits, fsp, text):
    year_month, day, hour, minute, second, micro = parts(bits)
    return {"packed": str(bits), "year": year_month // 13, "month": year_month % 13, "day": day, "hour": hour, "minute": minute,
            "second": second, "micro": micro, "fsp": fsp, "text": text}


def hex_lines(data):
    text = data.hex()
    return "".join(text[at:at + 64] + "\n" for at in range(0, len(text), 64))


def files():
    out = {}
    for name, args in (("small", SMALL), ("types", TYPES), ("wide", WIDE), ("empty", EMPTY)):
        out[name + ".hex"] = hex_lines(batch(*args))
        out[name + ".json"] = json.dumps(batch_json(*args), indent=1) + "\n"
    times = {"times": [time_json(*t) for t in TIMES],
             "durations": [{"micros": str(m), "fsp": f, "text": t} for m, f, t in DURATIONS]}
    out["times.json"] = json.dumps(times, indent=1) + "\n"
    return out


def main():
    differ = []
    for name, text in files().items():
        path = HERE / name
        if "--check" not in sys.argv:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            differ.append(name)
    if differ:
        sys.exit("golden files differ from what make.py makes: " + ", ".join(differ))


main()
