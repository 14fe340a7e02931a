"""The reader and writer against the golden batches that every SDK reads."""

import json
import pathlib
import random
import struct
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from tidegate import tgr1  # noqa: E402
from tidegate.packed import PackedTime, duration_text  # noqa: E402
from tidegate.writer import ABSENT, BatchFull, Writer  # noqa: E402

GOLDEN = pathlib.Path(__file__).parents[2] / "golden"
NAMES = ("small", "types", "wide", "empty")


def data_of(name):
    return bytes.fromhex((GOLDEN / f"{name}.hex").read_text())


def shown(image, columns):
    """The values in the form of the golden files."""
    out = []
    for col, spec in enumerate(columns):
        value = image.value(col)
        if image.is_absent(col):
            out.append("absent")
        elif value is None:
            out.append(None)
        elif spec.slot == tgr1.SLOT_BYTES:
            out.append({"bytes": bytes(value).hex()})
        elif spec.slot == tgr1.SLOT_FLOAT:
            out.append({"float": struct.pack(">d", value).hex()})
        else:
            out.append({"int" if spec.slot == tgr1.SLOT_INT else "uint": str(value)})
    return out


def batch_json(batch):
    rows = []
    for row in batch:
        out = {"commit_ts": str(row.commit_ts), "start_ts": str(row.start_ts), "op": row.op_name, "flags": row.flags,
               "partition": row.partition, "target": row.target, "lane": row.lane}
        out |= {k: shown(i, batch.columns) for k, i in (("after", row.after), ("before", row.before)) if i is not None}
        rows.append(out)
    columns = [{"position": c.position, "slot": c.slot, "logical": c.logical} for c in batch.columns]
    return {"table": str(batch.table), "version": str(batch.version), "flags": batch.flags, "columns": columns, "rows": rows}


def verdict(data):
    """One letter: what becomes of these bytes."""
    try:
        batch = tgr1.Batch(data)
    except tgr1.FormatError as error:
        return error.fault[0]
    try:
        for row in batch:
            for image in (row.after, row.before):
                if image is not None:
                    image.raw_values()
    except tgr1.FormatError:
        return "s"
    return "."


class Golden(unittest.TestCase):
    def test_the_reader_reads_them(self):
        for name in NAMES:
            self.assertEqual(batch_json(tgr1.Batch(data_of(name))), json.loads((GOLDEN / f"{name}.json").read_text()), name)

    def test_one_value_and_all_values_agree(self):
        for name in NAMES:
            for row in tgr1.Batch(data_of(name)):
                for image in (row.after, row.before):
                    if image is not None:
                        self.assertEqual(image.raw_values(), [image.value(col) for col in range(len(image))])

    def test_the_writer_makes_them(self):
        for name in NAMES:
            batch = tgr1.Batch(data_of(name))
            writer = Writer(batch.table, batch.version, batch.columns, bool(batch.flags & tgr1.FLAG_ABSENT))
            for row in batch:
                images = [i and [ABSENT if i.is_absent(c) else i.value(c) for c in range(len(i))] for i in (row.after, row.before)]
                writer.row(row.commit_ts, row.start_ts, row.op, *images, flags=row.flags, partition=row.partition, target=row.target,
                           lane=row.lane)
            self.assertEqual(writer.finish().hex(), data_of(name).hex(), name)

    def test_a_row_that_is_too_large_is_undone(self):
        writer = Writer(1, 1, [tgr1.Column(0, tgr1.SLOT_BYTES, tgr1.BYTES)])
        with self.assertRaises(BatchFull):
            writer.row(1, 0, tgr1.INSERT, [bytes(tgr1.LIMIT_BYTES)])
        self.assertEqual(len(tgr1.Batch(writer.finish())), 0)

    def test_damage_is_seen_as_everywhere(self):
        for line in (GOLDEN / "damage.txt").read_text().splitlines():
            name, mask, expected = line.split()
            data = bytearray(data_of(name))
            seen = []
            for at in range(len(data)):
                data[at] ^= int(mask, 16)
                seen.append(verdict(bytes(data)))
                data[at] ^= int(mask, 16)
            self.assertEqual("".join(seen), expected, f"{name} {mask}")

    def test_cut_batches_are_refused(self):
        for name in NAMES:
            data = data_of(name)
            for size in range(len(data)):
                self.assertIn(verdict(data[:size]), ("m", "b"), f"{name} {size}")

    def test_noise_fails_cleanly(self):
        rng = random.Random(7)
        for _ in range(3000):
            data = bytearray(data_of(rng.choice(NAMES)))
            for _ in range(rng.randint(1, 8)):
                at = rng.randrange(4, len(data))
                data[at] = rng.randrange(256)
            self.assertIn(verdict(bytes(data)), "baus.")

    def test_times(self):
        golden = json.loads((GOLDEN / "times.json").read_text())
        for want in golden["times"]:
            parts = [want[k] for k in ("year", "month", "day", "hour", "minute", "second", "micro")]
            time = PackedTime.of(*parts)
            self.assertEqual(str(int(time)), want["packed"])
            self.assertEqual([time.year, time.month, time.day, time.hour, time.minute, time.second, time.micro], parts)
            self.assertEqual(time.text(want["fsp"]), want["text"])
        for want in golden["durations"]:
            self.assertEqual(duration_text(int(want["micros"]), want["fsp"]), want["text"])
        self.assertIsNone(PackedTime(0).datetime())
        self.assertEqual(PackedTime.of(2020, 2, 20, 2, 20, 20, 123456).datetime().isoformat(), "2020-02-20T02:20:20.123456")


if __name__ == "__main__":
    unittest.main()
