/** The reader and writer against the golden batches that every SDK reads. */

import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { decodeSlowly, decodeUtf8, encodeInto, encodeUtf8, float32Text } from '../src/index';
import { PackedTime, durationText } from '../src/packed';
import { Batch, type ColumnSpec, FLAG_ABSENT, FormatError, type Image, LIMIT_BYTES, OPS, Slot } from '../src/tgr1';
import { ABSENT, BatchFull, Writer } from '../src/writer';

const GOLDEN = process.env['TIDEGATE_GOLDEN']!;
const NAMES = ['small', 'types', 'wide', 'empty'];
const file = (name: string): string => readFileSync(`${GOLDEN}/${name}`, 'utf8');
const dataOf = (name: string): Uint8Array => Uint8Array.from(Buffer.from(file(`${name}.hex`).replaceAll('\n', ''), 'hex'));
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

function shown(image: Image, { slot }: ColumnSpec, col: number): unknown {
  if (image.isAbsent(col)) return 'absent';
  const value = image.value(col);
  if (value === null) return null;
  if (slot === Slot.Bytes) return { bytes: hex(value as Uint8Array) };
  if (slot === Slot.Float) {
    const bits = new DataView(new ArrayBuffer(8));
    bits.setFloat64(0, value as number);
    return { float: hex(new Uint8Array(bits.buffer)) };
  }
  return { [slot === Slot.Int ? 'int' : 'uint']: String(value) };
}

function batchJson(batch: Batch): unknown {
  const image = (of: Image | null) => of && batch.columns.map((spec, col) => shown(of, spec, col));
  const rows = [...batch].map(({ commitTs, startTs, op, flags, partition, target, lane, after, before }) => ({
    commit_ts: String(commitTs), start_ts: String(startTs), op, flags, partition, target, lane,
    ...(after && { after: image(after) }), ...(before && { before: image(before) }),
  }));
  const columns = batch.columns.map(({ position, slot, logical }) => ({ position, slot, logical }));
  return { table: String(batch.table), version: String(batch.version), flags: batch.flags, columns, rows };
}

/** One letter: what becomes of these bytes. */
function verdict(data: Uint8Array): string {
  let batch;
  try {
    batch = new Batch(data);
  } catch (error) {
    if (error instanceof FormatError) return error.fault[0]!;
    throw error;
  }
  try {
    for (const row of batch) for (const image of [row.after, row.before]) batch.columns.forEach((_, col) => image?.value(col));
  } catch (error) {
    if (error instanceof FormatError) return 's';
    throw error;
  }
  return '.';
}

test('the reader reads them', () => {
  for (const name of NAMES) assert.deepEqual(batchJson(new Batch(dataOf(name))), JSON.parse(file(`${name}.json`)), name);
});

test('the writer makes them', () => {
  for (const name of NAMES) {
    const batch = new Batch(dataOf(name));
    const writer = new Writer(batch.table, batch.version, batch.columns, (batch.flags & FLAG_ABSENT) !== 0);
    const values = (image: Image | null) => image && batch.columns.map((_, col) => (image.isAbsent(col) ? ABSENT : image.value(col)));
    for (const row of batch) {
      const { commitTs, startTs, op, flags, partition, target, lane } = row;
      writer.row({ commitTs, startTs, op, flags, partition, target, lane }, values(row.after), values(row.before));
    }
    assert.equal(hex(writer.finish()), hex(dataOf(name)), name);
  }
});

test('a row that is too large is undone', () => {
  const writer = new Writer(1n, 1n, [{ position: 0, slot: Slot.Bytes, logical: 7 }]);
  assert.throws(() => writer.row({ commitTs: 1n, startTs: 0n, op: OPS[2]! }, [new Uint8Array(LIMIT_BYTES)], null), BatchFull);
  assert.equal(new Batch(writer.finish()).length, 0);
});

test('damage is seen as everywhere', () => {
  for (const line of file('damage.txt').trim().split('\n')) {
    const [name, mask, expected] = line.split(' ') as [string, string, string];
    const data = dataOf(name), xor = Number.parseInt(mask, 16);
    let seen = '';
    for (let at = 0; at < data.length; at += 1) {
      data[at]! ^= xor;
      seen += verdict(data);
      data[at]! ^= xor;
    }
    assert.equal(seen, expected, `${name} ${mask}`);
  }
});

test('cut batches are refused', () => {
  for (const name of NAMES) {
    const data = dataOf(name);
    for (let size = 0; size < data.length; size += 1) assert.match(verdict(data.subarray(0, size)), /[mb]/);
  }
});

test('times', () => {
  const golden = JSON.parse(file('times.json'));
  for (const { packed, year, month, day, hour, minute, second, micro, fsp, text } of golden.times) {
    const time = PackedTime.of(year, month, day, hour, minute, second, micro);
    assert.equal(String(time.bits), packed);
    const parts = [time.year, time.month, time.day, time.hour, time.minute, time.second, time.micro];
    assert.deepEqual(parts, [year, month, day, hour, minute, second, micro]);
    assert.equal(time.text(fsp), text);
  }
  for (const { micros, fsp, text } of golden.durations) assert.equal(durationText(BigInt(micros), fsp), text);
  assert.equal(new PackedTime(0n).toDate(), null);
  assert.equal(PackedTime.of(7, 1, 2, 3, 4, 5, 6000).toDate()!.toISOString(), '0007-01-02T03:04:05.006Z');
});

test('text without the built-in codecs', () => {
  for (const text of ['', 'plain', 'naïve 日本語 🦀', 'x'.repeat(20000) + 'ü', '\0"\\']) {
    const out = new Uint8Array(text.length * 3);
    assert.equal(hex(out.subarray(0, encodeInto(text, out, 0))), hex(new TextEncoder().encode(text)));
    assert.equal(decodeUtf8(encodeUtf8(text)), text);
    assert.equal(decodeSlowly(encodeUtf8(text)), text);
  }
});

test('bytes that are no UTF-8 are marked', () => {
  for (const bytes of [[0xff], [0xc0, 0x80], [0xe0, 0x80, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82]]) {
    assert.match(decodeSlowly(Uint8Array.from(bytes)), /^\ufffd+$/);
  }
});

test('floats have the digits of 32 bits', () => {
  const bits = new DataView(new ArrayBuffer(4));
  for (let i = 0, seed = 1; i < 20000; i += 1) {
    seed = Math.imul(seed, 1664525) + 1013904223 | 0;
    bits.setInt32(0, seed);
    const value = bits.getFloat32(0);
    if (Number.isFinite(value)) assert.equal(Math.fround(Number(float32Text(value))), value);
  }
});
