"""{{name}}: sends each changed row as one line of JSON to an HTTP endpoint."""

import tidegate
from tidegate import http
from tidegate.jsontext import JsonObjects, quote


class Plugin(tidegate.Sink):
    def open(self, context):
        # Without a name in the configuration: the first endpoint that is granted.
        self.config = context.settings(path="/rows", endpoint=next(iter(context.endpoints), ""))
        self.blocks = []

    def write(self, rows):
        table = quote(f"{rows.table.database}.{rows.table.name}")
        objects = JsonObjects(rows)
        lines = [f'{{"table":{table},"op":"{row.op}","row":{objects.text(row.current)}}}\n' for row in rows]
        # A batch that fails comes again as a whole, so it is kept only here, at the end.
        self.blocks.append("".join(lines).encode())

    def flush(self, barrier):
        """Answers when everything that was written is durable; nothing else moves the changefeed's checkpoint."""
        body = b"".join(self.blocks)
        if body:
            headers = [("content-type", "application/x-ndjson")]
            http.send(self.config["endpoint"], "POST", self.config["path"], body, headers).check()
        self.blocks = []

    def buffered(self):
        """Lets the host flush early."""
        return sum(map(len, self.blocks))


SCHEMA = {
    "type": "object",
    "properties": {"path": {"type": "string"}, "endpoint": {"type": "string"}},
    "additionalProperties": False,
}

Describe, Sink = tidegate.export_sink(
    Plugin, tidegate.Manifest("{{name}}", "0.1.0", SCHEMA, [tidegate.Capability("http", "rows are sent there")])
)
