//! The reference vectors of primitive encodings and of rows.

use crate::common::{bytes, column, column_type, insert, int_key, table, value_text, vectors};
use serde_json::Value;
use std::sync::Arc;
use tg_model::{Coded, Column, TableKey, TableVersion};
use tg_mounter::{
    Datum, Handle, MountError, MountOptions, RowV2, TableMounter, decimal_text, decode_bytes, json_text, read_datum,
    record_key,
};
use tgr1::text::{f32_text, f64_text, time_text, vector_text};
use tgr1::{Batch, PackedTime};

fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn decimals() {
    for v in vectors("decimal.json").unwrap_or_default() {
        let encoded = bytes(&v["hex"]);
        assert_eq!(written(|out| decimal_text(out, &encoded).unwrap()), v["string"].as_str().unwrap(), "{}", v["name"]);
        assert!(decimal_text(&mut Vec::new(), &encoded[..encoded.len() - 1]).is_err());
    }
}

#[test]
fn json_documents() {
    for v in vectors("json_binary.json").unwrap_or_default() {
        let encoded = bytes(&v["hex"]);
        assert_eq!(written(|out| json_text(out, &encoded).unwrap()), v["text"].as_str().unwrap(), "{}", v["name"]);
    }
}

#[test]
fn datums() {
    for v in vectors("datum.json").unwrap_or_default() {
        let encoded = bytes(&v["hex"]);
        let mut rest = encoded.as_slice();
        let datum = read_datum(&mut rest).unwrap();
        assert!(rest.is_empty(), "{}", v["name"]);
        let got = match datum {
            Datum::Null => "null".to_owned(),
            Datum::Int(n) | Datum::Duration(n) => n.to_string(),
            Datum::UInt(n) => n.to_string(),
            Datum::Float(n) => written(|out| f64_text(out, n)),
            Datum::Bytes(b) => hex::encode(b),
            Datum::KeyBytes(mut b) => {
                let mut out = Vec::new();
                decode_bytes(&mut b, &mut out).unwrap();
                hex::encode(out)
            }
            Datum::Decimal(d) => written(|out| decimal_text(out, d).unwrap()),
            Datum::Json(d) => written(|out| json_text(out, d).unwrap()),
            Datum::Vector(d) => written(|out| vector_text(out, &d[4..])),
        };
        let want = v["value"].as_str().map_or_else(|| v["value"].to_string(), str::to_owned);
        assert_eq!(got, want, "{}", v["name"]);
        for cut in 0..encoded.len() {
            assert!(read_datum(&mut &encoded[..cut]).is_err(), "{} cut at {cut}", v["name"]);
        }
    }
}

