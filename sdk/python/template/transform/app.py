"""{{name}}: puts stars in place of the texts of some columns."""

import tidegate
from tidegate import tgr1
from tidegate.writer import ABSENT

SCHEMA = {
    "type": "object",
    "properties": {"columns": {"type": "array", "items": {"type": "string"}}},
    "additionalProperties": False,
}


class Plugin(tidegate.Transform):
    def open(self, context):
        self.names = context.settings(columns=[])["columns"]

    def hidden(self, table):
        """Positions of the columns that show stars. Keys keep their values: rows that differ must stay different."""
        key = table.key_columns()
        return {i for i, c in enumerate(table.columns) if c.logical == tgr1.TEXT and c.name in self.names and i not in key}

    def on_schema(self, table):
        # Tables without such columns are left alone. The columns stay what they are, so there is no other output to name.
        return tidegate.TransformPlan(active=bool(self.hidden(table)))

    def transform(self, rows, out):
        hidden = self.hidden(rows.table)
        for number, row in enumerate(rows):
            out.row(number, row, self.masked(row.raw.after, hidden), self.masked(row.raw.before, hidden))

    @staticmethod
    def masked(image, hidden):
        if image is None:
            return None
        values = image.raw_values()
        for col in range(len(values)):
            if values[col] is None:
                values[col] = ABSENT if image.is_absent(col) else None
            elif col in hidden:
                values[col] = b"***"
        return values


Describe, Transform = tidegate.export_transform(Plugin, tidegate.Manifest("{{name}}", "0.1.0", SCHEMA))
