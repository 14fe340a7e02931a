//! The encodings against vectors of the reference and rows captured from a live cluster.

use serde_json::Value as Json;
use tg_model::TypeCode;
use tg_playground::encode::row::{Cell, RowWriter, find, read_payload};
use tg_playground::encode::{FieldType, Value, codec, decimal, key, time};

/// The vectors of a file; `None` (said aloud) when the folder is absent.
fn vectors(file: &str) -> Option<Vec<Json>> {
    let path = format!("{}/../../../shared/reference/vectors/{file}", env!("CARGO_MANIFEST_DIR"));
    match std::fs::read(&path) {
        Ok(bytes) => Some(serde_json::from_slice(&bytes).unwrap()),
        Err(_) => {
            eprintln!("no vectors at {path}: passed over");
            None
        }
    }
}

fn text<'a>(v: &'a Json, field: &str) -> &'a str {
    v[field].as_str().unwrap_or_default()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap()).collect()
}

fn field(ty: &Json) -> FieldType {
    FieldType {
        code: TypeCode::from_u8(ty["Tp"].as_u64().unwrap() as u8).unwrap(),
        flag: ty["Flag"].as_u64().unwrap() as u32,
        flen: ty["Flen"].as_i64().unwrap(),
        decimal: ty["Decimal"].as_i64().unwrap(),
        charset: text(ty, "Charset").to_owned(),
        collate: text(ty, "Collate").to_owned(),
        elems: ty["Elems"].as_array().into_iter().flatten().map(|e| e.as_str().unwrap().to_owned()).collect(),
    }
}

#[test]
fn keys_are_as_in_the_vectors() {
    for v in vectors("keys.json").unwrap_or_default() {
        let (input, name) = (&v["in"], text(&v, "name"));
        let table = input["table_id"].as_i64().unwrap_or_default();
        let number = || text(input, "value").parse::<i64>().unwrap();
        let got = match text(&v, "op") {
            "memcomparable_bytes" => codec::memcomparable(&unhex(text(input, "raw"))),
            "cmp_int64" => codec::cmp_i64(number()).to_vec(),
            "record_key" => key::record_key(table, text(input, "handle").parse().unwrap()).to_vec(),
            "record_key_common" => {
                let handle = text(input, "handle_hex");
                if handle.is_empty() {
                    continue;
                }
                key::record_key_common(table, &unhex(handle)).to_vec()
            }
            "table_span_start_raw" => key::record_start(table),
            "table_span_end_raw" => key::record_end(table),
            "table_span_start" => key::region_key(&key::record_start(table)).to_vec(),
            "table_span_end" => key::region_key(&key::record_end(table)).to_vec(),
            "meta_string_key" => key::meta_string(text(input, "key")).to_vec(),
            "meta_hash_prefix" => key::meta_hash_prefix(text(input, "key")),
            "meta_hash_key" => key::meta_hash(text(input, "key"), text(input, "field").as_bytes()).to_vec(),
            _ => continue,
        };
        assert_eq!(hex(&got), text(&v, "hex"), "{name}");
    }
}

#[test]
fn decimals_and_times_go_both_ways() {
    for v in vectors("decimal.json").unwrap_or_default() {
        let (precision, frac) = (v["precision"].as_u64().unwrap() as usize, v["frac"].as_u64().unwrap() as usize);
        let mut out = Vec::new();
        decimal::put_decimal(&mut out, text(&v, "string"), precision, frac).expect("fits");
        assert_eq!(hex(&out), text(&v, "hex"), "{}", text(&v, "name"));
        assert_eq!(decimal::decimal_text(&out).unwrap(), (text(&v, "string").to_owned(), out.len()));
    }
    for v in vectors("time.json").unwrap_or_default() {
        let got = match text(&v, "op") {
            "packed_u64" => time::pack(text(&v, "text")).unwrap().to_string(),
            _ => time::duration(text(&v, "text")).unwrap().to_string(),
        };
        let expected = if v["u64"].is_string() { text(&v, "u64") } else { text(&v, "i64") };
        assert_eq!(got, expected, "{}", text(&v, "name"));
    }
}

/// Every payload of the captured rows is what the text encodes to, and reads back to that text.
#[test]
fn captured_rows_go_both_ways() {
    let mut cells = 0;
    for table in vectors("captured_rows.json").unwrap_or_default() {
        let info: Json = match &table["table_info"] {
            Json::String(s) => serde_json::from_str(s).unwrap(),
            other => other.clone(),
        };
        for row in table["rows"].as_array().unwrap() {
            let bytes = unhex(text(row, "value_hex"));
            if bytes[0] != 128 {
                continue;
            }
            for (name, answer) in table["columns"].as_array().unwrap().iter().zip(row["text"].as_array().unwrap()) {
                let columns = info["cols"].as_array().unwrap();
                let Some(column) = columns.iter().find(|c| c["name"]["O"] == *name) else {
                    continue;
                };
                let ty = field(&column["type"]);
                let expected = match answer {
                    Json::Null => None,
                    Json::String(s) => Some(s.clone().into_bytes()),
                    other => Some(unhex(text(other, "hex"))),
                };
                let label = format!("{}.{name}: {expected:?}", text(&table, "name"));
                let Cell::Payload(payload) = find(&bytes, column["id"].as_i64().unwrap()).unwrap() else {
                    continue;
                };
                if ty.code == TypeCode::Json && read_payload(&ty, payload).is_none() {
                    continue; // opaque and time values inside JSON are not written here
                }
                let value = read_payload(&ty, payload).expect(&label);
                assert_eq!(value.text(&ty), expected, "{label}");
                let parsed = Value::parse(&ty, expected.as_deref().unwrap_or_default()).expect(&label);
                let mut out = Vec::new();
                parsed.put_payload(&ty, &mut out).expect(&label);
                assert_eq!(hex(&out), hex(payload), "{label}");
                cells += 1;
            }
        }
    }
    eprintln!("{cells} cells");
}

#[test]
fn whole_rows_are_as_in_the_vectors() {
    for v in vectors("row_v2.json").unwrap_or_default() {
        let columns = v["cols"].as_array().unwrap();
        let plain = columns.iter().all(|c| c["value"].is_string() || c["value"].is_null());
        if !plain
            || columns.iter().any(|c| !c["absent_in_row"].is_null())
            || v["hex"].is_null()
            || !v["checksum"].is_null()
        {
            continue;
        }
        let mut cells: Vec<_> = columns
            .iter()
            .map(|c| {
                let upper = serde_json::json!({"Tp": c["tp"], "Flag": c["flag"], "Flen": c["flen"], "Decimal": c["decimal"],
                    "Charset": c["charset"], "Collate": c["collate"], "Elems": c["elems"]});
                let ty = field(&upper);
                let value = match &c["value"] {
                    Json::String(s) => Value::parse(&ty, s.as_bytes()).unwrap(),
                    _ => Value::Null,
                };
                (c["id"].as_i64().unwrap(), ty, value)
            })
            .collect();
        cells.sort_by_key(|c| c.0);
        let row = RowWriter::default().encode(cells.iter().map(|(id, ty, v)| (*id, ty, v))).unwrap();
        assert_eq!(hex(&row), text(&v, "hex"), "{}", text(&v, "name"));
    }
}
