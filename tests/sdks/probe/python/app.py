"""Calls every capability and logs what came of it, in the same words as the probes in other languages."""

import tidegate
from tidegate import clock, http, log, metrics, object_store, producer, secret, sql, state


def say(name, v):
    log.info(name, v=v)


def shown(flag):
    return "true" if flag else "false"


def listed(items):
    return "[" + " ".join(map(str, items)) + "]"


def fault(name, call):
    """Shows a failure: kind, code, message, wait."""
    try:
        out = call()
    except tidegate.Failure as f:
        kind = getattr(f, "sql_kind", None)
        if kind is not None and name == "sql":
            say(name, ["retryable", "unknown", "fenced", "duplicate", "refused", "denied"].index(kind))
        say(name, f"{f.kind.lower()}/{getattr(f, 'code', '')}/{f.message}/{getattr(f, 'after_ms', None) or 0}")
        return None
    say(name, "fine")
    return out


class Probe(tidegate.Sink):
    def open(self, c):
        say("context", f"{c.changefeed} {c.slot} {c.lane} {c.lanes} {c.epoch[0]} {c.epoch[1]} {c.config} {c.checkpoint.ts} {c.checkpoint.stage} "
                       f"{c.checkpoint.seq} {c.state.hex()} {listed(c.endpoints)}")
        metrics.Counter("rows").add(7)
        metrics.Gauge("level").set(-0.5)

    def on_schema(self, table, targets):
        c = table.columns[1]
        say("table", f"{table.database}.{table.name} {len(table.columns)} {len(table.indexes)} {c.name} {c.logical} {int(c.props)} "
                     f"{c.default_value.hex()} {listed(table.key_columns())} {listed(targets)}")
        return tidegate.Plan(columns=[0, 2], batch_rows=5, batch_bytes=6, attrs=[("a", "ö")])

    def write(self, rows):
        rows.quarantine(1, "bad", "not good ö")
        say("read", len(rows.read([0, 2], 1, 2)))
        fault("read", lambda: None)
        fault("read", lambda: rows.read(None, 2000, 1))

    def buffered(self):
        return 42

    def status(self):
        return tidegate.Position(1000, 2, 3)

    def on_ddl(self, ddl):
        say("ddl", f"{ddl.at.ts} {int(ddl.kind)} {ddl.database} {ddl.table} {ddl.query} {shown(ddl.before is None)} "
                   f"{shown(ddl.after is not None)} {shown(ddl.maybe_done)}")
        raise tidegate.Retryable("later ö", after_ms=1500)

    def on_tick(self):
        raise RuntimeError("asked to ö")

    def on_checkpoint(self, at):
        raise tidegate.Unsupported("old", "not in this build ö")

    def flush(self, barrier):
        small()
        database()
        queue()
        store()
        web()
        barrier.complete = False
        barrier.state = bytes([1, 2])


def small():
    say("secret", secret.get("granted"))
    fault("secret", lambda: None)
    fault("secret", lambda: secret.get("other"))
    fault("state", lambda: state.set("k", bytes([0, 255])))
    say("state", f"{state.get('k').hex()} true {listed(state.keys('', 10))}")
    state.delete("k")
    say("state", f"{shown(state.get('k') is not None)} {len(state.keys('', 10))}")
    fault("state", lambda: state.set("large", bytes(65537)))
    say("clock", clock.wall_ms())


def database():
    fault("sql", lambda: sql.Connection("nope"))
    conn = fault("sql", lambda: sql.Connection("db"))
    say("sql", f"{['mysql', 'mariadb', 'tidb', 'other'].index(conn.dialect)} {conn.server_version} {conn.max_statement_bytes}")
    done = conn.transact(["insert ö", "x"])
    say("sql", f"{done.affected} {done.warnings}")
    fault("sql", lambda: None)
    for kind in ("fine", "retryable", "unknown", "fenced", "duplicate", "refused", "denied"):
        fault("sql", lambda: conn.execute("do ö " + kind))
    found = fault("sql", lambda: conn.query("select ö", 9))
    for v in found.rows[0]:
        say("sql", "null" if v is None else v.hex() if isinstance(v, bytes) else v)
    say("sql", f"{listed(found.columns)} {len(found.rows[1])}")


def queue():
    for endpoint in ("a-retryable", "a-unknown", "a-fenced", "a-fatal", "a-unsupported"):
        fault("producer", lambda: producer.Producer(endpoint))
    p = fault("producer", lambda: producer.Producer("kafka"))
    say("producer", p.partitions("tö"))
    fault("producer", lambda: None)
    say("producer", p.max_message_bytes("t"))
    fault("producer", lambda: None)
    fault("producer", lambda: p.partitions("t-fatal"))
    m = producer.Messages([("hö", bytes([0, 1]))])
    m.add("a", b"v1", key=b"k1", partition=3)
    m.add("bö", "vö2".encode(), key=b"k2", partition=4)
    fault("producer", lambda: p.send(m))
    fault("producer", p.flush)
    p.close()


def meta(m):
    return f'{m.path} {m.size} "{m.etag or ""}" {m.modified_ms}'


def store():
    b = fault("store", lambda: object_store.Bucket("bucket"))
    say("store", meta(b.put("pö", bytes([1, 2]))))
    fault("store", lambda: None)
    say("store", meta(b.put("p-bare", b"", create=True)))
    fault("store", lambda: None)
    try:
        b.put("p-conflict", b"", if_match="tag ö")
        say("store", "false")
    except object_store.Conflict:
        say("store", "true")
    fault("store", lambda: b.put("p-fatal", b""))
    say("store", f"{b.get('g', 1, 2).hex()} true")
    fault("store", lambda: None)
    say("store", shown(b.get("g-none") is not None))
    say("store", f"{meta(b.head('h'))} true")
    fault("store", lambda: None)
    say("store", shown(b.head("h-none") is not None))
    fault("store", lambda: b.head("h-unknown"))
    say("store", "; ".join(map(meta, b.list("pre", "aft", 5))))
    fault("store", lambda: None)
    fault("store", lambda: b.delete("d"))
    fault("store", lambda: b.delete("d-retryable"))
    u = fault("store", lambda: b.upload("u"))
    fault("store", lambda: u.write(bytes([1, 2, 3])))
    say("store", meta(u.finish()))
    fault("store", lambda: None)
    b.upload("u2").abort()
    b.close()


def web():
    r = fault("http", lambda: http.send("downstream", "PATCH", "/status/200", "bö".encode(), [("x", "ö")], 9))
    say("http", f"{r.status} {r.headers[0][0]} {r.headers[0][1]} {r.body.decode()}")
    for path in ("/refused", "/not-sent", "/unknown", "/too-large"):
        fault("http", lambda: http.send("downstream", "GET", path))
    for path in ("/status/404", "/status/429", "/status/503"):
        fault("http", lambda: http.send("downstream", "GET", path).check())


Describe, Sink = tidegate.export_sink(Probe, tidegate.Manifest("probe", "1.0.0"))
