//! MySQL's binary decimals.

use super::Fault;

/// Bytes of a group by its number of digits.
const GROUP_BYTES: [usize; 10] = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4];
/// Powers of ten by number of digits.
const LIMIT: [u32; 10] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000];
/// Digits of a whole group.
const GROUP_DIGITS: usize = 9;
/// Most digits of a decimal, before and behind the point. TiDB stores up to 65, its calculations a few more.
const DIGITS_MAX: u8 = 81;

fn digits(prec: u8, frac: u8) -> Result<(usize, usize), Fault> {
    if prec > DIGITS_MAX || frac > prec {
        return Err(Fault("a decimal has a wrong precision"));
    }
    Ok((usize::from(prec - frac), usize::from(frac)))
}

/// Bytes of the binary form, without precision and fraction digits in front.
pub(crate) fn encoded_len(prec: u8, frac: u8) -> Result<usize, Fault> {
    let (int, frac) = digits(prec, frac)?;
    let bytes =
        |digits: usize| digits / GROUP_DIGITS * 4 + GROUP_BYTES.get(digits % GROUP_DIGITS).copied().unwrap_or(0);
    Ok(bytes(int) + bytes(frac))
}

/// Appends a decimal (precision, fraction digits, binary form) as text with exactly its fraction digits.
///
/// # Errors
/// When the length does not fit the precision or a group holds too great a number.
pub fn decimal_text(out: &mut Vec<u8>, encoded: &[u8]) -> Result<(), Fault> {
    let [prec, frac, ref body @ ..] = *encoded else {
        return Err(Fault::SHORT);
    };
    if body.len() != encoded_len(prec, frac)? {
        return Err(Fault("a decimal has a wrong length"));
    }
    let (int, frac) = digits(prec, frac)?;
    let negative = body.first().is_some_and(|byte| byte & 0x80 == 0);
    let mut groups = Groups { body, mask: if negative { 0xff } else { 0 }, flip: 0x80 };
    if negative {
        out.push(b'-');
    }
    let mut started = false;
    for digits in group_digits(int % GROUP_DIGITS, int / GROUP_DIGITS, 0) {
        let value = groups.next(digits)?;
        if started {
            padded(out, value, digits);
        } else if value != 0 {
            tgr1::text::u64_text(out, value.into());
            started = true;
        }
    }
    if !started {
        out.push(b'0');
    }
    if frac > 0 {
        out.push(b'.');
        for digits in group_digits(0, frac / GROUP_DIGITS, frac % GROUP_DIGITS) {
            let value = groups.next(digits)?;
            padded(out, value, digits);
        }
    }
    Ok(())
}

/// Digits of each group: one short one in front, whole ones, one short one behind.
fn group_digits(front: usize, whole: usize, behind: usize) -> impl Iterator<Item = usize> {
    let short = |digits: usize| (digits > 0).then_some(digits);
    short(front).into_iter().chain(std::iter::repeat_n(GROUP_DIGITS, whole)).chain(short(behind))
}

struct Groups<'a> {
    body: &'a [u8],
    /// Inverts the bytes of negative numbers.
    mask: u8,
    /// The sign bit, turned over in the first byte only.
    flip: u8,
}

impl Groups<'_> {
    #[inline]
    fn next(&mut self, digits: usize) -> Result<u32, Fault> {
        let len = GROUP_BYTES.get(digits).copied().unwrap_or(0);
        let (head, tail) = self.body.split_at_checked(len).ok_or(Fault::SHORT)?;
        self.body = tail;
        let mut value = 0;
        for byte in head {
            value = value << 8 | u32::from(byte ^ self.mask ^ self.flip);
            self.flip = 0;
        }
        if LIMIT.get(digits).is_none_or(|limit| value >= *limit) {
            return Err(Fault("a decimal has digits out of range"));
        }
        Ok(value)
    }
}

#[inline]
fn padded(out: &mut Vec<u8>, mut value: u32, digits: usize) {
    let mut text = [b'0'; GROUP_DIGITS];
    for digit in text.iter_mut().take(digits).rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
    out.extend_from_slice(text.get(..digits).unwrap_or_default());
}
