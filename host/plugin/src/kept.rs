//! What an instance keeps over restarts, and the bytes that hold it (layout: `docs/formats/plugin-state.md`).

use crate::answer::STATE_BYTES_MAX;
use std::collections::BTreeMap;

const MAGIC: &[u8; 3] = b"TGS";
/// The layout that is written.
const VERSION: u8 = 1;
/// Names one `keys` answers at most.
const KEYS_MAX: usize = 4096;

/// The map of `state`. All keys and values together stay within [`STATE_BYTES_MAX`].
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Kept {
    map: BTreeMap<String, Vec<u8>>,
    len_bytes: usize,
    /// Something changed since the last [`Kept::take_changed`].
    changed: bool,
}

impl Kept {
    pub(crate) fn get(&self, key: &str) -> Option<&[u8]> {
        self.map.get(key).map(Vec::as_slice)
    }

    pub(crate) fn set(&mut self, key: String, value: Vec<u8>) -> Result<(), String> {
        let before = self.map.get(&key).map_or(0, |v| key.len() + v.len());
        let len_bytes = self.len_bytes - before + key.len() + value.len();
        if len_bytes > STATE_BYTES_MAX {
            return Err(format!("the state would have {len_bytes} bytes; the limit is {STATE_BYTES_MAX}"));
        }
        self.len_bytes = len_bytes;
        self.map.insert(key, value);
        self.changed = true;
        Ok(())
    }

    pub(crate) fn delete(&mut self, key: &str) {
        if let Some(value) = self.map.remove(key) {
            self.len_bytes -= key.len() + value.len();
            self.changed = true;
        }
    }

    pub(crate) fn keys(&self, prefix: &str, limit: u32) -> Vec<String> {
        let from = self.map.range(prefix.to_owned()..).map(|(k, _)| k);
        from.take_while(|k| k.starts_with(prefix)).take(KEYS_MAX.min(limit as usize)).cloned().collect()
    }

    pub(crate) const fn take_changed(&mut self) -> bool {
        std::mem::replace(&mut self.changed, false)
    }
}

/// Writes both parts.
pub(crate) fn encode(own: Option<&[u8]>, kept: &Kept) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    out.push(VERSION);
    out.push(own.is_some().into());
    let mut block = |b: &[u8]| {
        out.extend_from_slice(&(b.len() as u32).to_le_bytes());
        out.extend_from_slice(b);
    };
    if let Some(own) = own {
        block(own);
    }
    for (key, value) in &kept.map {
        block(key.as_bytes());
        block(value);
    }
    out
}

/// Reads what [`encode`] wrote, in this version or one before.
pub(crate) fn decode(bytes: &[u8]) -> Result<(Option<Vec<u8>>, Kept), String> {
    let cut = || "it is cut short or damaged".to_owned();
    let rest = bytes.strip_prefix(MAGIC).ok_or("it does not begin as the state of a plugin")?;
    let (version, rest) = rest.split_first().ok_or_else(cut)?;
    if *version != VERSION {
        return Err(format!("it is of version {version}; this build reads up to {VERSION}"));
    }
    let (has_own, mut rest) = rest.split_first().ok_or_else(cut)?;
    let own = match has_own {
        0 => None,
        1 => Some(take(&mut rest).ok_or_else(cut)?),
        _ => return Err(cut()),
    };
    let mut kept = Kept::default();
    while !rest.is_empty() {
        let key = take(&mut rest).and_then(|k| String::from_utf8(k).ok()).ok_or_else(cut)?;
        kept.set(key, take(&mut rest).ok_or_else(cut)?)?;
    }
    kept.changed = false;
    Ok((own, kept))
}

fn take(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let (len, after) = rest.split_first_chunk::<4>()?;
    let (block, after) = after.split_at_checked(u32::from_le_bytes(*len) as usize)?;
    *rest = after;
    Some(block.to_vec())
}

#[cfg(test)]
mod tests {
    use super::{Kept, decode, encode};
    use crate::answer::STATE_BYTES_MAX;

    /// Version 1: own state `hi`, then `a` = 01 02 and `b` = nothing.
    const V1: &str = "5447530101020000006869010000006102000000010201000000620000 0000";

    fn sample() -> Kept {
        let mut kept = Kept::default();
        kept.set("a".to_owned(), vec![1, 2]).unwrap();
        kept.set("b".to_owned(), Vec::new()).unwrap();
        kept
    }

    #[test]
    fn past_versions_are_read_and_the_present_one_is_written_as_documented() {
        let v1 = hex::decode(V1.replace(' ', "")).unwrap();
        let (own, kept) = decode(&v1).unwrap();
        assert_eq!(own.as_deref(), Some(&b"hi"[..]));
        assert_eq!((kept.get("a"), kept.get("b"), kept.get("c")), (Some(&[1, 2][..]), Some(&[][..]), None));
        assert_eq!(encode(Some(b"hi"), &sample()), v1);
        assert_eq!(decode(&encode(None, &Kept::default())).unwrap(), (None, Kept::default()));
    }

    #[test]
    fn damaged_bytes_are_named_and_never_read_outside() {
        let v1 = encode(Some(b"hi"), &sample());
        // The cut after the own state, and those between entries, are whole again.
        let whole = (0..v1.len()).filter(|n| decode(&v1[..*n]).is_ok()).collect::<Vec<_>>();
        assert_eq!(whole, [11, 22]);
        assert!(decode(b"TGS\x02\0").unwrap_err().contains("version 2"));
        assert!(decode(b"nothing").unwrap_err().contains("begin"));
    }

    #[test]
    fn the_map_stays_within_its_bytes() {
        let mut kept = sample();
        assert!(kept.take_changed() && !kept.take_changed());
        assert!(kept.set("c".to_owned(), vec![0; STATE_BYTES_MAX]).is_err());
        kept.set("c".to_owned(), vec![0; STATE_BYTES_MAX - 5]).unwrap();
        assert!(kept.set("d".to_owned(), Vec::new()).is_err());
        kept.delete("c");
        kept.set("d".to_owned(), Vec::new()).unwrap();
        assert!(kept.take_changed());
        assert_eq!(kept.keys("", 9), ["a", "b", "d"]);
        assert_eq!(kept.keys("b", 9), ["b"]);
        assert_eq!(kept.keys("", 1), ["a"]);
    }
}
