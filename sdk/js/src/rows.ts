/** Rows with their tables: values by name and with their types. */

import { fatal, unsupported } from './failure';
import { PackedTime } from './packed';
import type { Column, Table } from './table';
import { decodeUtf8 } from './text';
import { Batch, FormatError, type Image, Logical, type Op, type RawValue, type Row as RawRow } from './tgr1';

/**
 * A value, exactly: bigint (integers, BIT, TIME as microseconds), number (YEAR, FLOAT, DOUBLE), string (DECIMAL, text, JSON, ENUM, SET),
 * Uint8Array (binary, a copy), PackedTime (DATE, DATETIME, TIMESTAMP), Float32Array (vectors), null (NULL, or not known).
 */
export type Value = null | bigint | number | string | Uint8Array | PackedTime | Float32Array;

/** The member of an ENUM with this number: empty for 0 and for numbers the column does not have. */
export const enumText = (column: Column, number: bigint): string =>
  number > 0n && number <= BigInt(column.members.length) ? column.members[Number(number) - 1]! : '';

/** The members of a SET, joined by commas. */
export const setText = (column: Column, bits: bigint): string =>
  column.members.filter((_, i) => (bits >> BigInt(i) & 1n) !== 0n).join(',');

/** The elements of a vector. */
export function floats(bytes: Uint8Array): Float32Array {
  const copy = bytes.slice(0, bytes.length - bytes.length % 4);
  return new Float32Array(copy.buffer, 0, copy.length / 4);
}

/** Makes the language's value of a raw one. */
export function typed(raw: RawValue, column: Column, logical: Logical): Value {
  if (raw === null) return null;
  switch (logical) {
    case Logical.Year: return Number(raw as bigint);
    case Logical.Decimal: case Logical.Text: case Logical.Json: return decodeUtf8(raw as Uint8Array);
    case Logical.Vector: return floats(raw as Uint8Array);
    case Logical.Date: case Logical.DateTime: case Logical.Timestamp: return new PackedTime(raw as bigint);
    case Logical.Enum: return enumText(column, raw as bigint);
    case Logical.Set: return setText(column, raw as bigint);
    case Logical.Bytes: return (raw as Uint8Array).slice();
    default: return raw;
  }
}

/** Turns damage that shows only when a value is read into a failure. */
export function reading<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof FormatError ? fatal('batch', error.message) : error;
  }
}

/** An image with the names and types of its columns. */
export class Record {
  constructor(readonly image: Image, private readonly rows: Rows) {}

  /** The value of a column; a fatal failure when the plan left it out. */
  get(name: string): Value {
    const col = this.rows.index.get(name);
    if (col === undefined) throw fatal('column', `${this.rows.table.name} has no column ${name} in this batch`);
    return this.value(col);
  }

  value(col: number): Value {
    return reading(() => typed(this.image.value(col), this.rows.columns[col]!, this.image.batch.columns[col]!.logical));
  }

  /** All values by name. */
  toObject(): { [name: string]: Value } {
    return Object.fromEntries(this.rows.columns.map((column, col) => [column.name, this.value(col)]));
  }
}

/** One row with its table. */
export class Row {
  constructor(readonly raw: RawRow, private readonly rows: Rows) {}

  get op(): Op { return this.raw.op; }
  get commitTs(): bigint { return this.raw.commitTs; }
  get startTs(): bigint { return this.raw.startTs; }
  /** The row as it is now; null for a delete. */
  get after(): Record | null { return this.record(this.raw.after); }
  /** The row as it was; null for an insert. */
  get before(): Record | null { return this.record(this.raw.before); }
  /** After, or before for a delete. */
  get current(): Record | null { return this.record(this.raw.current); }
  /** Where the dispatcher sends the row: one of the targets, or the table's own name. */
  get target(): string { return this.rows.targets[this.raw.target] ?? this.rows.table.name; }

  private record(image: Image | null): Record | null {
    return image && new Record(image, this.rows);
  }
}

/** One row a plugin will not take. */
export interface BadRow { row: number; code: string; message: string }

export type Reader = (columns: number[] | undefined, start: number, count: number) => Uint8Array;

/** Rows of one version of one table, in commit order. They are good for the call they came with. */
export class Rows {
  readonly batch: Batch;
  /** The table's columns that the batch has, in its order. */
  readonly columns: Column[];
  /** Number within the batch of each column, by name. */
  readonly index: Map<string, number>;
  readonly bad: BadRow[] = [];

  constructor(readonly table: Table, data: Uint8Array, readonly targets: string[] = [], private readonly reader?: Reader) {
    this.batch = reading(() => new Batch(data));
    this.columns = this.batch.columns.map(({ position }) => {
      const column = table.columns[position];
      if (!column) {
        throw fatal('batch', `the batch of ${table.name} has a column at position ${position}, the table has ${table.columns.length}`);
      }
      return column;
    });
    this.index = new Map(this.columns.map((column, col) => [column.name, col]));
  }

  get length(): number { return this.batch.length; }

  row(i: number): Row { return new Row(this.batch.row(i), this); }

  *[Symbol.iterator](): Iterator<Row> {
    for (let i = 0; i < this.length; i += 1) yield this.row(i);
  }

  /** Sets a row aside: the host keeps it with the reason, and the changefeed goes on. */
  quarantine(row: number, code: string, message: string): void {
    this.bad.push({ row, code, message });
  }

  /** More of the batch than the plan asked for, as TGR1; columns undefined: all. */
  read(columns: number[] | undefined, start: number, count: number): Uint8Array {
    if (!this.reader) throw unsupported('no-host', 'this runs outside of a host');
    return this.reader(columns, start, count);
  }
}
