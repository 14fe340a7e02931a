"""A Tidegate sink that posts rows as lines of JSON to an HTTP receiver."""

import tidegate
from tidegate import http
from tidegate.jsontext import JsonObjects, quote

SCHEMA = {
    "type": "object",
    "properties": {
        "endpoint": {"type": "string", "description": "name of a granted HTTP endpoint"},
        "path": {"type": "string", "description": "where to post to"},
        "batch-bytes": {"type": "integer", "minimum": 1, "description": "post when this much is held"},
    },
    "additionalProperties": False,
}


class JsonLines(tidegate.Sink):
    def open(self, context):
        self.settings = context.settings(endpoint="downstream", path="/", batch_bytes=256 << 10)
        self.held = []
        self.size = 0

    def write(self, rows):
        name = quote(f"{rows.table.database}.{rows.table.name}")
        objects = JsonObjects(rows)
        lines = []
        for row in rows:
            parts = [f'{{"table":{name},"op":"{row.op}","commit_ts":"{row.commit_ts}"']
            if (after := row.after) is not None:
                parts.append(',"data":' + objects.text(after))
            if (before := row.before) is not None:
                parts.append(',"old":' + objects.text(before))
            lines.append("".join(parts) + "}\n")
        block = "".join(lines).encode()
        if self.size + len(block) >= self.settings["batch_bytes"]:
            # A batch that fails as a whole comes again: it is kept only once it is posted.
            self.post([*self.held, block])
        elif block:
            self.held.append(block)
            self.size += len(block)

    def flush(self, barrier):
        if self.held:
            self.post(self.held)

    def buffered(self):
        return self.size

    def post(self, blocks):
        headers = [("Content-Type", "application/x-ndjson")]
        http.send(self.settings["endpoint"], "POST", self.settings["path"], b"".join(blocks), headers).check()
        self.held, self.size = [], 0


Describe, Sink = tidegate.export_sink(
    JsonLines,
    tidegate.Manifest("jsonlines-python", "1.0.0", SCHEMA, [tidegate.Capability("http", "posts the rows")]),
)
