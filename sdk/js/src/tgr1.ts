/**
 * Reads TGR1, the row batch that crosses the border between the host and a plugin (docs/formats/tgr1.md).
 *
 * 64-bit values are bigints and exact in every engine. After `new Batch` has taken the bytes, only a string that lies outside its row
 * can still fail, with a `FormatError`.
 */

export const LIMIT_BYTES = 16 << 20;
export const FLAG_ABSENT = 1;
export const FLAG_MAYBE_REPEATED = 2;
export const ROW_MAYBE_REPEATED = 1;
export const ROW_SPLIT_UPDATE = 2;

export const enum Slot { Int = 1, Uint, Float, Bytes }

export const enum Logical {
  Int = 1, Uint, Float32, Float64, Decimal, Text, Bytes, Json, Date, DateTime, Timestamp, Time, Year, Enum, Set, Bit, Vector,
}

/** The kind of slot of each logical type. */
export const SLOT_OF: readonly Slot[] = [0, 1, 2, 3, 3, 4, 4, 4, 4, 2, 2, 2, 1, 1, 2, 2, 2, 4] as Slot[];

export type Op = 'delete' | 'update' | 'insert';
export const OPS: readonly Op[] = ['delete', 'update', 'insert'];

export type Fault = 'magic' | 'bounds' | 'align' | 'unknown';

/** Bytes that are not a batch. */
export class FormatError extends Error {
  constructor(readonly fault: Fault, what: string) {
    super(
      fault === 'magic' ? 'the bytes do not start with TGR1'
      : fault === 'bounds' ? `the batch is cut short or its ${what} points outside it`
      : fault === 'align' ? `the batch's ${what} is not a valid length or offset`
      : `the batch holds an unknown ${what}`,
    );
  }
}

/** One entry of the column map. */
export interface ColumnSpec {
  /** Index in the table's columns. */
  readonly position: number;
  readonly slot: Slot;
  readonly logical: Logical;
}

/** A value by its slot; null for NULL. */
export type RawValue = null | bigint | number | Uint8Array;

/** A checked batch. Takes O(rows + columns); rows are read where they are asked for. */
export class Batch {
  readonly view: DataView;
  readonly columns: readonly ColumnSpec[];
  readonly length: number;
  readonly minor: number;
  readonly flags: number;
  /** Where things are within an image; `absentAt` 0: there is no absent bitmap. */
  readonly absentAt: number;
  readonly slotsAt: number;
  private readonly indexAt: number;

  constructor(readonly bytes: Uint8Array) {
    const size = bytes.length;
    if (size < 4 || bytes[0] !== 0x54 || bytes[1] !== 0x47 || bytes[2] !== 0x52 || bytes[3] !== 0x31) throw new FormatError('magic', '');
    if (size < 64) throw new FormatError('bounds', 'header');
    const view = (this.view = new DataView(bytes.buffer, bytes.byteOffset, size));
    const u32 = (at: number): number => view.getUint32(at, true);
    const mapAt = u32(8), rowHeader = u32(44), columns = u32(16), total = u32(40);
    this.length = u32(12);
    this.indexAt = u32(20);
    this.minor = view.getUint16(4, true);
    this.flags = view.getUint16(6, true);
    if (mapAt < 64 || mapAt % 8 !== 0) throw new FormatError('align', 'header length');
    if (rowHeader < 40 || rowHeader % 8 !== 0) throw new FormatError('align', 'row header length');
    if (total > size) throw new FormatError('bounds', 'total length');
    if (columns > 0xffff) throw new FormatError('bounds', 'column count');
    if (mapAt + 8 * columns > this.indexAt) throw new FormatError('bounds', 'column map');
    if (this.indexAt % 8 !== 0) throw new FormatError('align', 'row index');
    if (this.indexAt + 4 * this.length > total) throw new FormatError('bounds', 'row index');
    const bitmap = Math.ceil(columns / 64) * 8;
    this.absentAt = (this.flags & FLAG_ABSENT) !== 0 ? bitmap : 0;
    this.slotsAt = bitmap + this.absentAt;
    this.columns = Array.from({ length: columns }, (_, i) => column(view, mapAt + 8 * i));
    const first = mapAt + 8 * columns;
    for (let i = 0; i < this.length; i += 1) this.checkRow(u32(this.indexAt + 4 * i), first, rowHeader);
  }

  get table(): bigint { return this.view.getBigUint64(24, true); }
  get version(): bigint { return this.view.getBigUint64(32, true); }
  /** Smallest and greatest commit-ts; zeros for an empty batch. */
  get commitTsRange(): [bigint, bigint] { return [this.view.getBigUint64(48, true), this.view.getBigUint64(56, true)]; }

  /** Row `i`, which must exist. */
  row(i: number): Row {
    return new Row(this, this.view.getUint32(this.indexAt + 4 * i, true));
  }

  *[Symbol.iterator](): Iterator<Row> {
    for (let i = 0; i < this.length; i += 1) yield this.row(i);
  }

