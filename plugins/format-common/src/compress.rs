//! Compression of single values, `large-message-handle-compression`: each value by itself, so that a consumer needs no other to read it.

use crate::{DecodeError, EncodeError};
use lz4_flex::frame::{BlockMode, BlockSize, FrameDecoder, FrameEncoder, FrameInfo};
use std::io::{Read, Write};

/// A byte of an LZ4 frame or of a Snappy block stands for no more than so many: what says more is damaged.
const GAIN_MAX: usize = 256;
/// Bytes that a value may have beyond what its gain allows: values of a few bytes grow by their frame, they do not shrink.
const SMALL_BYTES: usize = 1024;

/// How values are compressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Compression {
    /// They are not.
    #[default]
    None,
    /// Snappy's block format.
    Snappy,
    /// LZ4's frame format, in independent blocks of up to 4 MiB, with a checksum of the content.
    Lz4,
}

/// Appends a smaller form of a value.
pub type Compress = fn(&[u8], &mut Vec<u8>) -> Result<(), EncodeError>;

/// Answers the value that was compressed; an error when the bytes are not what the compression makes.
pub type Expand = fn(&[u8]) -> Result<Vec<u8>, DecodeError>;

impl Compression {
    /// The compression of this name: `none` (or nothing), `snappy`, `lz4`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "" | "none" => Some(Self::None),
            "snappy" => Some(Self::Snappy),
            "lz4" => Some(Self::Lz4),
            _ => None,
        }
    }

    /// What compresses a value; `None`: nothing does.
    #[must_use]
    pub fn forward(self) -> Option<Compress> {
        match self {
            Self::None => None,
            Self::Snappy => Some(snappy),
            Self::Lz4 => Some(lz4),
        }
    }

    /// What makes the value again of what was compressed; `None`: it is as it was.
    #[must_use]
    pub fn inverse(self) -> Option<Expand> {
        match self {
            Self::None => None,
            Self::Snappy => Some(from_snappy),
            Self::Lz4 => Some(from_lz4),
        }
    }
}

/// Bytes that a value made of so many can have at most.
const fn bound(bytes: usize) -> usize {
    bytes.saturating_mul(GAIN_MAX).saturating_add(SMALL_BYTES)
}

fn snappy(value: &[u8], out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let made = snap::raw::Encoder::new().compress_vec(value);
    out.extend_from_slice(&made.map_err(|e| EncodeError::Compress(e.to_string()))?);
    Ok(())
}

fn lz4(value: &[u8], out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let info = FrameInfo::new().block_size(BlockSize::Max4MB).block_mode(BlockMode::Independent).content_checksum(true);
    let mut frame = FrameEncoder::with_frame_info(info, out);
    frame.write_all(value).map_err(|e| EncodeError::Compress(e.to_string()))?;
    frame.finish().map(drop).map_err(|e| EncodeError::Compress(e.to_string()))
}

fn from_snappy(bytes: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let fault = |e: snap::Error| DecodeError::Compression("snappy", e.to_string());
    let length = snap::raw::decompress_len(bytes).map_err(fault)?;
    if length > bound(bytes.len()) {
        return Err(DecodeError::Compression("snappy", format!("{} bytes cannot stand for {length}", bytes.len())));
    }
    snap::raw::Decoder::new().decompress_vec(bytes).map_err(fault)
}

fn from_lz4(bytes: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let fault = |reason: String| DecodeError::Compression("lz4", reason);
    let limit = bound(bytes.len());
    let mut out = Vec::new();
    let mut frame = FrameDecoder::new(bytes).take(limit as u64 + 1);
    frame.read_to_end(&mut out).map_err(|e| fault(e.to_string()))?;
    if out.len() > limit {
        return Err(fault(format!("{} bytes cannot stand for more than {limit}", bytes.len())));
    }
    if bytes.is_empty() {
        return Err(fault("there is no frame".to_owned()));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::Compression;
    use crate::DecodeError;
    use proptest::prelude::*;

    const BOTH: [Compression; 2] = [Compression::Snappy, Compression::Lz4];

    fn small(compression: Compression, value: &[u8]) -> Vec<u8> {
        let mut out = b"before".to_vec();
        compression.forward().unwrap()(value, &mut out).unwrap();
        assert_eq!(out[..6], *b"before");
        out.split_off(6)
    }

    fn expand(compression: Compression, bytes: &[u8]) -> Result<Vec<u8>, DecodeError> {
        compression.inverse().unwrap()(bytes)
    }

    /// As `snappy.Encode` of Go and any LZ4 tool write them: length and a literal; frame header, one block, end, checksum.
    #[test]
    fn bytes_are_those_of_other_programs() {
        assert_eq!(small(Compression::Snappy, b"abc"), [3, 2 << 2, b'a', b'b', b'c']);
        assert_eq!(expand(Compression::Snappy, &[3, 2 << 2, b'a', b'b', b'c']).unwrap(), b"abc");
        let frame = small(Compression::Lz4, b"abc");
        assert_eq!(frame[..4], [0x04, 0x22, 0x4d, 0x18], "the frame's magic");
        assert_eq!(frame[4..6], [0x64, 0x70], "version 1, independent blocks, a checksum; 4 MiB");
        assert_eq!(frame[7..14], [3, 0, 0, 0x80, b'a', b'b', b'c'], "a block that is not compressed");
        assert_eq!(frame[14..], [0, 0, 0, 0, 0xff, 0x53, 0xd1, 0x32], "the end, and the xxHash of abc");
        assert_eq!(Compression::parse("lz4"), Some(Compression::Lz4));
        assert_eq!((Compression::parse(""), Compression::parse("zstd")), (Some(Compression::None), None));
    }

    #[test]
    fn what_claims_too_much_is_refused() {
        // Four bytes that say they stand for 256 MiB.
        assert!(expand(Compression::Snappy, &[0x80, 0x80, 0x80, 0x80, 0x01, 0]).is_err());
        for compression in BOTH {
            assert!(expand(compression, b"").is_err());
            let frame = small(compression, &[7; 10_000]);
            assert!(frame.len() < 600, "{}", frame.len());
            assert!(expand(compression, &frame[..frame.len() - 1]).is_err(), "{compression:?}: cut short");
        }
    }

    proptest! {
        #[test]
        fn values_read_back(value: Vec<u8>, times in 1_usize..200) {
            let value = value.repeat(times);
            for compression in BOTH {
                prop_assert_eq!(&expand(compression, &small(compression, &value)).unwrap(), &value);
            }
        }

        #[test]
        fn other_bytes_are_an_error_or_bounded(value: Vec<u8>, at: usize, byte: u8) {
            for compression in BOTH {
                let mut frame = small(compression, &value.repeat(20));
                let at = at % frame.len();
                frame[at] = byte;
                if let Ok(found) = expand(compression, &frame) {
                    prop_assert!(found.len() <= super::bound(frame.len()));
                }
            }
        }
    }
}
