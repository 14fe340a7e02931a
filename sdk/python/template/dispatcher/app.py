"""{{name}}: sends rows of one key to one lane, so that their order is kept."""

import zlib

import tidegate


class Plugin(tidegate.Dispatcher):
    def open(self, context):
        self.lanes = max(context.lanes, 1)

    def on_schema(self, table):
        # Only the key crosses; a change of the key comes as a delete and an insert, which may go to different lanes.
        return tidegate.DispatchPlan(columns=table.key_columns(), split_key_updates=True)

    def dispatch(self, rows, to):
        for i, row in enumerate(rows.batch):
            to.lanes[i] = self.hash(row.current.raw_values()) % self.lanes

    @staticmethod
    def hash(values):
        """Mixes the key's values. The same for ever: nothing random, nothing of the process."""
        mixed = 0
        for value in values:
            if isinstance(value, memoryview):
                value = zlib.crc32(value)
            elif not isinstance(value, int):
                value = zlib.crc32(repr(value).encode())
            mixed = mixed * 31 + value & 0xFFFFFFFFFFFFFFFF
        return mixed


Describe, Dispatcher = tidegate.export_dispatcher(Plugin, tidegate.Manifest("{{name}}", "0.1.0"))
