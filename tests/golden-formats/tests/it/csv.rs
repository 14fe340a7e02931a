//! CSV: the files of every table version, byte for byte.

use crate::common::items;
use std::collections::BTreeMap;
use tg_format_common::{Encoder, Messages};
use tg_format_csv::{Binary, Csv, Options};
use tg_golden_formats::{Item, files, folder};
use tgr1::Batch;

/// Table versions whose files differ as meant: see `docs/formats/differences.md`.
const KNOWN: [&str; 1] = ["types/nuk"];

/// Lines by table and version, sorted: cuts into files and the order within a transaction belong to the run.
fn sorted(content: &[u8]) -> Vec<String> {
    let text = String::from_utf8(content.to_vec()).unwrap();
    let mut lines: Vec<String> = text.split_inclusive("\r\n").map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn files_of_every_table() {
    let (Some(dir), Some(items)) = (folder(), items()) else { return };
    let mut theirs: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for (path, content) in files(&dir, "storage-csv") {
        if let [database, table, _version, .., file] = path.split('/').collect::<Vec<_>>()[..]
            && file.ends_with(".csv")
        {
            theirs.entry(format!("{database}/{table}")).or_default().extend(content);
        }
    }
    let mut encoder = Csv::new(Options {
        include_commit_ts: true,
        binary: Binary::Hex,
        output_old_value: true,
        ..Options::default()
    })
    .unwrap();
    let mut ours: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for item in &items {
        let Item::Rows(change) = item else { continue };
        encoder.table(change.schema.clone(), None).unwrap();
        let mut out = Messages::new();
        for row in &Batch::parse(&change.batch).unwrap() {
            encoder.row(change.schema.id, &row, 0, &mut out).unwrap();
        }
        let lines = ours.entry(format!("{}/{}", change.schema.database, change.schema.name)).or_default();
        out.iter().for_each(|m| lines.extend_from_slice(m.value.unwrap()));
    }
    assert_eq!(theirs.keys().collect::<Vec<_>>(), ours.keys().collect::<Vec<_>>());
    let mut count = 0;
    for (name, content) in &theirs {
        let (want, got) = (sorted(content), sorted(&ours[name]));
        count += want.len();
        if !KNOWN.contains(&name.as_str()) {
            assert_eq!(want, got, "{name}");
        }
    }
    println!("{count} lines of {} tables", theirs.len());
    assert!(count > 150, "only {count} lines");
}
