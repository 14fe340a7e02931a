//! Columns that were added after a row was written.

use crate::common::{column, insert, int_key, int_table, row_v2, ty, value_text};
use std::sync::Arc;
use tg_model::{Coded, Column, ColumnFlags, TypeCode};
use tg_mounter::{MountError, MountOptions, TableMounter};
use tgr1::Batch;

fn default_of(code: TypeCode, change: impl Fn(&mut Column)) -> Result<Option<Vec<u8>>, MountError> {
    let mut added = column(3, ty(code));
    change(&mut added);
    let ty = added.ty.clone();
    let mut table = int_table();
    table.columns.push(added);
    let mut mounter = TableMounter::new(Arc::new(table), MountOptions::default())?;
    let mut out = mounter.writer(1, 0);
    mounter.mount(&insert(&int_key(45, 1), &row_v2(&[(2, b"x")], &[])), &mut out).unwrap();
    let v1 = b"\x08\x04\x02\x02x";
    mounter.mount(&insert(&int_key(45, 1), v1), &mut out).unwrap();
    let batch = out.finish();
    let batch = Batch::parse(&batch).unwrap();
    let texts = [0, 1].map(|i| value_text(&batch.row(i).unwrap().after().unwrap(), 2, &ty));
    assert_eq!(texts[0], texts[1], "both formats give the same default");
    Ok(texts[0].clone())
}

fn check_default(code: TypeCode, text: &[u8], change: impl Fn(&mut Column), expected: &[u8]) {
    let got = default_of(code, |column| {
        column.origin_default = Some(text.to_vec());
        change(column);
    });
    assert_eq!(got.unwrap().as_deref(), Some(expected), "{code:?}");
}

#[test]
fn columns_added_later_take_their_origin_default() {
    let members = |c: &mut Column| c.ty.members = vec!["a".to_owned(), "b".to_owned(), "c".to_owned()];
    check_default(TypeCode::BigInt, b"-7", |_| {}, b"-7");
    check_default(TypeCode::BigInt, b"18446744073709551615", |c| c.ty.unsigned = true, b"18446744073709551615");
    check_default(TypeCode::Float, b"0.1", |_| {}, b"0.1");
    check_default(TypeCode::Double, b"-1.25", |_| {}, b"-1.25");
    check_default(TypeCode::Decimal, b"1.5", |c| (c.ty.len, c.ty.decimals) = (Some(10), Some(3)), b"1.500");
    check_default(TypeCode::VarChar, "grün".as_bytes(), |_| {}, "grün".as_bytes());
    check_default(TypeCode::Char, b"ab", |c| (c.ty.len, c.ty.charset) = (Some(4), "binary".to_owned()), b"ab\0\0");
    check_default(TypeCode::Date, b"2020-02-20", |_| {}, b"2020-02-20");
    check_default(
        TypeCode::DateTime,
        b"2020-02-20 02:20:20.12",
        |c| c.ty.decimals = Some(3),
        b"2020-02-20 02:20:20.120",
    );
    check_default(TypeCode::Timestamp, b"2020-02-20 02:20:20", |_| {}, b"2020-02-20 02:20:20");
    check_default(TypeCode::Timestamp, b"0000-00-00 00:00:00", |_| {}, b"0000-00-00 00:00:00");
    check_default(TypeCode::Time, b"-01:02:03", |_| {}, b"-01:02:03");
    check_default(TypeCode::Year, b"2020", |_| {}, b"2020");
    check_default(TypeCode::Enum, b"b", members, b"b");
    check_default(TypeCode::Set, b"a,c", members, b"a,c");
    check_default(TypeCode::Set, b"", members, b"");
    check_default(TypeCode::Bit, b"\x02\x01", |c| c.ty.len = Some(10), b"\x02\x01");
    check_default(TypeCode::VectorFloat32, b"[1,2.5]", |_| {}, b"[1,2.5]");
}

#[test]
fn columns_without_default_are_null_or_zero() {
    let not_null = |c: &mut Column| c.flags = ColumnFlags::default();
    let zero = |code| default_of(code, not_null).unwrap().map(|text| String::from_utf8(text).unwrap());
    assert_eq!(default_of(TypeCode::BigInt, |_| {}).unwrap(), None);
    for (code, want) in [
        (TypeCode::Int, "0"),
        (TypeCode::Double, "0"),
        (TypeCode::Decimal, "0"),
        (TypeCode::VarChar, ""),
        (TypeCode::DateTime, "0000-00-00 00:00:00"),
        (TypeCode::Time, "00:00:00"),
        (TypeCode::Set, ""),
        (TypeCode::Json, "null"),
    ] {
        assert_eq!(zero(code).as_deref(), Some(want), "{code:?}");
    }
}

#[test]
fn a_default_that_does_not_fit_is_refused_by_name() {
    for (code, text) in [
        (TypeCode::Int, &b"x"[..]),
        (TypeCode::Date, b"CURRENT_TIMESTAMP"),
        (TypeCode::Bit, b"123456789"),
        (TypeCode::Enum, b"none"),
        (TypeCode::Double, b"\xff"),
    ] {
        let error = default_of(code, |c| c.origin_default = Some(text.to_vec())).unwrap_err();
        assert_eq!(error.code().to_string(), "TG-1405");
        assert!(error.to_string().contains("test.t") && error.to_string().contains("c3"), "{error}");
    }
}
