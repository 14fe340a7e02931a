#!/usr/bin/env python3
"""probe.py X.wasm [--write]: the probe of a language asks every capability, and hears its answers, as probe.expected.json says."""

import json
import pathlib
import sys

import scenario as s
from border import drive, expect, sink

EXPECTED = pathlib.Path(__file__).parent / "probe.expected.json"


def answers_of(wasm):
    rows = s.batch("types")
    calls = [
        {"interface": "describe", "function": "describe"},
        sink("open", s.context({"a": "ö"})),
        sink("onSchema", s.table(), ["one", "zwölf"]),
        sink("write", rows["data"], batch=rows),
        sink("status"),
        sink("onDdl", {"at": s.position(471, 2), "kind": "add-column", "database": "d", "table": "t", "query": "ALTER TABLE ö", "before": None,
                       "after": s.table(), "maybeDone": True, "attrs": []}),
        sink("onCheckpoint", s.position(470)),
        sink("flush", {"id": 9, "kind": "swap", "at": s.position(470)}),
        sink("onTick"),
    ]
    return drive(wasm, [calls])[0]


def same_everywhere(answers, exact):
    """Without what languages word in their own way."""
    tick = answers.pop()
    err = tick.get("err") or {}
    # A panic is a failure that says so, or, where a language cannot go on, a trap after a line in the log.
    spoke = any(asked[0] == "log" and asked[1] == "error" and "asked to ö" in json.dumps(asked, ensure_ascii=False) for asked in tick["asked"])
    expect(spoke and ("trap" in tick or err.get("tag") == "fatal" and "asked to ö" in err["val"]["message"]), "a panic", tick)
    text = json.dumps(answers, ensure_ascii=False)
    if not exact:
        # Numbers above 2^53 are not exact in QuickJS: here the epoch and the checkpoint, which are for reading only.
        text = text.replace(str(int(float(2**60))), str(2**60)).replace(str(int(float(461000000000000000))), "461000000000000000")
    return json.loads(text)


def main():
    wasm = sys.argv[1]
    answers = same_everywhere(answers_of(wasm), exact="quickjs" not in pathlib.Path(wasm).name)
    for answer in answers:
        expect("trap" not in answer, "a trap", answer)
    if "--write" in sys.argv:
        EXPECTED.write_text(json.dumps(answers, indent=1, ensure_ascii=False) + "\n")
    for want, got in zip(json.loads(EXPECTED.read_text()), answers, strict=True):
        for w, g in zip(want["asked"], got["asked"]):
            expect(w == g, f"{want['function']}: asked", w, g)
        expect(want == got, want["function"], want, got)
    print(f"probe: {pathlib.Path(wasm).name} asks and hears what it should")


main()
