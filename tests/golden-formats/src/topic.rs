//! What the peer wrote: topics and files.

use crate::recording::unpack;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// A message of a topic.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// Partition.
    pub partition: u32,
    /// Key.
    pub key: Option<Vec<u8>>,
    /// Value.
    pub value: Option<Vec<u8>>,
}

/// The messages of a topic, by partition and offset.
#[must_use]
pub fn topic(dir: &Path, name: &str) -> Vec<Record> {
    let bytes = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone().into_bytes()),
        other => Some(STANDARD.decode(other["b64"].as_str().unwrap()).unwrap()),
    };
    let text = unpack(&dir.join(format!("kafka/{name}.jsonl.gz")));
    let read = |line: &[u8]| {
        let value: Value = serde_json::from_slice(line).unwrap();
        let partition = value["partition"].as_u64().unwrap() as u32;
        Record { partition, key: bytes(&value["key"]), value: bytes(&value["value"]) }
    };
    text.split(|b| *b == b'\n').filter(|line| !line.is_empty()).map(read).collect()
}

/// Size of a header and of what contents are padded to in a tar archive.
const TAR_BLOCK: usize = 512;

/// The files below a folder of the storage archive, by path.
#[must_use]
pub fn files(dir: &Path, folder: &str) -> BTreeMap<String, Vec<u8>> {
    let archive = unpack(&dir.join("storage.tar.gz"));
    let text = |field: &[u8]| String::from_utf8_lossy(field.split(|b| *b == 0).next().unwrap()).into_owned();
    let mut all = BTreeMap::new();
    let mut long_name = None;
    let mut rest = archive.as_slice();
    while let Some((header, tail)) = rest.split_at_checked(TAR_BLOCK) {
        if header[0] == 0 {
            break;
        }
        let size = usize::from_str_radix(text(&header[124..136]).trim(), 8).unwrap();
        let content = &tail[..size];
        rest = &tail[size.next_multiple_of(TAR_BLOCK)..];
        let prefix = text(&header[345..500]);
        let short = if prefix.is_empty() { text(&header[..100]) } else { format!("{prefix}/{}", text(&header[..100])) };
        match header[156] {
            b'L' => long_name = Some(text(content)),
            b'0' | 0 => {
                let path = long_name.take().unwrap_or(short);
                if let Some(name) = path.trim_start_matches("./").strip_prefix(folder) {
                    all.insert(name.trim_start_matches('/').to_owned(), content.to_vec());
                }
            }
            _ => long_name = None,
        }
    }
    all
}
