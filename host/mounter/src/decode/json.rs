//! Binary JSON to the text TiDB prints.

use super::int::uvarint;
use super::{Fault, be_u64};
use base64::Engine;
use tgr1::PackedTime;
use tgr1::text::{f64_text, i64_text, time_text, u64_text};

/// Deepest nesting; TiDB itself stops at 100.
const DEPTH_MAX: usize = 128;
/// No sound document prints this many times longer than it is stored; overlapping parts of a broken one could.
const GROWTH_MAX: usize = 16;
/// Bytes of a value entry: type code and offset.
const VALUE_ENTRY: usize = 5;
/// Bytes of a key entry: offset and length.
const KEY_ENTRY: usize = 6;
/// Bytes of count and size in front of arrays and objects.
const HEAD: usize = 8;

const BROKEN: Fault = Fault("a JSON document points outside itself");

/// Appends a document (type code, then the value) as text.
///
/// # Errors
/// When it is broken or nested too deep.
pub fn json_text(out: &mut Vec<u8>, document: &[u8]) -> Result<(), Fault> {
    let (code, body) = document.split_first().ok_or(Fault::SHORT)?;
    let limit = out.len() + 64 + document.len().saturating_mul(GROWTH_MAX);
    Printer { out, limit }.value(*code, body, 0)
}

struct Printer<'a> {
    out: &'a mut Vec<u8>,
    limit: usize,
}

impl Printer<'_> {
    fn value(&mut self, code: u8, body: &[u8], depth: usize) -> Result<(), Fault> {
        if self.out.len() > self.limit || depth > DEPTH_MAX {
            return Err(Fault("a JSON document is nested too deep or overlaps itself"));
        }
        match code {
            0x01 => self.object(body, depth)?,
            0x03 => self.array(body, depth)?,
            0x04 => self.literal(*body.first().ok_or(Fault::SHORT)?)?,
            0x09 => i64_text(self.out, le8(body)?.cast_signed()),
            0x0a => u64_text(self.out, le8(body)?),
            0x0b => self.double(f64::from_bits(le8(body)?)),
            0x0c => self.string(string(body)?),
            0x0d => self.opaque(body)?,
            0x0e..=0x10 => self.time(code, le8(body)?)?,
            0x11 => self.quoted(|out, micros| time_text(out, micros, 6), le8(body)?.cast_signed() / 1000),
            _ => return Err(Fault("a JSON value has an unknown type")),
        }
        Ok(())
    }

    fn object(&mut self, body: &[u8], depth: usize) -> Result<(), Fault> {
        let (body, count) = container(body)?;
        let values_at = HEAD.saturating_add(count.saturating_mul(KEY_ENTRY));
        self.out.push(b'{');
        for i in 0..count {
            if i > 0 {
                self.out.extend_from_slice(b", ");
            }
            let entry = body.get(HEAD + i * KEY_ENTRY..).ok_or(BROKEN)?;
            let [o0, o1, o2, o3, l0, l1] = *entry.first_chunk().ok_or(BROKEN)?;
            let at = u32::from_le_bytes([o0, o1, o2, o3]) as usize;
            let len = usize::from(u16::from_le_bytes([l0, l1]));
            self.string(body.get(at..).and_then(|tail| tail.get(..len)).ok_or(BROKEN)?);
            self.out.extend_from_slice(b": ");
            self.entry(body, values_at + i * VALUE_ENTRY, depth)?;
        }
        self.out.push(b'}');
        Ok(())
    }

    fn array(&mut self, body: &[u8], depth: usize) -> Result<(), Fault> {
        let (body, count) = container(body)?;
        self.out.push(b'[');
        for i in 0..count {
            if i > 0 {
                self.out.extend_from_slice(b", ");
            }
            self.entry(body, HEAD + i * VALUE_ENTRY, depth)?;
        }
        self.out.push(b']');
        Ok(())
    }

    /// The value whose entry starts at `at`; literals sit in the entry itself.
    fn entry(&mut self, body: &[u8], at: usize, depth: usize) -> Result<(), Fault> {
        let [code, offset @ ..] = *body.get(at..).and_then(<[u8]>::first_chunk::<VALUE_ENTRY>).ok_or(BROKEN)?;
        if code == 0x04 {
            return self.value(code, &offset, depth + 1);
        }
        let value = body.get(u32::from_le_bytes(offset) as usize..).ok_or(BROKEN)?;
        self.value(code, value, depth + 1)
    }

    fn literal(&mut self, number: u8) -> Result<(), Fault> {
        self.out.extend_from_slice(match number {
            0 => b"null",
            1 => b"true",
            2 => b"false",
            _ => return Err(Fault("a JSON literal is unknown")),
        });
        Ok(())
    }

    /// As in columns, but whole numbers keep a fraction so that they read back as doubles.
    fn double(&mut self, value: f64) {
        let at = self.out.len();
        f64_text(self.out, value);
        if self.out.iter().skip(at).all(|byte| byte.is_ascii_digit() || *byte == b'-') {
            self.out.extend_from_slice(b".0");
        }
    }

    fn string(&mut self, text: &[u8]) {
        self.out.push(b'"');
        let mut rest = text;
        while let Some((byte, tail)) = rest.split_first() {
            let escape = match byte {
                b'"' => b'"',
                b'\\' => b'\\',
                b'\n' => b'n',
                b'\r' => b'r',
                b'\t' => b't',
                0x08 => b'b',
                0x0c => b'f',
                0..0x20 => b'u',
                _ => 0,
            };
            // U+2028 and U+2029: e2 80 a8, e2 80 a9.
            if let [0xe2, 0x80, last @ (0xa8 | 0xa9), after @ ..] = rest {
                self.out.extend_from_slice(if *last == 0xa8 { b"\\u2028" } else { b"\\u2029" });
                rest = after;
                continue;
            }
            match escape {
                0 => self.out.push(*byte),
                b'u' => {
                    let hex = |n: u8| b"0123456789abcdef".get(usize::from(n)).copied().unwrap_or(b'0');
                    self.out.extend_from_slice(&[b'\\', b'u', b'0', b'0', hex(byte >> 4), hex(byte & 15)]);
                }
                _ => self.out.extend_from_slice(&[b'\\', escape]),
            }
            rest = tail;
        }
        self.out.push(b'"');
    }

    fn opaque(&mut self, body: &[u8]) -> Result<(), Fault> {
        let (code, body) = body.split_first().ok_or(Fault::SHORT)?;
        let text = base64::engine::general_purpose::STANDARD.encode(string(body)?);
        self.out.extend_from_slice(b"\"base64:type");
        u64_text(self.out, (*code).into());
        self.out.push(b':');
        self.out.extend_from_slice(text.as_bytes());
        self.out.push(b'"');
        Ok(())
    }

    fn time(&mut self, code: u8, core: u64) -> Result<(), Fault> {
        let time = core_time(core)?;
        if code == 0x0e {
            self.quoted(|out, time| time.date_text(out), time);
        } else {
            self.quoted(|out, time| time.datetime_text(out, 6), time);
        }
        Ok(())
    }

    fn quoted<T>(&mut self, write: impl FnOnce(&mut Vec<u8>, T), value: T) {
        self.out.push(b'"');
        write(self.out, value);
        self.out.push(b'"');
    }
}