  private checkRow(at: number, first: number, rowHeader: number): void {
    const view = this.view;
    if (at % 8 !== 0 || at < first) throw new FormatError('align', 'row offset');
    const room = this.indexAt - at;
    if (room < rowHeader) throw new FormatError('bounds', 'row offset');
    const length = view.getUint32(at + 20, true);
    if (length % 8 !== 0 || length < rowHeader) throw new FormatError('align', 'row length');
    if (length > room) throw new FormatError('bounds', 'row length');
    const op = view.getUint8(at + 16), images = view.getUint8(at + 17);
    if (op > 2) throw new FormatError('unknown', `op: ${op}`);
    const fixed = this.slotsAt + 8 * this.columns.length;
    for (let kind = 0; kind < 2; kind += 1) {
      if ((images >> kind & 1) === 0) continue;
      const image = view.getUint32(at + 24 + 4 * kind, true);
      if (image % 8 !== 0 || image < rowHeader) throw new FormatError('align', 'image offset');
      if (image > length || length - image < fixed) throw new FormatError('bounds', 'image');
    }
  }
}

function column(view: DataView, at: number): ColumnSpec {
  const slot = view.getUint8(at + 2), logical = view.getUint8(at + 3);
  if (slot < 1 || slot > 4) throw new FormatError('unknown', `slot kind: ${slot}`);
  if (logical < 1 || logical > 17) throw new FormatError('unknown', `logical type: ${logical}`);
  return { position: view.getUint16(at, true), slot, logical };
}

/** One row of a batch. */
export class Row {
  constructor(readonly batch: Batch, readonly at: number) {}

  get commitTs(): bigint { return this.batch.view.getBigUint64(this.at, true); }
  get startTs(): bigint { return this.batch.view.getBigUint64(this.at + 8, true); }
  get op(): Op { return OPS[this.batch.view.getUint8(this.at + 16)] as Op; }
  get flags(): number { return this.batch.view.getUint16(this.at + 18, true); }
  get byteLength(): number { return this.batch.view.getUint32(this.at + 20, true); }
  get partition(): number { return this.batch.view.getUint32(this.at + 32, true); }
  get target(): number { return this.batch.view.getUint16(this.at + 36, true); }
  get lane(): number { return this.batch.view.getUint16(this.at + 38, true); }

  /** The row as it is now; null for a delete. */
  get after(): Image | null { return this.image(1, 24); }
  /** The row as it was; null for an insert. */
  get before(): Image | null { return this.image(2, 28); }
  /** The image that identifies the row as it is: after, or before for a delete. */
  get current(): Image | null { return this.after ?? this.before; }

  private image(bit: number, field: number): Image | null {
    const view = this.batch.view;
    if ((view.getUint8(this.at + 17) & bit) === 0) return null;
    return new Image(this.batch, this.at, this.at + view.getUint32(this.at + field, true));
  }
}

/** The values of a row before or after the change. Columns that do not exist read as NULL. */
export class Image {
  constructor(readonly batch: Batch, private readonly rowAt: number, private readonly at: number) {}

  get length(): number { return this.batch.columns.length; }

  isNull(col: number): boolean {
    return !(col >= 0 && col < this.length) || (this.batch.bytes[this.at + (col >> 3)]! >> (col & 7) & 1) !== 0;
  }

  /** Whether the value is not known; it reads as NULL then. */
  isAbsent(col: number): boolean {
    const { absentAt, bytes } = this.batch;
    return absentAt !== 0 && col >= 0 && col < this.length && (bytes[this.at + absentAt + (col >> 3)]! >> (col & 7) & 1) !== 0;
  }

  private slot(col: number): number { return this.at + this.batch.slotsAt + 8 * col; }

  /** An unsigned integer, an enum number, a set, a bit field or a packed time. */
  uint(col: number): bigint | null { return this.isNull(col) ? null : this.batch.view.getBigUint64(this.slot(col), true); }
  int(col: number): bigint | null { return this.isNull(col) ? null : this.batch.view.getBigInt64(this.slot(col), true); }
  float(col: number): number | null { return this.isNull(col) ? null : this.batch.view.getFloat64(this.slot(col), true); }

  /** Bytes of a string, in place: good until the end of the call. */
  bytes(col: number): Uint8Array | null {
    if (this.isNull(col)) return null;
    const { view, bytes } = this.batch, slot = this.slot(col);
    const start = view.getUint32(slot, true), end = start + view.getUint32(slot + 4, true);
    if (end > view.getUint32(this.rowAt + 20, true)) throw new FormatError('bounds', 'string');
    return bytes.subarray(this.rowAt + start, this.rowAt + end);
  }

  /** The value as its slot says. */
  value(col: number): RawValue {
    switch (this.batch.columns[col]?.slot) {
      case Slot.Int: return this.int(col);
      case Slot.Uint: return this.uint(col);
      case Slot.Float: return this.float(col);
      case Slot.Bytes: return this.bytes(col);
      default: return null;
    }
  }
}
