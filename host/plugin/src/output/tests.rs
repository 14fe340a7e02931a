use super::{HIDDEN, table_version};
use crate::bindings::api::types::{Index, LogicalType, TableSchema};
use crate::convert;
use tg_model::{Column, ColumnFlags, ColumnType, TableId, TableKey, TableVersion, Ts, TypeCode};

fn column(id: i64, name: &str, code: TypeCode) -> Column {
    Column {
        id,
        name: name.to_owned(),
        ty: ColumnType {
            code,
            len: Some(20),
            decimals: None,
            unsigned: false,
            zerofill: false,
            charset: "utf8mb4".to_owned(),
            collation: "utf8mb4_bin".to_owned(),
            members: Vec::new(),
        },
        flags: ColumnFlags { primary_key: id == 1, row_key: id == 1, nullable: id != 1, ..ColumnFlags::default() },
        origin_default: None,
        default: None,
        default_is_expr: false,
        generated_expr: String::new(),
        comment: "c".to_owned(),
        meta_version: 2,
    }
}

fn from() -> TableVersion {
    let index = |name: &str, columns: &[u32], prefix: Option<u32>| tg_model::Index {
        id: 1,
        name: name.to_owned(),
        columns: columns.to_vec(),
        prefix_len: vec![prefix; columns.len()],
        unique: true,
        primary: name == "PRIMARY",
    };
    TableVersion {
        table: TableId(45),
        since: Ts::new(7),
        update_ts: Ts::new(7),
        schema_id: 2,
        schema: "test".to_owned(),
        name: "t".to_owned(),
        charset: "utf8mb4".to_owned(),
        collation: "utf8mb4_bin".to_owned(),
        columns: vec![
            column(1, "id", TypeCode::BigInt),
            column(2, "name", TypeCode::VarChar),
            column(3, "note", TypeCode::VarChar),
        ],
        by_id: [(1, 0), (2, 1), (3, 2)].into(),
        indexes: vec![index("PRIMARY", &[0], None), index("u", &[1], Some(4))],
        row_key: Some(0),
        handle: TableKey::IntColumn(0),
        partitions: Vec::new(),
        is_view: false,
        is_sequence: false,
    }
}

fn edited(edit: impl FnOnce(&mut TableSchema)) -> Result<TableVersion, String> {
    let mut schema = convert::table_schema(&from());
    edit(&mut schema);
    table_version(&schema, &from())
}

#[test]
fn what_is_not_touched_stays() {
    let same = edited(|_| ()).unwrap();
    assert_eq!(same, TableVersion { handle: TableKey::RowId, ..from() });
}

#[test]
fn names_columns_and_types_can_change() {
    let out = edited(|s| {
        s.name = "people".to_owned();
        s.columns.remove(2);
        s.columns[1].source_type = "char(64)".to_owned();
        s.columns[1].name = "hash".to_owned();
    })
    .unwrap();
    assert_eq!((out.name.as_str(), out.columns.len(), out.by_id.len()), ("people", 2, 2));
    assert_eq!((out.columns[1].ty.code, out.columns[1].ty.len), (TypeCode::Char, Some(64)));
    assert_eq!(out.indexes[1].prefix_len, [Some(4)]);
}

#[test]
fn hidden_keys_stay_hidden() {
    let out = edited(|s| s.attrs.push(("hidden-keys".to_owned(), "true".to_owned()))).unwrap();
    assert_eq!(out.columns.last().unwrap().name, HIDDEN);
    let again = convert::table_schema(&out);
    assert!(again.attrs.contains(&("hidden-keys".to_owned(), "true".to_owned())));
    assert_eq!((again.columns.len(), again.indexes.len()), (3, 2));
}

#[test]
fn an_output_that_cannot_be_is_named() {
    type Edit = fn(&mut TableSchema);
    let bad: [(Edit, &str); 11] = [
        (|s| s.ref_.version = 8, "version 8"),
        (|s| s.name.clear(), "table whose name"),
        (|s| s.columns.clear(), "0 columns"),
        (|s| s.columns[1].name = "ID".to_owned(), "two columns \"ID\""),
        (|s| s.columns[1].id = 1, "two columns of one id"),
        (|s| s.columns[1].logical = LogicalType::Int, "cannot be"),
        (|s| s.columns[1].source_type = "rainbow".to_owned(), "rainbow"),
        (|s| s.indexes[0].columns = vec![3], "column 3"),
        (|s| s.indexes[0].columns.clear(), "no column"),
        (|s| s.row_key = Some(1), "can be NULL"),
        (
            |s| {
                s.indexes.push(Index { name: "n".to_owned(), columns: vec![0], unique: false, primary: false });
                s.row_key = Some(2);
            },
            "no unique index",
        ),
    ];
    for (edit, why) in bad {
        let e = edited(edit).unwrap_err();
        assert!(e.contains(why), "{e}");
    }
}
