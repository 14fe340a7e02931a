//! Which type each column gets, and its values, looked at with the library's own reader.

use super::{file, one_row};
use bytes::Bytes;
use parquet::file::reader::FileReader;
use parquet::file::serialized_reader::SerializedFileReader;
use parquet::record::{Field, Row};
use parquet::schema::printer::print_schema;
use tg_format_fixtures::{all_types, columns, table};
use tg_format_parquet::Options;
use tgr1::{BatchWriter, PackedTime};
use tidegate_sdk::TableSchema;

const ALL: &str = "\
message schema {
  REQUIRED BYTE_ARRAY ticdc-meta$operation (STRING);
  REQUIRED BYTE_ARRAY ticdc-meta$table (STRING);
  REQUIRED BYTE_ARRAY ticdc-meta$schema (STRING);
  REQUIRED INT64 ticdc-meta$commit-ts;
  REQUIRED BOOLEAN ticdc-meta$is-update;
  REQUIRED INT64 id [1] (INTEGER(64,true));
  REQUIRED BYTE_ARRAY k [2] (STRING);
  OPTIONAL INT32 ti [3] (INTEGER(8,true));
  OPTIONAL INT32 tu [4] (INTEGER(8,false));
  OPTIONAL INT32 si [5] (INTEGER(16,true));
  OPTIONAL INT32 su [6] (INTEGER(16,false));
  OPTIONAL INT32 mi [7] (INTEGER(32,true));
  OPTIONAL INT32 mu [8] (INTEGER(32,false));
  OPTIONAL INT32 ii [9] (INTEGER(32,true));
  OPTIONAL INT32 iu [10] (INTEGER(32,false));
  OPTIONAL INT64 bu [11] (INTEGER(64,false));
  OPTIONAL FLOAT f [12];
  OPTIONAL DOUBLE d [13];
  OPTIONAL FIXED_LEN_BYTE_ARRAY (9) de [14] (DECIMAL(20,4));
  OPTIONAL INT64 bit1 [15] (INTEGER(64,false));
  OPTIONAL INT64 bit9 [16] (INTEGER(64,false));
  OPTIONAL INT32 y [17];
  OPTIONAL INT32 da [18] (DATE);
  OPTIONAL INT64 dt [19] (TIMESTAMP(MICROS,false));
  OPTIONAL INT64 dt6 [20] (TIMESTAMP(MICROS,false));
  OPTIONAL INT64 ts [21] (TIMESTAMP(MICROS,true));
  OPTIONAL INT64 ts3 [22] (TIMESTAMP(MICROS,true));
  OPTIONAL INT64 tm [23];
  OPTIONAL BYTE_ARRAY c [24] (STRING);
  OPTIONAL BYTE_ARRAY tx [25] (STRING);
  OPTIONAL BYTE_ARRAY bi [26];
  OPTIONAL BYTE_ARRAY vb [27];
  OPTIONAL BYTE_ARRAY bl [28];
  OPTIONAL BYTE_ARRAY e [29] (STRING);
  OPTIONAL BYTE_ARRAY st [30] (STRING);
  OPTIONAL BYTE_ARRAY j [31] (JSON);
  OPTIONAL BYTE_ARRAY ve [32] (STRING);
}
";

fn schema_of(content: Vec<u8>) -> String {
    let reader = SerializedFileReader::new(Bytes::from(content)).unwrap();
    let mut out = Vec::new();
    print_schema(&mut out, reader.metadata().file_metadata().schema());
    String::from_utf8(out).unwrap()
}

/// The only row there is.
fn row_of(content: Vec<u8>) -> Row {
    let reader = SerializedFileReader::new(Bytes::from(content)).unwrap();
    let mut rows = reader.get_row_iter(None).unwrap();
    let row = rows.next().unwrap().unwrap();
    assert!(rows.next().is_none());
    row
}

#[test]
fn every_type_has_its_column() {
    let schema = all_types();
    let options = Options { include_commit_ts: true, output_old_value: true, column_ids: true, ..Options::default() };
    let content = file(options, &schema, &tg_format_fixtures::rows(&schema, 3, 12)).unwrap();
    assert_eq!(schema_of(content), ALL);
    let plain = schema_of(file(Options::default(), &schema, &tg_format_fixtures::rows(&schema, 3, 1)).unwrap());
    assert!(!plain.contains("commit-ts") && !plain.contains("is-update") && !plain.contains('['), "{plain}");
}

fn decimals(lengths: &[(u32, u32)]) -> TableSchema {
    let one = columns().into_iter().find(|c| c.name == "de").unwrap();
    let column = |(digits, scale): &(u32, u32)| tidegate_sdk::Column {
        name: format!("d{digits}"),
        source_type: format!("decimal({digits},{scale})"),
        length: Some(*digits),
        decimals: Some(*scale),
        ..one.clone()
    };
    table("decimals", lengths.iter().map(column).collect())
}

