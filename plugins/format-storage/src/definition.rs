//! Schema files: a table's columns, or a statement of a database, at `…/meta/schema_<version>_<checksum>.json`.

use crate::names::{from_segment, to_segment};
use serde::{Deserialize, Serialize};
use tg_format_common::{MysqlType, action_code, ddl_names, ddl_table};
use tidegate_sdk::{DdlEvent, TableSchema};

/// Layout of the file that is written.
const VERSION: u32 = 1;
/// What one step of nesting is indented by.
const INDENT: &[u8] = b"    ";

/// What a schema file holds. Names and order are TiCDC's.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Definition {
    /// Table; empty: the file is of a database.
    pub table: String,
    /// Schema (database).
    pub schema: String,
    /// Layout of the file.
    pub version: u32,
    /// Commit timestamp from which on the table is so.
    pub table_version: u64,
    /// The statement that made it so; empty: it was so at the start.
    pub query: String,
    /// TiDB's number of the statement's kind; 0: none.
    #[serde(rename = "Type")]
    pub kind: u8,
    /// Columns in order; `None` for a database.
    #[serde(rename = "TableColumns")]
    pub columns: Option<Vec<Column>>,
    /// How many.
    #[serde(rename = "TableColumnsTotal")]
    pub total: usize,
}

/// A column of a schema file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Column {
    /// Id, with `output-column-id`.
    #[serde(rename = "ColumnId", skip_serializing_if = "Option::is_none", default)]
    pub id: Option<String>,
    /// Name.
    #[serde(rename = "ColumnName")]
    pub name: String,
    /// Type in capitals, with ` UNSIGNED`.
    #[serde(rename = "ColumnType")]
    pub ty: String,
    /// DEFAULT.
    #[serde(rename = "ColumnDefault", skip_serializing_if = "Option::is_none", default)]
    pub default: Option<serde_json::Value>,
    /// Display length or digits.
    #[serde(rename = "ColumnPrecision", skip_serializing_if = "Option::is_none", default)]
    pub precision: Option<String>,
    /// Fraction digits.
    #[serde(rename = "ColumnScale", skip_serializing_if = "Option::is_none", default)]
    pub scale: Option<String>,
    /// `false`, or absent.
    #[serde(rename = "ColumnNullable", skip_serializing_if = "Option::is_none", default)]
    pub nullable: Option<String>,
    /// `true`, or absent.
    #[serde(rename = "ColumnIsPk", skip_serializing_if = "Option::is_none", default)]
    pub primary: Option<String>,
    /// Members of ENUM and SET.
    #[serde(rename = "ColumnElems", skip_serializing_if = "Option::is_none", default)]
    pub members: Option<Vec<String>>,
}

/// What of a definition makes its checksum: no statement, no version, columns by name.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Summed<'a> {
    table: &'a str,
    schema: &'a str,
    version: u32,
    table_columns: Vec<&'a Column>,
    table_columns_total: usize,
}

impl Definition {
    /// A table as it is.
    #[must_use]
    pub fn of_table(schema: &TableSchema, column_ids: bool) -> Self {
        let columns: Vec<Column> = schema.columns.iter().map(|c| Column::new(c, column_ids)).collect();
        Self {
            table: schema.name.clone(),
            schema: schema.database.clone(),
            version: VERSION,
            table_version: schema.id.version,
            query: String::new(),
            kind: 0,
            total: columns.len(),
            columns: Some(columns),
        }
    }

    /// What a DDL leaves: the table afterwards, the table that is gone, or a database.
    #[must_use]
    pub fn of_ddl(ddl: &DdlEvent, column_ids: bool) -> Self {
        let (database, table) = ddl_names(ddl);
        let columns = ddl_table(ddl).filter(|_| !table.is_empty());
        let columns = columns.map(|t| t.columns.iter().map(|c| Column::new(c, column_ids)).collect::<Vec<_>>());
        Self {
            table: table.to_owned(),
            schema: database.to_owned(),
            version: VERSION,
            table_version: ddl.at.ts,
            query: ddl.query.clone(),
            kind: action_code(ddl),
            total: columns.as_ref().map_or(0, Vec::len),
            columns,
        }
    }

