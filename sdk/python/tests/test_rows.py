"""Typed rows, JSON texts and the example, outside of a component."""

import datetime
import decimal
import json
import pathlib
import sys
import unittest
from unittest import mock

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "example"), str(HERE.parents[2] / "tests" / "sdks")]

import app  # noqa: E402
import scenario  # noqa: E402
import tidegate  # noqa: E402
from tidegate import http  # noqa: E402


def table(name="types"):
    raw = scenario.table(name)
    columns = [
        tidegate.Column(i + 1, c["name"], scenario.LOGICAL.index(c["logical"]) + 1, decimals=c["decimals"], members=c["members"])
        for i, c in enumerate(raw["columns"])
    ]
    ref = tidegate.TableRef(int(raw["ref"]["table"]["n"]), int(raw["ref"]["version"]["n"]))
    return tidegate.Table(ref, raw["database"], raw["name"], columns)


def rows(name="types"):
    return tidegate.Rows(table(name), bytes.fromhex(scenario.hex_of(name)["hex"]))


class Rows(unittest.TestCase):
    def test_values_have_their_types(self):
        low, high = rows()[1].before, rows()[1].after
        self.assertEqual(high["c_int"], 2**63 - 1)
        self.assertEqual(high["c_uint"], 2**64 - 1)
        self.assertEqual(high["c_decimal"], decimal.Decimal("9" * 35 + "." + "9" * 30))
        self.assertEqual(high['c_"tëxt'], "naïve 日本語 🦀")
        self.assertEqual(high["c_bytes"], bytes(range(256)))
        self.assertEqual(high["c_timestamp"].datetime(), datetime.datetime(2020, 2, 20, 2, 20, 20, 123456))
        self.assertEqual(low["c_time"], -datetime.timedelta(hours=838, minutes=59, seconds=59, microseconds=999999))
        self.assertEqual((low["c_enumeration"], high["c_set"]), ("", "a,b,ç"))
        self.assertEqual(high["c_vector"], (1.0, -2.5, 30000001024.0))
        self.assertEqual(list(dict(high.items())), high.keys())
        self.assertIsNone(rows()[2].after["c_date"])

    def test_bad_batches_are_fatal(self):
        for data in (b"", b"TGR1", bytes(200)):
            with self.assertRaises(tidegate.Fatal) as caught:
                tidegate.Rows(table(), data)
            self.assertEqual(caught.exception.code, "batch")
        short = table()
        short.columns = short.columns[:3]
        with self.assertRaises(tidegate.Fatal):
            tidegate.Rows(short, bytes.fromhex(scenario.hex_of("types")["hex"]))

    def test_float_texts_read_back(self):
        from tidegate.jsontext import float32_text
        import random
        import struct

        rng = random.Random(3)
        for _ in range(2000):
            (value,) = struct.unpack("<f", rng.randbytes(4))
            if value == value and abs(value) != float("inf"):
                self.assertEqual(struct.pack("<f", float(float32_text(value))), struct.pack("<f", value), value)


class Example(unittest.TestCase):
    def open(self, **config):
        sink = app.JsonLines()
        position = tidegate.Position(0, 1, 0)
        sink.open(tidegate.Context("d/f", 0, 0, 1, (1, 1), json.dumps(config), position, None, ["downstream"]))
        return sink

    def test_it_posts_the_golden_rows(self):
        for name in ("types", "wide", "small"):
            sink = self.open(path="/in")
            with mock.patch.object(http, "send", return_value=http.Response(204, [], b"")) as send:
                sink.write(rows(name))
                self.assertGreater(sink.buffered(), 0)
                sink.flush(None)
            body = send.call_args.args[3]
            lines = [json.loads(line) for line in body.splitlines()]
            expected = list(scenario.lines(name))
            self.assertEqual(len(lines), len(expected))
            for want, got in zip(expected, lines):
                self.assertTrue(scenario.same(want, got), f"{name}: {got} is not {want}")

    def test_what_fails_is_held(self):
        sink = self.open()
        sink.write(rows())
        held = sink.buffered()
        with mock.patch.object(http, "send", return_value=http.Response(503, [], b"busy")), self.assertRaises(tidegate.Retryable):
            sink.flush(None)
        self.assertEqual(sink.buffered(), held)
        with self.assertRaises(tidegate.Fatal) as caught:
            self.open(path=5)
        self.assertEqual(caught.exception.code, "config")


if __name__ == "__main__":
    unittest.main()
