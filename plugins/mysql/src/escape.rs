//! Strings between quotes, for a session without NO_BACKSLASH_ESCAPES.

/// Bytes looked at in one step of the search that strings without quotes pass through; the compiler makes vector code of it.
const STEP: usize = 32;

/// Appends the bytes with quotes and backslashes escaped. Neither byte occurs inside a longer UTF-8 character, and the
/// server takes any other byte as it is.
#[inline]
pub(crate) fn push_escaped(out: &mut Vec<u8>, bytes: &[u8]) {
    if needs_escape(bytes) {
        push_with_escapes(out, bytes);
    } else {
        out.extend_from_slice(bytes);
    }
}

const fn is_special(b: u8) -> bool {
    // Bitwise: branches would keep the compiler from vectors.
    (b == b'\'') | (b == b'\\')
}

#[inline]
fn needs_escape(bytes: &[u8]) -> bool {
    let (steps, tail) = bytes.as_chunks::<STEP>();
    let any = |found: u8, b: &u8| found | u8::from(is_special(*b));
    steps.iter().any(|step| step.iter().fold(0, any) != 0) || first_special(tail).is_some()
}

fn push_with_escapes(out: &mut Vec<u8>, mut bytes: &[u8]) {
    while let Some(at) = first_special(bytes) {
        let (plain, rest) = bytes.split_at(at);
        out.extend_from_slice(plain);
        if let Some((first, rest)) = rest.split_first() {
            out.extend_from_slice(&[b'\\', *first]);
            bytes = rest;
        }
    }
    out.extend_from_slice(bytes);
}

/// Where the first quote or backslash is. Looks at eight bytes a step: a byte of `x` is zero where the byte is found, and
/// `(x - 1) & !x` has its high bit set there (and possibly in bytes above, hence the search within the step).
#[inline]
fn first_special(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let zero_byte = |x: u64| x.wrapping_sub(ONES) & !x & HIGHS;
    let (chunks, tail) = bytes.as_chunks::<8>();
    for (i, chunk) in chunks.iter().enumerate() {
        let word = u64::from_le_bytes(*chunk);
        let found = zero_byte(word ^ (ONES * b'\'' as u64)) | zero_byte(word ^ (ONES * b'\\' as u64));
        if found != 0 {
            // The lowest bit found is always a true one.
            return Some(i * 8 + (found.trailing_zeros() / 8) as usize);
        }
    }
    tail.iter().position(|b| is_special(*b)).map(|i| chunks.len() * 8 + i)
}

#[cfg(test)]
mod tests {
    use super::push_escaped;
    use proptest::prelude::*;

    #[test]
    fn one_special_byte_anywhere() {
        for len in 1..100 {
            for at in 0..len {
                let mut bytes = vec![b'x'; len];
                bytes[at] = b'\'';
                let mut out = Vec::new();
                push_escaped(&mut out, &bytes);
                assert_eq!(out, [&bytes[..at], b"\\", &bytes[at..]].concat());
            }
        }
    }

    proptest! {
        /// Reading the escaped form as the server does gives the bytes back, and no quote ends it early.
        #[test]
        fn escaping_is_undone_by_the_server(bytes in proptest::collection::vec(prop_oneof![Just(b'\''), Just(b'\\'), Just(b'&'), Just(b'('), any::<u8>()], 0..70)) {
            let mut out = Vec::new();
            push_escaped(&mut out, &bytes);
            let (mut read, mut it) = (Vec::new(), out.iter());
            while let Some(b) = it.next() {
                prop_assert_ne!(*b, b'\'');
                read.push(if *b == b'\\' { *it.next().unwrap() } else { *b });
            }
            prop_assert_eq!(read, bytes);
        }
    }
}
