//! Damaged rows and keys are errors (or other values), never panics, and leave the batch sound.

use crate::common::{bytes, table_from_info, vectors};
use proptest::prelude::*;
use proptest::sample::Index;
use std::sync::{Arc, OnceLock};
use tg_model::{ChangeOp, RawChange, TableVersion, Ts};
use tg_mounter::{MountOptions, RowV1, TableMounter, decimal_text, json_text, read_datum, record_key};
use tgr1::Batch;

type Sample = (Arc<TableVersion>, Vec<u8>, Vec<u8>);

/// Tables, keys and rows of the recording.
fn samples() -> &'static [Sample] {
    static SAMPLES: OnceLock<Vec<Sample>> = OnceLock::new();
    SAMPLES.get_or_init(|| {
        let mut out = Vec::new();
        for item in vectors("captured_rows.json").unwrap_or_default() {
            let table = table_from_info(&item["table_info"]);
            for row in item["rows"].as_array().unwrap() {
                out.push((table.clone(), bytes(&row["key_hex"]), bytes(&row["value_hex"])));
            }
        }
        out
    })
}

fn damage(data: &mut Vec<u8>, hits: &[(Index, u8)], cut: Option<Index>) {
    for (at, value) in if data.is_empty() { &[] } else { hits } {
        let at = at.index(data.len());
        data[at] = *value;
    }
    if let Some(cut) = cut {
        data.truncate(cut.index(data.len() + 1));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_changes_never_panic(
        pick: Index,
        hits in prop::collection::vec((any::<Index>(), any::<u8>()), 0..5),
        key_hits in prop::collection::vec((any::<Index>(), any::<u8>()), 0..2),
        cut in any::<Option<Index>>(),
        verify_checksum: bool,
    ) {
        if samples().is_empty() {
            return Ok(());
        }
        let (table, key, value) = &samples()[pick.index(samples().len())];
        let (mut key, mut damaged) = (key.clone(), value.clone());
        damage(&mut damaged, &hits, cut);
        // The table's part of the key stays, so that more than the first check is reached.
        let mut handle = key.split_off(11);
        damage(&mut handle, &key_hits, None);
        key.extend(handle);
        let mut mounter = TableMounter::new(table.clone(), MountOptions { verify_checksum, ..Default::default() }).unwrap();
        let mut out = mounter.writer(1, 0);
        let change = RawChange {
            commit_ts: Ts::new(2),
            start_ts: Ts::new(1),
            op: ChangeOp::Update,
            key: key.into(),
            value: damaged.into(),
            old_value: value.clone().into(),
        };
        let rows = mounter.mount_split(&change, &mut out).map_or(0, |mounted| mounted.rows);
        let batch = out.finish();
        prop_assert_eq!(Batch::parse(&batch).unwrap().len(), usize::from(rows));
    }

    #[test]
    fn arbitrary_bytes_never_panic(data in prop::collection::vec(any::<u8>(), 0..200), code in prop::sample::select(vec![1_u8, 3, 12, 13, 17])) {
        let mut out = Vec::new();
        let _ = json_text(&mut out, &data);
        let _ = json_text(&mut out, &[&[code][..], &data].concat());
        let _ = decimal_text(&mut out, &data);
        let _ = record_key(&data);
        let _ = read_datum(&mut data.as_slice());
        let _ = RowV1::new(&data).count();
    }
}

#[test]
fn a_document_that_contains_itself_many_times_over_is_refused() {
    // Arrays of sixteen entries that all point to the next array: 16^7 values in under a kilobyte.
    let levels = 7;
    let entry_count = 16_u32;
    let size = 8 + entry_count * 5;
    let mut body = Vec::new();
    for level in 0..levels {
        let rest = size * (levels - level);
        body.extend(entry_count.to_le_bytes());
        body.extend(rest.to_le_bytes());
        for _ in 0..entry_count {
            body.push(if level + 1 == levels { 4 } else { 3 });
            body.extend((if level + 1 == levels { 0 } else { size }).to_le_bytes());
        }
    }
    assert!(json_text(&mut Vec::new(), &[&[3][..], &body].concat()).is_err());
}
