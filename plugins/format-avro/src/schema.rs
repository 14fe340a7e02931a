//! A table's schemas as Avro writes them down.

use serde_json::{Map, Value, json};
use tg_format_common::{Column, MysqlType, Table};

/// `avro-decimal-handling-mode`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum DecimalMode {
    /// Bytes with the logical type `decimal`.
    #[default]
    Precise,
    /// Text.
    String,
}

/// `avro-bigint-unsigned-handling-mode`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum BigintUnsigned {
    /// A long with the same bits.
    #[default]
    Long,
    /// Text.
    String,
}

/// What decides about types.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Modes {
    pub(crate) decimal: DecimalMode,
    pub(crate) bigint: BigintUnsigned,
}

/// A name with everything that Avro does not allow replaced.
#[must_use]
pub fn sanitized(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        let allowed = c.is_ascii_alphanumeric() || c == '_';
        if out.is_empty() && c.is_ascii_digit() {
            out.push('_');
        }
        out.push(if allowed { c } else { '_' });
    }
    if out.is_empty() { "_".to_owned() } else { out }
}

/// The word TiDB's types have in schemas.
pub(crate) const fn tidb_type(column: &Column) -> &'static str {
    match column.ty {
        MysqlType::BigInt if column.unsigned => "BIGINT UNSIGNED",
        MysqlType::BigInt => "BIGINT",
        MysqlType::TinyInt | MysqlType::SmallInt | MysqlType::MediumInt | MysqlType::Int if column.unsigned => {
            "INT UNSIGNED"
        }
        MysqlType::TinyInt | MysqlType::SmallInt | MysqlType::MediumInt | MysqlType::Int => "INT",
        MysqlType::Float => "FLOAT",
        MysqlType::Double => "DOUBLE",
        MysqlType::Bit => "BIT",
        MysqlType::Decimal => "DECIMAL",
        MysqlType::Enum => "ENUM",
        MysqlType::Set => "SET",
        MysqlType::Json => "JSON",
        MysqlType::Date => "DATE",
        MysqlType::DateTime => "DATETIME",
        MysqlType::Timestamp => "TIMESTAMP",
        MysqlType::Time => "TIME",
        MysqlType::Year => "YEAR",
        MysqlType::Vector => "TiDBVectorFloat32",
        ty if ty.is_binary() => "BLOB",
        _ => "TEXT",
    }
}

/// The Avro type of a column's values.
pub(crate) const fn avro_type(column: &Column, modes: Modes) -> &'static str {
    match column.ty {
        MysqlType::Int if column.unsigned => "long",
        MysqlType::TinyInt | MysqlType::SmallInt | MysqlType::MediumInt | MysqlType::Int | MysqlType::Year => "int",
        MysqlType::BigInt if column.unsigned && matches!(modes.bigint, BigintUnsigned::String) => "string",
        MysqlType::BigInt => "long",
        MysqlType::Float => "float",
        MysqlType::Double => "double",
        MysqlType::Bit => "bytes",
        MysqlType::Decimal if matches!(modes.decimal, DecimalMode::Precise) => "bytes",
        ty if ty.is_binary() => "bytes",
        _ => "string",
    }
}

fn column_type(table: &Table, column: &Column, modes: Modes) -> Value {
    let mut parameters = json!({ "tidb_type": tidb_type(column) });
    let schema = table.schema.columns.get(column.position);
    let length = schema.and_then(|c| c.length);
    match column.ty {
        MysqlType::Bit => parameters["length"] = json!(length.unwrap_or(1).to_string()),
        MysqlType::Enum | MysqlType::Set => {
            // A comma within a member is escaped.
            let members: Vec<String> = column.members.iter().map(|m| m.replace(',', "\\,")).collect();
            parameters["allowed"] = json!(members.join(","));
        }
        _ => {}
    }
    let mut ty = json!({ "connect.parameters": parameters, "type": avro_type(column, modes) });
    if column.ty == MysqlType::Decimal && modes.decimal == DecimalMode::Precise {
        ty["logicalType"] = json!("decimal");
        ty["precision"] = json!(length.unwrap_or(10));
        ty["scale"] = json!(scale(table, column));
    }
    ty
}

/// Fraction digits of a DECIMAL.
pub(crate) fn scale(table: &Table, column: &Column) -> usize {
    table.schema.columns.get(column.position).and_then(|c| c.decimals).unwrap_or(0) as usize
}

/// A column's default as the schema gives it; `None`: there is none, or not in this type.
fn default(table: &Table, column: &Column, modes: Modes) -> Option<Value> {
    let schema = table.schema.columns.get(column.position)?;
    if schema.attrs.iter().any(|(name, value)| name == "default-is-expr" && value == "true") {
        return None;
    }
    let text = std::str::from_utf8(schema.default_value.as_deref()?).ok()?;
    match avro_type(column, modes) {
        "int" => text.parse::<i32>().ok().map(|n| json!(n)),
        "long" => {
            let number = text.parse::<i64>().ok().or_else(|| text.parse::<u64>().ok().map(u64::cast_signed));
            number.map(|n| json!(n))
        }
        "float" | "double" => text.parse::<f64>().ok().map(|n| json!(n)),
        "string" => Some(json!(text)),
        _ => None,
    }
}

/// Whether null comes second in a nullable column's union: it does when the column has a default, which is of the first type.
pub(crate) fn null_is_second(table: &Table, column: &Column, modes: Modes) -> bool {
    column.nullable && default(table, column, modes).is_some()
}

fn field(table: &Table, column: &Column, modes: Modes) -> Value {
    let ty = column_type(table, column, modes);
    let default = default(table, column, modes);
    let mut field = Map::new();
    field.insert("name".to_owned(), json!(sanitized(&column.name)));
    match (column.nullable, default) {
        (true, Some(default)) => {
            field.insert("type".to_owned(), json!([ty, "null"]));
            field.insert("default".to_owned(), default);
        }
        (true, None) => {
            field.insert("type".to_owned(), json!(["null", ty]));
            field.insert("default".to_owned(), Value::Null);
        }
        (false, default) => {
            field.insert("type".to_owned(), ty);
            field.extend(default.map(|default| ("default".to_owned(), default)));
        }
    }
    Value::Object(field)
}

/// Which fields follow the columns.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Extras {
    pub(crate) extension: bool,
    pub(crate) before: bool,
}

/// The text of a table's schema of keys or of values. Members are sorted, so that the same schema has the same text.
pub(crate) fn text(table: &Table, columns: &[&Column], namespace: &str, modes: Modes, extras: Extras) -> String {
    let name = sanitized(&table.schema.name);
    let mut fields: Vec<Value> = columns.iter().map(|c| field(table, c, modes)).collect();
    let plain = fields.clone();
    let plainly = |name: &str, ty: &str| json!({ "name": name, "type": ty });
    if extras.extension || extras.before {
        fields.push(plainly("_tidb_op", "string"));
    }
    if extras.extension {
        fields.push(plainly("_tidb_commit_ts", "long"));
        fields.push(plainly("_tidb_commit_physical_time", "long"));
    }
    if extras.before {
        let record = json!({ "name": format!("{name}_before"), "type": "record", "fields": plain });
        fields.push(json!({ "name": "_ticdc_before", "type": ["null", record], "default": null }));
    }
    json!({ "name": name, "namespace": namespace, "type": "record", "fields": fields }).to_string()
}
