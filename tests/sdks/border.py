#!/usr/bin/env python3
"""border.py X.wasm [WRITES]: what the jsonlines example of every SDK answers and posts, value by value, under jco's canonical ABI."""

import json
import pathlib
import subprocess
import sys
import tempfile

import scenario as s

HERE = pathlib.Path(__file__).parent
# Components of Python use constant expressions that Node 20 has behind a flag.
NODE = ["node", "--stack-size=8000", "--experimental-wasm-extended-const"]


def sink(function, *args, **more):
    return {"interface": "sink", "function": function, "args": list(args), **more}


def drive(wasm, scenarios):
    """The answers of an instance for each list of calls."""
    with tempfile.TemporaryDirectory() as folder:
        script, out = pathlib.Path(folder, "calls.json"), pathlib.Path(folder, "answers.json")
        script.write_text(json.dumps(scenarios))
        subprocess.run([*NODE, HERE / "border.mjs", wasm, script, out], check=True)
        return json.loads(out.read_text())


def expect(ok, what, *seen):
    if not ok:
        sys.exit(f"border: {what}\n" + "\n".join(json.dumps(x, indent=1)[:4000] for x in seen))


def posted(answer):
    requests = [asked[1] for asked in answer["asked"] if asked[0] == "http.send"]
    return [json.loads(line) for r in requests for line in bytes.fromhex(r["body"]["hex"]).splitlines()]


def fatal(answer, code):
    err = answer.get("err") or {}
    return err.get("tag") == "fatal" and err["val"]["code"] == code


BATCHES = ("types", "wide", "empty", "small")


def rows_calls(name):
    return [
        {"interface": "describe", "function": "describe"},
        sink("open", s.context({"endpoint": "downstream", "path": "/in"})),
        sink("onSchema", s.table(name), []),
        sink("write", s.batch(name)["data"], batch=s.batch(name)),
        sink("flush", {"id": 9, "kind": "checkpoint", "at": s.position(470)}),
        sink("status"), sink("onTick"), sink("onCheckpoint", s.position(470)),
        sink("onDdl", {"at": s.position(471, 2), "kind": "add-column", "database": "d", "table": "t", "query": "ALTER TABLE ö",
                       "before": s.table(name), "after": s.table(name), "maybeDone": True, "attrs": []}),
        sink("dropSchema", s.table(name)["ref"]),
        sink("write", s.batch(name)["data"], batch=s.batch(name)),
        sink("close"),
    ]


def check_rows(name, answers):
    """Every type, NULLs, absent values, many columns, no rows."""
    for answer in answers:
        expect("trap" not in answer, "a trap", answer)
    manifest, opened, plan, written, flushed, status, tick, mark, ddl = (a.get("ok") for a in answers[:9])
    expect(manifest["capabilities"][0]["name"] == "http" and json.loads(manifest["configSchema"]), "the manifest", manifest)
    expect(opened is None and "err" not in answers[1], "open keeps no position", answers[1])
    expect(plan["deliver"] is True and plan["columns"] is None, "the plan", answers[2])
    expected = list(s.lines(name))
    buffered = int(written["bufferedBytes"]["n"])
    expect(written["quarantined"] == [] and (buffered > 0) == bool(expected), "the outcome", answers[3])
    expect(flushed == {"barrier": 9, "complete": True, "state": None}, "the acknowledgement", answers[4])
    expect(all("err" not in a for a in answers[5:9]) and status is None, "quiet calls", answers[5:9])
    expect(fatal(answers[10], "schema"), "rows of a dropped schema", answers[10])
    lines = posted(answers[4])
    expect(len(lines) == len(expected), f"{len(expected)} lines", lines)
    for want, got in zip(expected, lines):
        expect(s.same(want, got), f"{name}: the line {want}", got)


def broken_batches():
    data = bytes.fromhex(s.hex_of("types")["hex"])
    return [b"", b"TGR2" + data[4:], data[:100], data[:40] + bytes(4) + data[44:], data[:-8]]


def failure_calls():
    broken = broken_batches()
    calls = [sink("open", s.context({"path": 5})), sink("open", s.context({"path": "/status/503"})), sink("onSchema", s.table(), [])]
    calls += [sink("write", {"hex": b.hex()}, batch=s.batch("types")) for b in broken]
    calls += [sink("write", s.batch("types")["data"], batch=s.batch("types")),
              sink("flush", {"id": 1, "kind": "stop", "at": s.position(470)})]
    return calls


def refusal_calls():
    rows = s.batch("types")
    return [sink("open", s.context({"path": "/status/400"})), sink("onSchema", s.table(), []), sink("write", rows["data"], batch=rows),
            sink("flush", {"id": 2, "kind": "swap", "at": s.position(470)})]


def check_failures(answers, refusal):
    """Refused configuration, damaged batches, a receiver that says no."""
    broken = broken_batches()
    expect(fatal(answers[0], "config"), "a configuration of the wrong type", answers[0])
    for answer, bytes_ in zip(answers[3:], broken):
        expect(fatal(answer, "batch"), f"a damaged batch of {len(bytes_)} bytes", answer)
    flushed = answers[4 + len(broken)]
    expect((flushed.get("err") or {}).get("tag") == "retryable", "503 is retryable", flushed)
    expect(fatal(refusal[-1], "http-status"), "400 is fatal", refusal[-1])


def endurance_calls(times):
    rows = s.batch("types")
    return [
        sink("open", s.context({"batch-bytes": 65536})), sink("onSchema", s.table(), []),
        sink("write", rows["data"], batch=rows, times=times),
        sink("flush", {"id": 1, "kind": "checkpoint", "at": s.position(1)}),
    ]


def check_endurance(answers):
    """Many batches in one instance: finds collectors that call the host at the wrong moment, and leaks that end in a trap."""
    expect("ok" in answers[2] and "ok" in answers[3], "many writes", answers[2:])


def main():
    wasm = sys.argv[1]
    times = int(sys.argv[2]) if len(sys.argv) > 2 else 2000
    *rows, failures, refusal, endurance = drive(wasm, [*map(rows_calls, BATCHES), failure_calls(), refusal_calls(), endurance_calls(times)])
    for name, answers in zip(BATCHES, rows):
        check_rows(name, answers)
    check_failures(failures, refusal)
    check_endurance(endurance)
    print(f"border: {pathlib.Path(wasm).name} answers as the contract says")


if __name__ == "__main__":
    main()