    /// The text of the file.
    #[must_use]
    pub fn text(&self) -> String {
        indented(self)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// When it is no schema file; the text says why.
    pub fn parse(content: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(content).map_err(|e| e.to_string())
    }

    /// Names the columns, whatever the statement.
    #[must_use]
    pub fn checksum(&self) -> u32 {
        let mut columns: Vec<&Column> = self.columns.iter().flatten().collect();
        columns.sort_by(|a, b| a.name.cmp(&b.name));
        let summed = Summed {
            table: &self.table,
            schema: &self.schema,
            version: 0,
            table_columns: columns,
            table_columns_total: self.total,
        };
        crc32fast::hash(indented(&summed).as_bytes())
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> SchemaPath {
        SchemaPath {
            database: self.schema.clone(),
            table: Some(self.table.clone()).filter(|t| !t.is_empty()),
            version: self.table_version,
            checksum: self.checksum(),
        }
    }
}

impl Column {
    fn new(c: &tidegate_sdk::Column, with_id: bool) -> Self {
        let ty = MysqlType::parse(&c.source_type);
        let mut name = ty.map_or_else(|| "UNSPECIFIED".to_owned(), |t| t.name().to_ascii_uppercase());
        if c.props.unsigned || matches!(ty, Some(MysqlType::Year | MysqlType::Bit)) {
            name.push_str(" UNSIGNED");
        }
        let (precision, scale) = ty.map_or((None, None), |ty| lengths(ty, c));
        let default = c.default_value.as_ref().and_then(|v| String::from_utf8(v.clone()).ok());
        Self {
            id: with_id.then(|| c.id.to_string()),
            name: c.name.clone(),
            ty: name,
            default: default.map(serde_json::Value::String),
            precision: precision.map(|n| n.to_string()),
            scale: scale.map(|n| n.to_string()),
            nullable: (!c.props.nullable).then(|| "false".to_owned()),
            primary: c.props.primary_key.then(|| "true".to_owned()),
            members: (!c.members.is_empty()).then(|| c.members.clone()),
        }
    }
}

/// Length and fraction digits as the file shows them.
fn lengths(ty: MysqlType, c: &tidegate_sdk::Column) -> (Option<u64>, Option<u64>) {
    use MysqlType as T;
    let (length, decimals) = (c.length.map(u64::from), c.decimals.map(u64::from));
    let unsigned = c.props.unsigned;
    let usual = |signed: u64, without: u64| length.or(Some(if unsigned { without } else { signed }));
    let fraction = decimals.filter(|n| *n > 0);
    match ty {
        T::TinyInt => (usual(4, 3), None),
        T::SmallInt => (usual(6, 5), None),
        T::MediumInt => (usual(9, 8), None),
        T::Int => (usual(11, 10), None),
        T::BigInt => (usual(20, 20), None),
        T::Bit => (length.or(Some(1)), None),
        T::Year => (length.or(Some(4)), None),
        T::Float => (length.or(Some(12)), fraction),
        T::Double => (length.or(Some(22)), fraction),
        T::Decimal => (length.or(Some(10)), decimals.or(Some(0))),
        T::DateTime | T::Timestamp | T::Time => (None, fraction),
        T::Char | T::Binary => (length.or(Some(1)), None),
        T::VarChar | T::VarBinary => (length, None),
        T::TinyText | T::TinyBlob => (length.or(Some(255)), None),
        T::Text | T::Blob => (length.or(Some(65_535)), None),
        T::MediumText | T::MediumBlob => (length.or(Some(16_777_215)), None),
        T::LongText | T::LongBlob => (length.or(Some(4_294_967_295)), None),
        T::Date | T::Enum | T::Set | T::Json | T::Vector | T::Null => (None, None),
    }
}

/// JSON as Go's encoder indents it, with the letters that are dangerous in HTML escaped.
fn indented<T: Serialize>(value: &T) -> String {
    let mut out = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(INDENT);
    let mut writer = serde_json::Serializer::with_formatter(&mut out, formatter);
    // Writing plain structures into memory cannot fail.
    let _ = value.serialize(&mut writer);
    let text = String::from_utf8(out).unwrap_or_default();
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => escaped.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => escaped.push(c),
        }
    }
    escaped
}

/// The path of a schema file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct SchemaPath {
    /// Schema (database).
    pub database: String,
    /// Table; `None`: the file is of the database.
    pub table: Option<String>,
    /// Version of the table.
    pub version: u64,
    /// Checksum of its columns.
    pub checksum: u32,
}

