//! Rows recorded from a live cluster: what we decode must print as TiDB itself answered, and what TiDB summed must match.

use crate::common::{bytes, insert, table_from_info, value_text, vectors};
use serde_json::Value;
use tg_model::{ChangeOp, RawChange};
use tg_mounter::{MountOptions, TableMounter};
use tgr1::Batch;

fn expected(text: &Value) -> Option<Vec<u8>> {
    match text {
        Value::Null => None,
        Value::String(text) => Some(text.clone().into_bytes()),
        other => Some(bytes(&other["hex"])),
    }
}

fn check_table(item: &Value) -> usize {
    let name = item["name"].as_str().unwrap();
    let table = table_from_info(&item["table_info"]);
    let options = MountOptions { verify_checksum: true, ..MountOptions::default() };
    let mut mounter = TableMounter::new(table.clone(), options).unwrap();
    let names: Vec<&str> = mounter.positions().iter().map(|at| table.columns[*at as usize].name.as_str()).collect();
    let virtuals: Vec<&str> = item["virtual"].as_array().unwrap().iter().map(|v| v.as_str().unwrap()).collect();
    let visible: Vec<(usize, &str)> = item["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c.as_str().unwrap())
        .enumerate()
        .filter(|(_, c)| !virtuals.contains(c))
        .collect();
    assert_eq!(names, visible.iter().map(|(_, c)| *c).collect::<Vec<_>>(), "{name}");
    let rows = item["rows"].as_array().unwrap();
    let mut writer = mounter.writer(7, 4096);
    for row in rows {
        let change = insert(&bytes(&row["key_hex"]), &bytes(&row["value_hex"]));
        let mounted = mounter.mount(&change, &mut writer).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!((mounted.rows, mounted.unknown_columns), (1, 0), "{name}");
        let delete =
            RawChange { op: ChangeOp::Delete, old_value: change.value.clone(), value: Default::default(), ..change };
        mounter.mount(&delete, &mut writer).unwrap();
    }
    let batch = writer.finish();
    let batch = Batch::parse(&batch).unwrap();
    assert_eq!(batch.table(), item["table_info"]["id"].as_u64().unwrap());
    for (i, row) in rows.iter().enumerate() {
        let images = [batch.row(i * 2).unwrap().after().unwrap(), batch.row(i * 2 + 1).unwrap().before().unwrap()];
        for (col, (in_text, column)) in visible.iter().enumerate() {
            let ty = &table.columns[mounter.positions()[col] as usize].ty;
            for image in &images {
                let got = value_text(image, col, ty);
                let want = expected(&row["text"][*in_text]);
                assert_eq!(got, want, "{name}, row {i}, column {column}");
            }
        }
    }
    rows.len()
}

#[test]
fn captured_rows_print_as_tidb_answered() {
    let Some(items) = vectors("captured_rows.json") else {
        return;
    };
    let rows: usize = items.iter().map(check_table).sum();
    assert_eq!((items.len(), rows), (19, 64), "the recording is whole");
}

#[test]
fn a_flipped_bit_fails_the_checksum() {
    let Some(items) = vectors("captured_rows.json") else {
        return;
    };
    let item = items.iter().find(|item| item["name"].as_str().unwrap().starts_with("modes.cs")).unwrap();
    let table = table_from_info(&item["table_info"]);
    let (key, mut value) = (bytes(&item["rows"][0]["key_hex"]), bytes(&item["rows"][0]["value_hex"]));
    let at = value.len() - 6;
    value[at] ^= 1;
    let change = insert(&key, &value);
    for (verify_checksum, ok) in [(true, false), (false, true)] {
        let mut mounter =
            TableMounter::new(table.clone(), MountOptions { verify_checksum, ..Default::default() }).unwrap();
        let mut writer = mounter.writer(1, 0);
        assert_eq!(mounter.mount(&change, &mut writer).is_ok(), ok);
        assert_eq!(writer.rows(), usize::from(ok));
    }
}
