use super::{Expression, Value};
use crate::{FilterError, RowValues};
use std::collections::BTreeMap;
use tg_model::{Column, ColumnFlags, ColumnType, TableId, TableKey, TableVersion, Ts, TypeCode};

pub(crate) fn table(columns: &[(&str, TypeCode, &str)]) -> TableVersion {
    let column = |(i, (name, code, collation)): (usize, &(&str, TypeCode, &str))| Column {
        id: i64::try_from(i).unwrap() + 1,
        name: (*name).to_owned(),
        ty: ColumnType {
            code: *code,
            len: None,
            decimals: None,
            unsigned: false,
            zerofill: false,
            charset: String::new(),
            collation: (*collation).to_owned(),
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
    TableVersion {
        table: TableId(1),
        since: Ts::ZERO,
        update_ts: Ts::ZERO,
        schema_id: 1,
        schema: "d".to_owned(),
        name: "t".to_owned(),
        charset: String::new(),
        collation: String::new(),
        columns: columns.iter().enumerate().map(column).collect(),
        by_id: BTreeMap::new(),
        indexes: Vec::new(),
        row_key: None,
        handle: TableKey::RowId,
        partitions: Vec::new(),
        is_view: false,
        is_sequence: false,
    }
}

pub(crate) struct Row(pub(crate) Vec<Value<'static>>);

impl RowValues for Row {
    fn value(&self, column: u32) -> Value<'_> {
        self.0.get(column as usize).cloned().unwrap_or(Value::Null)
    }
}

fn text(s: &str) -> Value<'static> {
    Value::Text(s.to_owned().into())
}

fn sample() -> (TableVersion, Row) {
    let table = table(&[
        ("id", TypeCode::BigInt, ""),
        ("name", TypeCode::VarChar, "utf8mb4_bin"),
        ("ci", TypeCode::VarChar, "utf8mb4_general_ci"),
        ("price", TypeCode::Decimal, ""),
        ("at", TypeCode::DateTime, ""),
        ("n", TypeCode::Int, ""),
        ("f", TypeCode::Double, ""),
    ]);
    let row = Row(vec![
        Value::Int(7),
        text("Bob"),
        text("Bob"),
        Value::Decimal("12.340".into()),
        text("2020-01-02 00:00:00.500000"),
        Value::Null,
        Value::Real(0.5),
    ]);
    (table, row)
}

#[test]
fn conditions_hold_or_not() {
    let (table, row) = sample();
    let holds = [
        "id = 7",
        "id between 7 and 9",
        "id > 6.9 and id < 7.1",
        "7 in (1, id)",
        "id % 2 = 1",
        "id div 2 = 3",
        "id / 2 = 3.5",
        "-id = -7",
        "!(id = 8)",
        "not id = 8",
        "id in (1,7) xor false",
        "id = '7'",
        "id <=> 7",
        "n <=> null",
        "n is null",
        "name is not null",
        "(n = 1) is not true",
        "name = 'Bob  '",
        "name <> 'bob'",
        "ci = 'BOB'",
        "ci like 'b%'",
        "name like 'B_b'",
        "name like '%o%'",
        "name not like 'b%'",
        "name like 'B\\\\ob' or true",
        "price = 12.34",
        "price > 12.339999999999999999",
        "price * 2 = 24.68",
        "at > '2020-01-02'",
        "at = '2020-01-02 00:00:00.5'",
        "at < \"2020-01-03\"",
        "f + f = 1",
        "length(name) = 3 && upper(name) = 'BOB'",
        "coalesce(n, 5) = 5",
        "ifnull(n, id) = 7",
        "if(n, 1, 2) = 2",
        "concat(name, id) = 'Bob7'",
        "abs(-id) = 7",
        "`id` = 7 and t.id = 7 and d.t.`id` = 7",
        "0x426f62 = name",
        "1 or n",
        "id=7 or 1/0",
        "n = 1 or id = 7",
        "'a' < 'b'",
        "'%' like '\\%'",
        "'50%' like '%!%' escape '!'",
        "1 = 1.0",
        "1e3 = 1000",
    ];
    for e in holds {
        assert!(Expression::parse(e).unwrap().bind(&table).unwrap().is_true(&row), "{e}");
    }
    let not = [
        "id = 8",
        "n = 1",
        "n <> 1",
        "not (n = 1)",
        "n in (1)",
        "id in (1, null)",
        "id not in (1, null)",
        "1/0",
        "name = 'bob'",
        "name like 'b%'",
        "null",
        "0",
        "n between 1 and 2",
        "at = '2020-01-02'",
        "price < 12.34",
        "n and true",
        "concat(name, n) is not null",
        "name like 'Bo'",
        "'ab' like 'a!_' escape '!'",
    ];
    for e in not {
        assert!(!Expression::parse(e).unwrap().bind(&table).unwrap().is_true(&row), "{e}");
    }
}

#[test]
fn precedence_is_that_of_sql() {
    let (table, row) = sample();
    let check = |e: &str, want: bool| {
        assert_eq!(Expression::parse(e).unwrap().bind(&table).unwrap().is_true(&row), want, "{e}")
    };
    check("1 or 0 and 0", true);
    check("(1 or 0) and 0", false);
    check("1 + 2 * 3 = 7", true);
    check("not 0 and 0", false);
    check("id = 7 and not name = 'x' or 0", true);
    check("10 - 2 - 3 = 5", true);
    check("1 between 0 and 2 and 0", false);
}

#[test]
fn broken_text_is_refused_where_it_breaks() {
    let check = |text: &str, column: usize| match Expression::parse(text) {
        Err(FilterError::Expression { column: got, .. }) => assert_eq!(got, column, "{text}"),
        other => panic!("{text}: {other:?}"),
    };
    for (text, column) in [
        ("", 1),
        ("id =", 5),
        ("id = 1 2", 8),
        ("(id", 4),
        ("id in ()", 8),
        ("id is", 6),
        ("'open", 1),
        ("sleep(1)", 1),
        ("abs(1,2)", 9),
        ("a ; b", 3),
        ("a like 'x' escape 'ab'", 19),
        ("and 1", 1),
        ("a.", 3),
    ] {
        check(text, column);
    }
    let deep = |n: usize| format!("{}1{}", "(".repeat(n), ")".repeat(n));
    assert!(Expression::parse(&deep(60)).is_ok());
    for text in [deep(5000), "!".repeat(5000) + "1", vec!["1"; 5000].join(" or ")] {
        assert!(Expression::parse(&text).is_err());
    }
}

#[test]
fn unknown_columns_are_named() {
    let (table, _) = sample();
    let error = Expression::parse("nope = 1").unwrap().bind(&table).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the filter expression \"nope = 1\" names column \"nope\", which table d.t does not have"
    );
}