impl SchemaPath {
    /// The folder of a table's schema files, with a slash at the end; without a table: of the database's.
    #[must_use]
    pub fn folder(database: &str, table: Option<&str>) -> String {
        let table = table.map_or_else(String::new, |t| format!("{}/", to_segment(t)));
        format!("{}/{table}meta/", to_segment(database))
    }

    /// The path.
    #[must_use]
    pub fn text(&self) -> String {
        let folder = Self::folder(&self.database, self.table.as_deref());
        format!("{folder}schema_{}_{:010}.json", self.version, self.checksum)
    }

    /// Takes a path apart; `None`: it is something else.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        let parts: Vec<&str> = path.split('/').collect();
        let (database, table, name) = match parts[..] {
            [database, "meta", name] => (database, None, name),
            [database, table, "meta", name] => (database, Some(table), name),
            _ => return None,
        };
        let (version, checksum) = name.strip_prefix("schema_")?.strip_suffix(".json")?.split_once('_')?;
        let checksum = if checksum.len() == 10 { checksum.parse().ok()? } else { return None };
        Some(Self {
            database: from_segment(database),
            table: table.map(from_segment),
            version: version.parse().ok()?,
            checksum,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Column, Definition, SchemaPath};

    fn column(name: &str, ty: &str, precision: &str, nullable: bool) -> Column {
        Column {
            id: None,
            name: name.to_owned(),
            ty: ty.to_owned(),
            default: None,
            precision: Some(precision.to_owned()),
            scale: None,
            nullable: (!nullable).then(|| "false".to_owned()),
            primary: None,
            members: None,
        }
    }

    /// `CREATE TABLE uk (a INT NOT NULL, b VARCHAR(10) NOT NULL, c INT, UNIQUE(a, b))`.
    fn uk() -> Definition {
        let columns =
            vec![column("a", "INT", "11", false), column("b", "VARCHAR", "10", false), column("c", "INT", "11", true)];
        Definition {
            table: "uk".to_owned(),
            schema: "types".to_owned(),
            version: 1,
            table_version: 470_608_909_760_725_004,
            query: "CREATE TABLE uk".to_owned(),
            kind: 3,
            total: 3,
            columns: Some(columns),
        }
    }

    #[test]
    fn the_checksum_is_ticdcs_and_looks_at_the_columns_only() {
        assert_eq!(uk().path().text(), "types/uk/meta/schema_470608909760725004_0312961403.json");
        let mut other = Definition { query: "x".to_owned(), kind: 5, table_version: 1, ..uk() };
        other.columns.as_mut().unwrap().reverse();
        assert_eq!(other.checksum(), uk().checksum());
        other.columns.as_mut().unwrap()[0].precision = Some("12".to_owned());
        assert_ne!(other.checksum(), uk().checksum());
    }

    #[test]
    fn a_file_is_read_as_it_was_written() {
        let text = uk().text();
        assert!(
            text.starts_with("{\n    \"Table\": \"uk\",\n    \"Schema\": \"types\",\n    \"Version\": 1,\n"),
            "{text}"
        );
        assert!(text.contains("        {\n            \"ColumnName\": \"a\",\n"), "{text}");
        assert_eq!(Definition::parse(text.as_bytes()).unwrap(), uk());
        assert!(Definition::parse(b"{}").is_err());
    }

    #[test]
    fn a_database_has_no_columns() {
        let database = Definition {
            table: String::new(),
            schema: "ddl".to_owned(),
            version: 1,
            table_version: 470_608_911_032_123_411,
            query: "CREATE DATABASE `ddl`".to_owned(),
            kind: 1,
            columns: None,
            total: 0,
        };
        assert_eq!(database.path().text(), "ddl/meta/schema_470608911032123411_2539045025.json");
        assert!(database.text().contains("\"TableColumns\": null"));
    }

    #[test]
    fn paths_are_taken_apart() {
        for table in [None, Some("a/b".to_owned())] {
            let path = SchemaPath { database: "d".to_owned(), table, version: 5, checksum: 42 };
            assert_eq!(SchemaPath::parse(&path.text()), Some(path));
        }
        for other in ["d/meta/schema_1_2.json", "d/t/1/CDC1.json", "metadata", "d/t/meta/schema_1_0000000001.txt"] {
            assert_eq!(SchemaPath::parse(other), None, "{other}");
        }
    }

    #[test]
    fn html_is_escaped_as_go_does() {
        let column = column("a<b>&", "INT", "11", true);
        assert!(super::indented(&column).contains("a\\u003cb\\u003e\\u0026"));
    }
}
