"""The calls and expectations of the border test that every example of sdk/ must meet alike."""

import base64
import json
import math
import pathlib
import struct

GOLDEN = pathlib.Path(__file__).parents[2] / "sdk" / "golden"
LOGICAL = ["int", "uint", "float32", "float64", "decimal", "text", "bytes", "json", "date", "datetime", "timestamp", "time", "year",
           "enumeration", "set", "bit", "vector"]
MEMBERS = {"enumeration": ["klein", "groß"], "set": ["a", "b", "ç"]}
FSP = {"datetime": 6, "timestamp": 3, "time": 6}


def n(number):
    return {"n": str(number)}


def hex_of(name):
    return {"hex": (GOLDEN / f"{name}.hex").read_text().replace("\n", "")}


def golden(name):
    return json.loads((GOLDEN / f"{name}.json").read_text())


def position(ts, stage=1, seq=0):
    return {"ts": n(ts), "stage": stage, "seq": n(seq)}


PROPS = ["nullable", "primaryKey", "rowKey", "unique", "generated", "autoIncrement", "unsigned"]


def column(number, logical, name):
    return {
        "id": n(number + 1), "name": name, "logical": logical, "sourceType": logical,
        "props": {p: (p == "primaryKey" or p == "rowKey") if number == 0 else p == "nullable" for p in PROPS},
        "length": None, "decimals": FSP.get(logical), "charset": "utf8mb4", "collation": "utf8mb4_bin",
        "members": MEMBERS.get(logical, []), "defaultValue": {"hex": "00ff"} if number == 1 else None, "attrs": [["a", "ö"]],
    }


def table(name="types"):
    data = golden(name)
    names = [f"c_{kind}" if kind != "text" else "c_\"tëxt" for kind in LOGICAL]
    columns = [column(i, kind, text) for i, (kind, text) in enumerate(zip(LOGICAL, names))]
    if name != "types":
        columns = [column(i, "int", f"c{i}") for i in range(300)]
        for entry in data["columns"]:
            kind = LOGICAL[entry["logical"] - 1]
            columns[entry["position"]] = column(entry["position"], kind, f"c{entry['position']}")
    return {
        "ref": {"table": n(data["table"]), "version": n(data["version"])}, "database": "größe", "name": name, "columns": columns,
        "indexes": [{"name": "PRIMARY", "columns": [0], "unique": True, "primary": True}], "rowKey": 0, "charset": "utf8mb4",
        "collation": "utf8mb4_bin", "attrs": [],
    }


def context(config, lane=1):
    return {
        "changefeed": "default/größe", "slot": 3, "lane": lane, "lanes": 4, "epoch": [n(2**60), n(7)], "config": json.dumps(config),
        "checkpoint": position(461000000000000000, 2, 5), "state": {"hex": "0102"}, "endpoints": ["downstream", "db"], "tgrMinor": 0,
        "attrs": [["k", "v"]],
    }


def batch(name):
    data = golden(name)
    return {"ref": {"table": n(data["table"]), "version": n(data["version"])}, "data": hex_of(name)}


def packed_text(bits, fsp, date_only=False):
    year_month, day = bits >> 46, bits >> 41 & 31
    text = f"{year_month // 13:04}-{year_month % 13:02}-{day:02}"
    if date_only:
        return text
    text += f" {bits >> 36 & 31:02}:{bits >> 30 & 63:02}:{bits >> 24 & 63:02}"
    return text + ("." + f"{bits & 0xFFFFFF:06}"[:fsp] if fsp else "")


def duration_text(micros, fsp):
    sign, size = ("-" if micros < 0 else ""), abs(micros)
    text = f"{sign}{size // 3600000000:02}:{size // 60000000 % 60:02}:{size // 1000000 % 60:02}"
    return text + ("." + f"{size % 1000000:06}"[:fsp] if fsp else "")


def plain(value, kind):
    """The value as the line of JSON has it."""
    if value is None or value == "absent":
        return None
    (slot, raw), = value.items()
    if slot == "float":
        number = struct.unpack(">d", bytes.fromhex(raw))[0]
        return ("float32", number) if kind == "float32" else number
    if slot == "bytes":
        data = bytes.fromhex(raw)
        if kind == "bytes":
            return base64.b64encode(data).decode()
        if kind == "vector":
            return [("float32", f) for f in struct.unpack(f"<{len(data) // 4}f", data)]
        return json.loads(data) if kind == "json" else data.decode()
    number = int(raw)
    if kind == "date":
        return packed_text(number, 0, date_only=True)
    if kind in ("datetime", "timestamp"):
        return packed_text(number, FSP[kind])
    if kind == "time":
        return duration_text(number, FSP[kind])
    if kind == "enumeration":
        return MEMBERS[kind][number - 1] if 0 < number <= 2 else ""
    if kind == "set":
        return ",".join(m for i, m in enumerate(MEMBERS[kind]) if number >> i & 1)
    return number


def lines(name="types"):
    """What the jsonlines example posts for a golden batch."""
    data, schema = golden(name), table(name)
    columns = [schema["columns"][entry["position"]] for entry in data["columns"]]
    for row in data["rows"]:
        out = {"table": "größe." + name, "op": row["op"], "commit_ts": row["commit_ts"]}
        for image, key in (("after", "data"), ("before", "old")):
            if image in row:
                out[key] = {c["name"]: plain(v, c["logical"]) for c, v in zip(columns, row[image])}
        yield out


def same(expected, actual):
    """Equal, with FLOATs compared as such."""
    if isinstance(expected, tuple):
        return isinstance(actual, (int, float)) and struct.pack("<f", expected[1]) == struct.pack("<f", actual)
    if isinstance(expected, dict):
        return isinstance(actual, dict) and expected.keys() == actual.keys() and all(same(v, actual[k]) for k, v in expected.items())
    if isinstance(expected, list):
        return isinstance(actual, list) and len(expected) == len(actual) and all(map(same, expected, actual))
    if isinstance(expected, float):
        return isinstance(actual, (int, float)) and math.isclose(expected, actual, rel_tol=0, abs_tol=0)
    return type(expected) is type(actual) and expected == actual
