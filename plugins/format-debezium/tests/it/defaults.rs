//! Columns with defaults: what schemas say of them, and what stands for NULL.

use std::sync::Arc;
use tg_format_common::{Encoder, Messages};
use tg_format_debezium::{Debezium, Options};
use tg_format_fixtures::{columns, table};
use tgr1::{Batch, BatchWriter, ColumnSpec, ImageKind, Logical, Op};

#[test]
fn null_is_written_as_the_default() {
    let defaults = [
        ("ii", "7", "7"),
        ("bu", "18446744073709551615", "-1"),
        ("d", "1.5", "1.5"),
        ("de", "-2.5000", "-2.5"),
        ("dt", "2020-01-01 00:00:00", "1577836800000"),
        ("tm", "00:00:01.5", "1500000"),
        ("tx", "a\"b", r#""a\"b""#),
        ("vb", "\u{1}", r#""AQ==""#),
        ("e", "含", r#""含""#),
        ("y", "2024", "2024"),
    ];
    let mut columns = columns();
    columns.retain(|c| c.props.primary_key || defaults.iter().any(|(name, ..)| *name == c.name));
    for column in &mut columns {
        let default = defaults.iter().find(|(name, ..)| *name == column.name);
        column.default_value = default.map(|(_, text, _)| text.as_bytes().to_vec());
    }
    let schema = Arc::new(table("defaults", columns));
    let spec =
        |(i, c): (usize, &tidegate_sdk::Column)| ColumnSpec::new(i as u16, Logical::from_u8(c.logical as u8).unwrap());
    let specs: Vec<ColumnSpec> = schema.columns.iter().enumerate().map(spec).collect();
    let mut rows = BatchWriter::new(schema.id.table, schema.id.version, &specs, 0);
    rows.begin_row(9, 8, Op::Insert, 0);
    rows.begin_image(ImageKind::After);
    rows.put_i64(0, 1);
    rows.put_bytes(1, b"k");
    rows.end_row().unwrap();
    let data = rows.finish();
    let mut encoder = Debezium::new(Options::default());
    encoder.table(Arc::clone(&schema), None).unwrap();
    let mut out = Messages::new();
    encoder.row(schema.id, &Batch::parse(&data).unwrap().row(0).unwrap(), 1, &mut out).unwrap();
    let text = String::from_utf8(out.get(0).unwrap().value.unwrap().to_vec()).unwrap();
    for (name, _, json) in defaults {
        assert!(text.contains(&format!("\"{name}\":{json}")), "{name}: {text}");
        assert!(text.contains(&format!("\"field\":\"{name}\",\"default\":{json}}}")), "{name}: {text}");
    }
}
