/** Writes a TGR1 batch. */

import { ByteBuffer } from './json';
import { type ColumnSpec, FLAG_ABSENT, LIMIT_BYTES, OPS, type Op, type RawValue, Slot } from './tgr1';

/** Stands for a value that is not known. */
export const ABSENT = Symbol('absent');

/** The row was undone: with it the batch would be larger than a batch may be. */
export class BatchFull extends Error {}

export interface RowHead {
  commitTs: bigint;
  startTs: bigint;
  op: Op;
  flags?: number;
  partition?: number;
  target?: number;
  lane?: number;
}

const pad8 = (n: number): number => (n + 7) & ~7;

/** Writes one batch of a table version. Values are as `Image.value` gives them. */
export class Writer {
  private readonly out = new ByteBuffer();
  private readonly index: number[] = [];
  private min = 0xffffffffffffffffn;
  private max = 0n;

  constructor(private readonly table: bigint, private readonly version: bigint, private readonly columns: readonly ColumnSpec[],
              private readonly absent = false) {
    this.out.put(new Uint8Array(64 + 8 * columns.length));
  }

  get length(): number { return this.index.length; }

  /** Adds a row. An insert has `after`, a delete `before`, an update both. */
  row(head: RowHead, after: readonly (RawValue | typeof ABSENT)[] | null, before: readonly (RawValue | typeof ABSENT)[] | null): void {
    const images = [after, before];
    const sizes = images.map((values) => (values ? this.imageSize(values) : 0));
    const length = 40 + sizes[0]! + sizes[1]!;
    const start = this.out.length;
    if (start + length + 8 * (this.index.length + 2) > LIMIT_BYTES) throw new BatchFull(`a row of ${length} bytes on top of ${start}`);
    const row = new Uint8Array(length), view = new DataView(row.buffer);
    view.setBigUint64(0, head.commitTs, true);
    view.setBigUint64(8, head.startTs, true);
    view.setUint8(16, OPS.indexOf(head.op));
    view.setUint8(17, (after ? 1 : 0) | (before ? 2 : 0));
    view.setUint16(18, head.flags ?? 0, true);
    view.setUint32(20, length, true);
    view.setUint32(32, head.partition ?? 0, true);
    view.setUint16(36, head.target ?? 0, true);
    view.setUint16(38, head.lane ?? 0, true);
    let at = 40;
    images.forEach((values, kind) => {
      if (!values) return;
      view.setUint32(24 + 4 * kind, at, true);
      this.image(row, view, at, values);
      at += sizes[kind]!;
    });
    this.out.put(row);
    this.index.push(start);
    if (head.commitTs < this.min) this.min = head.commitTs;
    if (head.commitTs > this.max) this.max = head.commitTs;
  }

  private get bitmap(): number { return Math.ceil(this.columns.length / 64) * 8; }
  private get fixed(): number { return this.bitmap * (this.absent ? 2 : 1) + 8 * this.columns.length; }

  private imageSize(values: readonly (RawValue | typeof ABSENT)[]): number {
    let strings = 0;
    for (const value of values) if (value instanceof Uint8Array) strings += value.length;
    return pad8(this.fixed + strings);
  }

  private image(row: Uint8Array, view: DataView, at: number, values: readonly (RawValue | typeof ABSENT)[]): void {
    const slots = at + this.fixed - 8 * this.columns.length;
    let tail = at + this.fixed;
    this.columns.forEach(({ slot }, col) => {
      const value = values[col] ?? null, to = slots + 8 * col;
      if (value === null || value === ABSENT) {
        row[at + (col >> 3)]! |= 1 << (col & 7);
        if (value === ABSENT && this.absent) row[at + this.bitmap + (col >> 3)]! |= 1 << (col & 7);
      } else if (slot === Slot.Bytes) {
        const bytes = value as Uint8Array;
        view.setUint32(to, tail, true);
        view.setUint32(to + 4, bytes.length, true);
        row.set(bytes, tail);
        tail += bytes.length;
      } else if (slot === Slot.Float) {
        view.setFloat64(to, value as number, true);
      } else {
        view.setBigInt64(to, BigInt.asIntN(64, value as bigint), true);
      }
    });
  }

  /** The batch. */
  finish(): Uint8Array {
    const indexAt = this.out.length;
    const index = new Uint8Array(pad8(4 * this.index.length)), indexView = new DataView(index.buffer);
    this.index.forEach((at, i) => indexView.setUint32(4 * i, at, true));
    this.out.put(index);
    const bytes = this.out.view(), view = new DataView(bytes.buffer, bytes.byteOffset);
    bytes.set([0x54, 0x47, 0x52, 0x31]);
    view.setUint16(6, this.absent ? FLAG_ABSENT : 0, true);
    const words: [number, number][] = [[8, 64], [12, this.index.length], [16, this.columns.length], [20, indexAt], [40, bytes.length], [44, 40]];
    for (const [at, value] of words) view.setUint32(at, value, true);
    view.setBigUint64(24, this.table, true);
    view.setBigUint64(32, this.version, true);
    view.setBigUint64(48, this.index.length ? this.min : 0n, true);
    view.setBigUint64(56, this.max, true);
    this.columns.forEach(({ position, slot, logical }, col) => {
      view.setUint16(64 + 8 * col, position, true);
      view.setUint8(66 + 8 * col, slot);
      view.setUint8(67 + 8 * col, logical);
    });
    return bytes;
  }
}

/** A batch without rows and columns. */
export const emptyBatch = (): Uint8Array => new Writer(0n, 0n, []).finish();
