/** Text and bytes, in engines with and without TextDecoder. Work is left to built-ins wherever there is one. */

interface Codec { decode(bytes: Uint8Array): string }
interface Encoder { encode(text: string): Uint8Array }
const engine = globalThis as unknown as { TextDecoder?: new () => Codec; TextEncoder?: new () => Encoder };
const decoder = engine.TextDecoder && new engine.TextDecoder();
const encoder = engine.TextEncoder && new engine.TextEncoder();

/** Most arguments of one call. */
const CHUNK = 8192;
const BEYOND_ASCII = /[^\x00-\x7f]/;

/** Each byte as the character of that number. */
export function latin1(bytes: Uint8Array): string {
  if (bytes.length <= CHUNK) return String.fromCharCode.apply(null, bytes as unknown as number[]);
  let out = '';
  for (let at = 0; at < bytes.length; at += CHUNK) {
    out += String.fromCharCode.apply(null, bytes.subarray(at, at + CHUNK) as unknown as number[]);
  }
  return out;
}

/** UTF-8 as a string; what is none becomes U+FFFD. */
export function decodeUtf8(bytes: Uint8Array): string {
  if (decoder) return decoder.decode(bytes);
  const text = latin1(bytes);
  return BEYOND_ASCII.test(text) ? decodeSlowly(bytes) : text;
}

/** As `decodeUtf8`, for engines without a decoder: the shortest sequences, no surrogates, nothing beyond Unicode. */
export function decodeSlowly(bytes: Uint8Array): string {
  let out = '';
  for (let at = 0; at < bytes.length;) {
    const first = bytes[at]!;
    const size = first < 0x80 ? 1 : first >= 0xc2 && first < 0xe0 ? 2 : first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xf0 && first < 0xf5 ? 4 : 0;
    let code = size < 2 ? first : first & (0x7f >> size);
    let good = size > 0 && at + size <= bytes.length;
    for (let i = 1; good && i < size; i += 1) {
      const next = bytes[at + i]!;
      good = (next & 0xc0) === 0x80;
      code = code << 6 | next & 0x3f;
    }
    if (!good || size === 3 && (code < 0x800 || code >= 0xd800 && code < 0xe000) || size === 4 && (code < 0x10000 || code > 0x10ffff)) {
      out += '\ufffd';
      at += 1;
    } else {
      out += String.fromCodePoint(code);
      at += size;
    }
  }
  return out;
}

/** A string as UTF-8; lone surrogates become U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
  if (encoder) return encoder.encode(text);
  const out = new Uint8Array(text.length * 3);
  return out.subarray(0, encodeInto(text, out, 0));
}

/** Writes UTF-8 at `at`, where three bytes for every unit of the string have room; answers where it ends. */
export function encodeInto(text: string, out: Uint8Array, at: number): number {
  for (let i = 0; i < text.length; i += 1) {
    let code = text.charCodeAt(i);
    if (code < 0x80) {
      out[at++] = code;
    } else if (code < 0x800) {
      out[at++] = 0xc0 | code >> 6;
      out[at++] = 0x80 | code & 63;
    } else {
      const low = code >= 0xd800 && code < 0xdc00 ? text.charCodeAt(i + 1) : 0;
      if (low >= 0xdc00 && low < 0xe000) {
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        i += 1;
        out[at++] = 0xf0 | code >> 18;
        out[at++] = 0x80 | code >> 12 & 63;
      } else {
        if (code >= 0xd800 && code < 0xe000) code = 0xfffd;
        out[at++] = 0xe0 | code >> 12;
      }
      out[at++] = 0x80 | code >> 6 & 63;
      out[at++] = 0x80 | code & 63;
    }
  }
  return at;
}
