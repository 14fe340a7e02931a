#!/usr/bin/env python3
"""check.py PROGRAM: compares what the program of golden.c prints with the golden files."""

import json
import pathlib
import random
import struct
import subprocess
import sys
import unittest

GOLDEN = pathlib.Path(__file__).parents[2] / "golden"
NAMES = ("small", "types", "wide", "empty")
PROGRAM = sys.argv.pop(1)


def run(*args, text=""):
    return subprocess.run([PROGRAM, *map(str, args)], input=text, capture_output=True, text=True, check=True).stdout


class Golden(unittest.TestCase):
    def test_the_reader_reads_them(self):
        for name in NAMES:
            self.assertEqual(json.loads(run("dump", GOLDEN / f"{name}.hex")), json.loads((GOLDEN / f"{name}.json").read_text()), name)

    def test_the_writer_makes_them(self):
        for name in NAMES:
            expected = (GOLDEN / f"{name}.hex").read_text().replace("\n", "")
            self.assertEqual(run("rewrite", GOLDEN / f"{name}.hex").strip(), expected, name)

    def test_damage_is_seen_as_everywhere(self):
        expected = {}
        for line in (GOLDEN / "damage.txt").read_text().splitlines():
            name, _, verdicts = line.split()
            expected.setdefault(name, []).append(verdicts)
        for name in NAMES:
            self.assertEqual(run("damage", GOLDEN / f"{name}.hex").split(), expected[name], name)

    def test_noise_fails_cleanly(self):
        for name in NAMES:
            self.assertEqual(run("noise", GOLDEN / f"{name}.hex", 20000), "")

    def test_texts(self):
        golden = json.loads((GOLDEN / "times.json").read_text())
        asked, expected = [], []
        for want in golden["times"]:
            asked += [f"time {want['packed']} {want['fsp']}", f"parts {want['packed']} 0"]
            expected += [want["text"], want["packed"]]
        for want in golden["durations"]:
            asked.append(f"duration {int(want['micros']) % 2**64} {want['fsp']}")
            expected.append(want["text"])
        rng = random.Random(5)
        doubles = [v for v in (struct.unpack("<d", rng.randbytes(8))[0] for _ in range(500)) if v == v and abs(v) != float("inf")]
        floats = [v for v in (struct.unpack("<f", rng.randbytes(4))[0] for _ in range(500)) if v == v and abs(v) != float("inf")]
        asked += [f"f64 {struct.unpack('<Q', struct.pack('<d', v))[0]} 0" for v in doubles]
        asked += [f"f32 {struct.unpack('<I', struct.pack('<f', v))[0]} 0" for v in floats]
        lines = run("texts", text="\n".join(asked)).split("\n")
        self.assertEqual(lines[: len(expected)], expected)
        at = len(expected)
        self.assertEqual([float(line) for line in lines[at : at + len(doubles)]], doubles)
        at += len(doubles)
        self.assertEqual([struct.pack("<f", float(line)) for line in lines[at : at + len(floats)]], [struct.pack("<f", v) for v in floats])
        at += len(floats)
        self.assertEqual(json.loads(lines[at]), 'a"\\\n\t\x01/ ü 🦀 ' + "\ufffd" * 6 + ' 12345678"12345678')
        self.assertEqual("\n".join(lines[at + 1 : at + 3]), 'xü🦀"\n42')
        self.assertEqual(lines[at + 3], '"n" is 42, where a string is wanted')


unittest.main()