#[test]
fn decimals_by_their_digits() {
    let schema = decimals(&[(1, 0), (9, 9), (10, 2), (18, 0), (19, 0), (38, 30), (39, 0), (65, 30)]);
    let texts = [
        "-9",
        "-0.999999999",
        "99999999.99",
        "-999999999999999999",
        "9999999999999999999",
        "-99999999.999999999999999999999999999999",
        "100000000000000000000000000000000000000",
        "-99999999999999999999999999999999999.999999999999999999999999999999",
    ];
    let batch = one_row(&schema, |out| {
        texts.iter().enumerate().for_each(|(col, text)| out.put_bytes(col, text.as_bytes()));
    });
    let content = file(Options::default(), &schema, &batch).unwrap();
    let printed = schema_of(content.clone());
    for line in [
        "INT32 d1 (DECIMAL(1,0))",
        "INT32 d9 (DECIMAL(9,9))",
        "INT64 d10 (DECIMAL(10,2))",
        "INT64 d18 (DECIMAL(18,0))",
        "FIXED_LEN_BYTE_ARRAY (9) d19 (DECIMAL(19,0))",
        "FIXED_LEN_BYTE_ARRAY (16) d38 (DECIMAL(38,30))",
        "BYTE_ARRAY d39 (STRING)",
        "BYTE_ARRAY d65 (STRING)",
    ] {
        assert!(printed.contains(line), "{line} is not in\n{printed}");
    }
    // The reader ends a number without fraction digits with a point.
    let shown = |field: Field| field.to_string().trim_matches('"').trim_end_matches('.').to_owned();
    let values: Vec<String> = row_of(content).into_columns().into_iter().skip(3).map(|(_, f)| shown(f)).collect();
    assert_eq!(values, texts);
}

#[test]
fn values_are_what_the_reader_says() {
    let schema = all_types();
    let put = |out: &mut BatchWriter| {
        let at = |name: &str| schema.columns.iter().position(|c| c.name == name).unwrap();
        let time = |y, mo, d, h, mi, s, us| PackedTime::from_parts(y, mo, d, h, mi, s, us).unwrap().0;
        out.put_i64(at("id"), i64::MIN);
        out.put_bytes(at("k"), "日".as_bytes());
        out.put_i64(at("ti"), -128);
        out.put_u64(at("tu"), 255);
        out.put_u64(at("su"), 65_535);
        out.put_u64(at("iu"), u32::MAX.into());
        out.put_u64(at("bu"), u64::MAX);
        out.put_f64(at("f"), f64::from(0.1_f32));
        out.put_u64(at("bit9"), 257);
        out.put_i64(at("y"), 1901);
        out.put_u64(at("da"), time(1, 1, 1, 0, 0, 0, 0));
        out.put_u64(at("dt6"), time(9999, 12, 31, 23, 59, 59, 999_999));
        out.put_u64(at("ts3"), time(1970, 1, 1, 0, 0, 1, 500_000));
        out.put_i64(at("tm"), -3_020_399_000_000);
        out.put_bytes(at("bi"), b"\0\xff");
        out.put_u64(at("e"), 2);
        out.put_u64(at("st"), 5);
        out.put_bytes(at("j"), b"{\"a\": 1}");
        out.put_bytes(at("ve"), &[1.5_f32, -2.0].map(f32::to_le_bytes).concat());
    };
    let content =
        file(Options { include_commit_ts: true, ..Options::default() }, &schema, &one_row(&schema, put)).unwrap();
    let row: Vec<(String, Field)> = row_of(content).into_columns();
    let of = |name: &str| row.iter().find(|(n, _)| n == name).unwrap().1.clone();
    let text = |text: &str| Field::Str(text.to_owned());
    for (name, want) in [
        ("ticdc-meta$operation", text("I")),
        ("ticdc-meta$table", text("all")),
        ("ticdc-meta$schema", text("shop")),
        ("ticdc-meta$commit-ts", Field::Long(7)),
        ("id", Field::Long(i64::MIN)),
        ("k", text("日")),
        ("ti", Field::Byte(-128)),
        ("tu", Field::UByte(255)),
        ("si", Field::Null),
        ("su", Field::UShort(65_535)),
        ("iu", Field::UInt(u32::MAX)),
        ("bu", Field::ULong(u64::MAX)),
        ("f", Field::Float(0.1)),
        ("d", Field::Null),
        ("bit9", Field::ULong(257)),
        ("y", Field::Int(1901)),
        ("da", Field::Date(-719_162)),
        ("dt6", Field::TimestampMicros(253_402_300_799_999_999)),
        ("ts3", Field::TimestampMicros(1_500_000)),
        ("tm", Field::Long(-3_020_399_000_000)),
        ("bi", Field::Bytes(vec![0, 255].into())),
        ("e", text("b,c")),
        ("st", text("x,z")),
        ("j", text("{\"a\": 1}")),
        ("ve", text("[1.5,-2]")),
    ] {
        assert_eq!(of(name), want, "{name}");
    }
}
