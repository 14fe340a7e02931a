/**
 * Rows as JSON text, written as bytes: numbers with all their digits, decimals and times as SQL prints them, JSON columns embedded, bytes
 * as base64. Texts go over in one piece unless a character of theirs needs an escape.
 */

import { PackedTime, durationText } from './packed';
import { type Record, type Rows, enumText, floats, reading, setText } from './rows';
import type { Column } from './table';
import { decodeUtf8, encodeInto, encodeUtf8, latin1 } from './text';
import { type Image, Logical, Slot } from './tgr1';

const NEEDS_ESCAPE = /["\\\x00-\x1f]/;

/** Bytes that grow. */
export class ByteBuffer {
  private bytes = new Uint8Array(4096);
  length = 0;

  private room(more: number): void {
    if (this.bytes.length - this.length >= more) return;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + more));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  put(bytes: Uint8Array): void {
    this.room(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  text(text: string): void {
    this.room(text.length * 3);
    this.length = encodeInto(text, this.bytes, this.length);
  }

  byte(byte: number): void {
    this.room(1);
    this.bytes[this.length++] = byte;
  }

  /** Forgets what came after. */
  cut(length: number): void { this.length = length; }

  /** What was written, in place: good until more is written. */
  view(): Uint8Array { return this.bytes.subarray(0, this.length); }
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

export function base64(bytes: Uint8Array): string {
  let out = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const left = bytes.length - at;
    const bits = bytes[at]! << 16 | (bytes[at + 1] ?? 0) << 8 | (bytes[at + 2] ?? 0);
    out += BASE64[bits >> 18]! + BASE64[bits >> 12 & 63]! + (left > 1 ? BASE64[bits >> 6 & 63]! : '=') + (left > 2 ? BASE64[bits & 63]! : '=');
  }
  return out;
}

const numberText = (v: number): string => (Number.isFinite(v) ? (Object.is(v, -0) ? '-0.0' : String(v)) : 'null');

/** The shortest digits that read back as a 32-bit float. */
export function float32Text(v: number): string {
  if (!Number.isFinite(v)) return 'null';
  for (let digits = 6; digits < 9; digits += 1) {
    const text = v.toPrecision(digits);
    if (Math.fround(Number(text)) === v) return numberText(Number(text));
  }
  return numberText(Number(v.toPrecision(9)));
}

type Encode = (out: ByteBuffer, image: Image, col: number) => void;
const asText = (make: (image: Image, col: number) => string): Encode => (out, image, col) => out.text(make(image, col));

function encodeText(out: ByteBuffer, image: Image, col: number): void {
  const bytes = image.bytes(col)!;
  if (NEEDS_ESCAPE.test(latin1(bytes))) {
    out.text(JSON.stringify(decodeUtf8(bytes)));
    return;
  }
  out.byte(0x22);
  out.put(bytes);
  out.byte(0x22);
}

/** What writes a value that is not NULL. */
function encoder(column: Column, slot: Slot, logical: Logical): Encode {
  const fsp = column.decimals ?? 0;
  switch (logical) {
    case Logical.Float32: return asText((m, c) => float32Text(m.float(c)!));
    case Logical.Json: return (out, m, c) => out.put(m.bytes(c)!);
    case Logical.Bytes: return asText((m, c) => `"${base64(m.bytes(c)!)}"`);
    case Logical.Vector: return asText((m, c) => `[${Array.from(floats(m.bytes(c)!), float32Text).join(',')}]`);
    case Logical.Date: return asText((m, c) => `"${new PackedTime(m.uint(c)!).dateText()}"`);
    case Logical.DateTime: case Logical.Timestamp: return asText((m, c) => `"${new PackedTime(m.uint(c)!).text(fsp)}"`);
    case Logical.Time: return asText((m, c) => `"${durationText(m.int(c)!, fsp)}"`);
    case Logical.Enum: return asText((m, c) => JSON.stringify(enumText(column, m.uint(c)!)));
    case Logical.Set: return asText((m, c) => JSON.stringify(setText(column, m.uint(c)!)));
    default:
  }
  switch (slot) {
    case Slot.Int: return asText((m, c) => String(m.int(c)!));
    case Slot.Uint: return asText((m, c) => String(m.uint(c)!));
    case Slot.Float: return asText((m, c) => numberText(m.float(c)!));
    default: return encodeText;
  }
}

const NULL = encodeUtf8('null');

/** Writes records of one batch as JSON objects, with what can be prepared done once. */
export class JsonObjects {
  private readonly columns: { key: Uint8Array; encode: Encode }[];

  constructor(rows: Rows) {
    this.columns = rows.columns.map((column, i) => {
      const { slot, logical } = rows.batch.columns[i]!;
      return { key: encodeUtf8(`${i === 0 ? '' : ','}${JSON.stringify(column.name)}:`), encode: encoder(column, slot, logical) };
    });
  }

  write(out: ByteBuffer, record: Record): void {
    const image = record.image;
    reading(() => {
      out.byte(0x7b);
      for (let col = 0; col < this.columns.length; col += 1) {
        const { key, encode } = this.columns[col]!;
        out.put(key);
        if (image.isNull(col)) out.put(NULL);
        else encode(out, image, col);
      }
      out.byte(0x7d);
    });
  }
}
