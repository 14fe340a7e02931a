use super::{EventFilterConfig, Filter, FilterConfig, Verdict};
use crate::{FilterError, RowFilter, RowValues, Value};
use std::collections::BTreeMap;
use std::sync::Arc;
use tg_model::{
    ChangeOp, Column, ColumnFlags, ColumnType, DdlEvent, DdlKind, TableId, TableKey, TableVersion, Ts, TypeCode,
};

fn version(schema: &str, name: &str) -> Arc<TableVersion> {
    let column = |(id, name): (i64, &str)| Column {
        id,
        name: name.to_owned(),
        ty: ColumnType {
            code: TypeCode::Int,
            len: None,
            decimals: None,
            unsigned: false,
            zerofill: false,
            charset: String::new(),
            collation: String::new(),
            members: Vec::new(),
        },
        flags: ColumnFlags::default(),
        origin_default: None,
        default: None,
        default_is_expr: false,
        generated_expr: String::new(),
        comment: String::new(),
        meta_version: 2,
    };
    Arc::new(TableVersion {
        table: TableId(1),
        since: Ts::ZERO,
        update_ts: Ts::ZERO,
        schema_id: 1,
        schema: schema.to_owned(),
        name: name.to_owned(),
        charset: String::new(),
        collation: String::new(),
        columns: [(1, "id"), (2, "v")].into_iter().map(column).collect(),
        by_id: BTreeMap::new(),
        indexes: Vec::new(),
        row_key: Some(0),
        handle: TableKey::RowId,
        partitions: Vec::new(),
        is_view: false,
        is_sequence: false,
    })
}

fn ddl(
    kind: DdlKind,
    action: u8,
    schema: &str,
    table: &str,
    query: &str,
    before: Option<Arc<TableVersion>>,
) -> DdlEvent {
    DdlEvent {
        commit_ts: Ts::new(9),
        seq: 0,
        job_id: 1,
        action,
        kind,
        schema: schema.to_owned(),
        table: table.to_owned(),
        query: query.to_owned(),
        charset: String::new(),
        collation: String::new(),
        sql_mode: 0,
        before,
        after: None,
        blocks: Vec::new(),
        removes: Vec::new(),
        adds: Vec::new(),
    }
}

fn strings(list: &[&str]) -> Vec<String> {
    list.iter().map(|s| (*s).to_owned()).collect()
}

fn filter(rules: &[&str], events: EventFilterConfig) -> Filter {
    let config = FilterConfig { rules: strings(rules), ignore_txn_start_ts: vec![5], event_filters: vec![events] };
    Filter::new(&config, false, false).unwrap()
}

#[test]
fn ddl_is_kept_ignored_or_discarded() {
    let f = filter(
        &["d.*", "!d.tmp"],
        EventFilterConfig {
            matcher: strings(&["d.a"]),
            ignore_event: strings(&["drop table"]),
            ignore_sql: strings(&["(?i)^alter.*drop"]),
            ..Default::default()
        },
    );
    let check = |kind, action, schema: &str, table: &str, query: &str, want: Verdict| {
        assert_eq!(
            f.ddl(&ddl(kind, action, schema, table, query, None), Ts::new(1)).unwrap(),
            want,
            "{query} on {schema}.{table}"
        );
    };
    check(DdlKind::DropTable, 4, "d", "a", "DROP TABLE d.a", Verdict::Ignore);
    check(DdlKind::DropTable, 4, "D", "B", "DROP TABLE d.b", Verdict::Keep);
    check(DdlKind::DropTable, 4, "d", "tmp", "DROP TABLE d.tmp", Verdict::Discard);
    check(DdlKind::DropColumn, 6, "d", "a", "ALTER TABLE d.a DROP COLUMN c", Verdict::Ignore);
    check(DdlKind::AddColumn, 5, "d", "a", "ALTER TABLE d.a ADD COLUMN c INT", Verdict::Keep);
    check(DdlKind::CreateSchema, 1, "d", "", "CREATE DATABASE d", Verdict::Keep);
    check(DdlKind::CreateSchema, 1, "e", "", "CREATE DATABASE e", Verdict::Discard);
    let ignored = ddl(DdlKind::CreateTable, 3, "d", "n", "CREATE TABLE d.n (id INT)", None);
    assert_eq!(f.ddl(&ignored, Ts::new(5)).unwrap(), Verdict::Ignore, "by start-ts");
}

#[test]
fn renames_cross_the_edge_one_way_only() {
    let f = filter(&["d.*"], EventFilterConfig::default());
    let rename = |from: &str, to: &str| {
        f.ddl(&ddl(DdlKind::RenameTable, 14, to, "t", "RENAME", Some(version(from, "t"))), Ts::new(1))
    };
    assert_eq!(rename("d", "d"), Ok(Verdict::Keep));
    assert_eq!(rename("d", "out"), Ok(Verdict::Keep), "the table leaves");
    assert_eq!(rename("out", "out2"), Ok(Verdict::Discard));
    assert!(matches!(rename("out", "d"), Err(FilterError::RenameIntoScope { .. })));
}