#[test]
fn times() {
    for v in vectors("time.json").unwrap_or_default() {
        let want = v["text"].as_str().unwrap();
        let value = bytes(&v["datum_value_hex"]);
        match read_datum(&mut value.as_slice()).unwrap() {
            Datum::UInt(packed) => {
                assert_eq!(packed.to_string(), v["u64"].as_str().unwrap());
                assert_eq!(PackedTime(packed).to_string(), want);
                assert_eq!(read_datum(&mut bytes(&v["datum_key_hex"]).as_slice()), Ok(Datum::UInt(packed)));
            }
            Datum::Int(nanos) => {
                let fsp = if want.contains('.') { 6 } else { 0 };
                assert_eq!(nanos.to_string(), v["i64"].as_str().unwrap());
                assert_eq!(written(|out| time_text(out, nanos / 1000, fsp)), want);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn keys() {
    for v in vectors("keys.json").unwrap_or_default() {
        let (name, input) = (v["name"].as_str().unwrap(), &v["in"]);
        match v["op"].as_str().unwrap() {
            "memcomparable_bytes" => {
                let encoded = bytes(&v["hex"]);
                let (mut rest, mut out) = (encoded.as_slice(), Vec::new());
                decode_bytes(&mut rest, &mut out).unwrap();
                assert_eq!((hex::encode(out), rest.len()), (input["raw"].as_str().unwrap().to_owned(), 0), "{name}");
            }
            "record_key" => {
                let encoded = bytes(&v["hex"]);
                let key = record_key(&encoded).unwrap();
                assert_eq!(key.handle, Handle::Int(input["handle"].as_str().unwrap().parse().unwrap()), "{name}");
                assert_eq!(Value::from(key.table.0), input["table_id"], "{name}");
            }
            "record_key_common" => check_common_key(&bytes(&v["hex"]), input, name),
            "index_key" | "table_span_start_raw" | "table_span_end_raw" | "meta_string_key" | "meta_hash_key" => {
                assert!(record_key(&bytes(&v["hex"])).is_err(), "{name}");
            }
            _ => {}
        }
    }
}

fn check_common_key(encoded: &[u8], input: &Value, name: &str) {
    let key = record_key(encoded).unwrap();
    let Handle::Common(mut rest) = key.handle else { panic!("{name}") };
    for part in input["handle_cols"].as_array().unwrap() {
        let (kind, want) = part.as_object().unwrap().iter().next().unwrap();
        let got = match read_datum(&mut rest).unwrap() {
            Datum::Int(n) => n.to_string(),
            Datum::UInt(n) if kind == "datetime" => PackedTime(n).to_string(),
            Datum::Decimal(d) => written(|out| decimal_text(out, d).unwrap()),
            Datum::KeyBytes(mut b) => {
                let mut out = Vec::new();
                decode_bytes(&mut b, &mut out).unwrap();
                hex::encode(out)
            }
            other => panic!("{name}: {other:?}"),
        };
        assert_eq!(got, want.as_str().unwrap(), "{name}");
    }
    assert!(rest.iter().all(|byte| *byte == 0), "{name}: only padding is left");
}

fn vector_column(c: &Value) -> Column {
    let names = [&c["charset"], &c["collate"]];
    let code = c["tp"].as_u64().unwrap();
    let ty = column_type(code, c["flag"].as_u64().unwrap(), &c["flen"], &c["decimal"], names, &c["elems"]);
    let origin_default = c["origin_default"].as_str().map(|text| text.as_bytes().to_vec());
    Column { origin_default, ..column(c["id"].as_i64().unwrap(), ty) }
}

/// The value of a vector as TiDB would print it.
fn vector_text_of(c: &Value, ty: &tg_model::ColumnType) -> Option<Vec<u8>> {
    let v = &c["value"];
    Some(match v {
        Value::Null => return None,
        Value::String(text) => text.clone().into_bytes(),
        Value::Number(n) if ty.code == tg_model::TypeCode::Float => {
            written(|out| f32_text(out, n.as_f64().unwrap() as f32)).into_bytes()
        }
        Value::Number(n) => written(|out| f64_text(out, n.as_f64().unwrap())).into_bytes(),
        Value::Array(elements) => {
            let raw: Vec<u8> = elements.iter().flat_map(|e| (e.as_f64().unwrap() as f32).to_le_bytes()).collect();
            written(|out| vector_text(out, &raw)).into_bytes()
        }
        Value::Object(parts) => match parts.iter().next().unwrap().0.as_str() {
            "hex" => bytes(&v["hex"]),
            "index" | "name" => v["name"].as_str().unwrap().as_bytes().to_vec(),
            "bits" | "names" => {
                let names: Vec<&str> = v["names"].as_array().unwrap().iter().map(|n| n.as_str().unwrap()).collect();
                names.join(",").into_bytes()
            }
            "bytes_hex" | "uint" => bytes(&v["bytes_hex"]),
            "json_text" => v["json_text"].as_str().unwrap().as_bytes().to_vec(),
            "repeat_alphabet_len" => alphabet(v["repeat_alphabet_len"].as_u64().unwrap() as usize),
            other => panic!("{other}"),
        },
        Value::Bool(_) => panic!("no such value"),
    })
}

fn alphabet(len: usize) -> Vec<u8> {
    (b'a'..=b'z').cycle().take(len).collect()
}

type Mounted = (Arc<TableVersion>, Vec<u8>);

fn mount_row(v: &Value, value: &[u8]) -> Result<Mounted, MountError> {
    let columns: Vec<Column> = v["cols"].as_array().unwrap().iter().map(vector_column).collect();
    let table = Arc::new(table(104, columns, TableKey::RowId));
    let options = MountOptions { verify_checksum: true, ..MountOptions::default() };
    let mut mounter = TableMounter::new(table.clone(), options)?;
    let mut writer = mounter.writer(1, 0);
    let key = v["row_key_hex"].as_str().map_or_else(|| int_key(104, 1), |text| hex::decode(text).unwrap());
    let mounted = mounter.mount(&insert(&key, value), &mut writer)?;
    assert_eq!(mounted.unknown_columns, 0, "{}", v["name"]);
    Ok((table, writer.finish()))
}

fn check_row(v: &Value, value: &[u8]) {
    let name = v["name"].as_str().unwrap();
    let cols = v["cols"].as_array().unwrap();
    let (table, batch) = mount_row(v, value).unwrap_or_else(|e| panic!("{name}: {e}"));
    let image = Batch::parse(&batch).unwrap().row(0).unwrap().after().unwrap();
    for (col, c) in cols.iter().enumerate() {
        let ty = &table.columns[col].ty;
        let (got, want) = (value_text(&image, col, ty), vector_text_of(c, ty));
        assert_eq!(
            got.map(|b| String::from_utf8_lossy(&b).into_owned()),
            want.map(|b| String::from_utf8_lossy(&b).into_owned()),
            "{name}, {}",
            c["sql_type"]
        );
    }
}

#[test]
fn rows_in_format_2() {
    for v in vectors("row_v2.json").unwrap_or_default() {
        let value = v["hex"].as_str().map_or_else(
            || {
                let prefix = bytes(&v["hex_prefix"]);
                let total = v["total_len"].as_u64().unwrap() as usize;
                let head = 6 + 2 * 4 + 2 * 4 + 1;
                let value = [&prefix[..head], &alphabet(total - head)].concat();
                assert_eq!(u64::from(crc32fast::hash(&value)), v["crc32_ieee"].as_u64().unwrap());
                value
            },
            |text| hex::decode(text).unwrap(),
        );
        check_row(&v, &value);
        if v["checksum"].is_number() {
            let mut wrong = value.clone();
            // Behind the header: the checksum itself, and the extra one if there is any.
            let sums = if v["extra_checksum"].is_number() { 8 } else { 4 };
            let at = wrong.len() - sums;
            wrong[at] ^= 1;
            if sums == 8 {
                wrong[at + 4] ^= 1;
            }
            let error = mount_row(&v, &wrong).unwrap_err();
            assert_eq!(error.code().0, 1404, "{error}");
        }
        let row = RowV2::parse(&value).unwrap();
        assert_eq!(row.find(9999), None);
    }
}

#[test]
fn rows_in_format_1() {
    for v in vectors("row_v1.json").unwrap_or_default() {
        check_row(&v, &bytes(&v["hex"]));
    }
}
