//! Schema files of the storage sink: names, checksums and text as TiCDC wrote them for the same statements.

use crate::common::items;
use std::collections::BTreeMap;
use tg_format_storage::{DataPath, Definition, METADATA, SchemaPath, checkpoint_of, table_schema};
use tg_golden_formats::{Item, files, folder};

/// Tables whose files differ as meant: see `docs/formats/differences.md`.
const KNOWN: [(&str, &str); 5] = [
    ("types.js", "a column that is generated when it is read is in their file, and in none of the rows"),
    ("ddl.b", "a step of RENAME TABLE a1 TO tmp, …: they name the last name"),
    ("ddl.ex", "EXCHANGE PARTITION: they write a file for the other table too"),
    ("ddl.gt", "a temporary table, which has no rows to follow"),
    ("ddl.vw", "a view, whose columns have no type"),
];

fn known(name: &str) -> bool {
    KNOWN.iter().any(|(table, _)| *table == name)
}

#[test]
fn every_path_is_one_of_the_layout_and_every_file_is_read() {
    let Some(dir) = folder() else { return };
    let (mut schemas, mut data) = (0, 0);
    for (path, content) in files(&dir, "storage-csv").into_iter().chain(files(&dir, "storage-canal-json")) {
        if path == METADATA {
            assert!(checkpoint_of(&content).unwrap() > 470_000_000_000_000_000);
        } else if let Some(schema) = SchemaPath::parse(&path) {
            let file = Definition::parse(&content).unwrap_or_else(|e| panic!("{path}: {e}"));
            assert_eq!(file.path(), schema, "{path}: the checksum is another");
            assert_eq!(file.text().as_bytes(), content, "{path}: written again it is another");
            schemas += 1;
        } else {
            assert!(DataPath::parse(&path).is_some(), "{path} is no path of the layout");
            data += 1;
        }
    }
    println!("{schemas} schema files, {data} others");
    assert!(schemas > 100 && data > 100);
}

#[test]
fn schema_files_of_every_statement() {
    let (Some(dir), Some(items)) = (folder(), items()) else { return };
    // By commit timestamp; one statement may concern several tables.
    let mut ours: BTreeMap<(u64, String), Definition> = BTreeMap::new();
    for item in &items {
        if let Item::Ddl(ddl) = item {
            let made = Definition::of_ddl(ddl, false);
            ours.insert((made.table_version, format!("{}.{}", made.schema, made.table)), made);
        }
    }
    let (mut same, mut faults) = (0, Vec::new());
    for (path, content) in files(&dir, "storage-csv") {
        let Some(schema) = SchemaPath::parse(&path) else { continue };
        let theirs = Definition::parse(&content).unwrap();
        let name = format!("{}.{}", theirs.schema, theirs.table);
        if known(&name) {
            continue;
        }
        match ours.get(&(schema.version, name)) {
            // Ours names its objects in full.
            Some(made) => {
                let made = Definition { query: theirs.query.clone(), ..made.clone() };
                if made == theirs {
                    same += 1;
                } else {
                    faults.push(format!("{path}\n  theirs {theirs:?}\n  ours   {made:?}"));
                }
            }
            None => faults.push(format!("{path}: we have none")),
        }
    }
    println!("{same} schema files are the same");
    assert!(faults.is_empty(), "{} differ:\n{}", faults.len(), faults.join("\n"));
    assert!(same > 40, "only {same} files");
}

#[test]
fn a_schema_file_is_enough_to_read_rows() {
    let Some(dir) = folder() else { return };
    for (path, content) in files(&dir, "storage-csv") {
        let Some(SchemaPath { table: Some(_), .. }) = SchemaPath::parse(&path) else { continue };
        let definition = Definition::parse(&content).unwrap();
        if !known(&format!("{}.{}", definition.schema, definition.table)) {
            let table = table_schema(&definition).unwrap_or_else(|e| panic!("{path}: {e}"));
            assert_eq!(table.columns.len(), definition.total);
        }
    }
}