#[test]
fn tables_need_a_key_unless_forced() {
    let keyed = version("d", "t");
    let bare = TableVersion { row_key: None, ..TableVersion::clone(&keyed) };
    let view = TableVersion { is_view: true, ..TableVersion::clone(&keyed) };
    let config = FilterConfig::default();
    let strict = Filter::new(&config, false, false).unwrap();
    let forced = Filter::new(&config, false, true).unwrap();
    assert!(
        strict.replicates(&keyed) && !strict.replicates(&bare) && forced.replicates(&bare) && !forced.replicates(&view)
    );
    assert!(strict.ignores_no_txn());
}

struct Row([i128; 2]);

impl RowValues for Row {
    fn value(&self, column: u32) -> Value<'_> {
        self.0.get(column as usize).map_or(Value::Null, |n| Value::Int(*n))
    }
}

fn drops(rows: &RowFilter, op: ChangeOp, old: Option<[i128; 2]>, new: Option<[i128; 2]>) -> bool {
    let (old, new) = (old.map(Row), new.map(Row));
    rows.drops(op, old.as_ref().map(|r| r as &dyn RowValues), new.as_ref().map(|r| r as &dyn RowValues))
}

#[test]
fn rows_are_left_out_by_type_and_by_value() {
    let table = version("d", "t");
    let rows = |c: EventFilterConfig| {
        filter(&["*.*"], EventFilterConfig { matcher: strings(&["d.*"]), ..c }).rows(&table).unwrap()
    };
    assert!(rows(EventFilterConfig::default()).is_none());
    assert!(
        rows(EventFilterConfig { matcher: Vec::new(), ignore_event: strings(&["all ddl"]), ..Default::default() })
            .is_none()
    );

    let by_type = rows(EventFilterConfig { ignore_event: strings(&["delete"]), ..Default::default() }).unwrap();
    assert!(by_type.drops_all(ChangeOp::Delete) && !by_type.drops_all(ChangeOp::Update) && !by_type.looks_at_values());

    let by_value = rows(EventFilterConfig {
        ignore_insert_value_expr: "v > 10".to_owned(),
        ignore_update_new_value_expr: "v = 1".to_owned(),
        ignore_update_old_value_expr: "v = 2".to_owned(),
        ignore_delete_value_expr: "id = 3".to_owned(),
        ..Default::default()
    })
    .unwrap();
    assert!(
        drops(&by_value, ChangeOp::Insert, None, Some([1, 11]))
            && !drops(&by_value, ChangeOp::Insert, None, Some([1, 10]))
    );
    assert!(drops(&by_value, ChangeOp::Update, Some([1, 5]), Some([1, 1])), "by the new row");
    assert!(drops(&by_value, ChangeOp::Update, Some([1, 2]), Some([1, 5])), "or by the old one");
    assert!(!drops(&by_value, ChangeOp::Update, Some([1, 1]), Some([1, 2])));
    assert!(
        drops(&by_value, ChangeOp::Delete, Some([3, 0]), None)
            && !drops(&by_value, ChangeOp::Delete, Some([4, 0]), None)
    );

    let only = rows(EventFilterConfig { ignore_update_only_columns: strings(&["V"]), ..Default::default() }).unwrap();
    assert!(drops(&only, ChangeOp::Update, Some([1, 5]), Some([1, 6])));
    assert!(
        !drops(&only, ChangeOp::Update, Some([1, 5]), Some([2, 6]))
            && !drops(&only, ChangeOp::Update, Some([1, 5]), Some([1, 5]))
    );
}

#[test]
fn a_missing_column_is_an_error() {
    let f = filter(
        &["*.*"],
        EventFilterConfig {
            matcher: strings(&["*.*"]),
            ignore_insert_value_expr: "gone = 1".to_owned(),
            ..Default::default()
        },
    );
    assert!(matches!(f.rows(&version("d", "t")), Err(FilterError::ColumnNotFound { .. })));
}

#[test]
fn configuration_errors_are_told() {
    let refuse = |c: EventFilterConfig| {
        Filter::new(&FilterConfig { event_filters: vec![c], ..FilterConfig::default() }, false, false).unwrap_err()
    };
    assert!(matches!(
        refuse(EventFilterConfig { ignore_event: strings(&["inserts!"]), ..Default::default() }),
        FilterError::EventType { .. }
    ));
    assert!(matches!(
        refuse(EventFilterConfig { ignore_sql: strings(&["("]), ..Default::default() }),
        FilterError::Regex { .. }
    ));
    assert!(matches!(
        refuse(EventFilterConfig { ignore_delete_value_expr: "a =".to_owned(), ..Default::default() }),
        FilterError::Expression { .. }
    ));
    assert!(matches!(
        refuse(EventFilterConfig { matcher: strings(&["a"]), ..Default::default() }),
        FilterError::Rule { .. }
    ));
}