/// TiDB's in-memory time: year 14 bits at 50, month 4 at 46, day 5 at 41, hour 5 at 36, minute 6 at 30, second 6 at 24,
/// microsecond 20 at 4.
fn core_time(core: u64) -> Result<PackedTime, Fault> {
    let bits = |at: u32, len: u32| core >> at & ((1 << len) - 1);
    PackedTime::from_parts(
        bits(50, 14) as u16,
        bits(46, 4) as u8,
        bits(41, 5) as u8,
        bits(36, 5) as u8,
        bits(30, 6) as u8,
        bits(24, 6) as u8,
        bits(4, 20) as u32,
    )
    .ok_or(Fault("a time in a JSON document is out of range"))
}

/// An array or object, cut to its size, and how many entries it has.
fn container(body: &[u8]) -> Result<(&[u8], usize), Fault> {
    let [c0, c1, c2, c3, s0, s1, s2, s3] = *body.first_chunk::<HEAD>().ok_or(Fault::SHORT)?;
    let size = u32::from_le_bytes([s0, s1, s2, s3]) as usize;
    let count = u32::from_le_bytes([c0, c1, c2, c3]) as usize;
    let body = body.get(..size).ok_or(BROKEN)?;
    if count.saturating_mul(VALUE_ENTRY) > size {
        return Err(BROKEN);
    }
    Ok((body, count))
}

fn string(body: &[u8]) -> Result<&[u8], Fault> {
    let mut rest = body;
    let len = uvarint(&mut rest)?;
    usize::try_from(len).ok().and_then(|len| rest.get(..len)).ok_or(BROKEN)
}

fn le8(mut body: &[u8]) -> Result<u64, Fault> {
    be_u64(&mut body).map(u64::swap_bytes)
}
