//! Schema files as tables again, for decoders that need to know the columns.

use crate::definition::{Column, Definition};
use tg_format_common::MysqlType;
use tidegate_sdk::{ColumnProps, Index, LogicalType, TableRef, TableSchema};

/// A schema file that does not say what it must.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LayoutError {
    /// The file is of a database.
    #[error("the schema file of {0} has no columns")]
    NoColumns(String),
    /// A type nobody knows.
    #[error("column {column} of {table} has an unknown type {ty}")]
    Type {
        /// Full name.
        table: String,
        /// Column.
        column: String,
        /// What the file says.
        ty: String,
    },
}

/// The table that a schema file describes. Its key is the primary key, if it has one.
///
/// # Errors
/// [`LayoutError`].
pub fn table_schema(definition: &Definition) -> Result<TableSchema, LayoutError> {
    let name = format!("{}.{}", definition.schema, definition.table);
    let columns = definition.columns.as_ref().ok_or_else(|| LayoutError::NoColumns(name.clone()))?;
    let columns = columns.iter().map(|c| column(&name, c)).collect::<Result<Vec<_>, _>>()?;
    let key: Vec<u32> = (0_u32..).zip(&columns).filter(|(_, c)| c.props.primary_key).map(|(i, _)| i).collect();
    let primary = Index { name: "PRIMARY".to_owned(), columns: key, unique: true, primary: true };
    let has_key = !primary.columns.is_empty();
    Ok(TableSchema {
        id: TableRef { table: 0, version: definition.table_version },
        database: definition.schema.clone(),
        name: definition.table.clone(),
        columns,
        indexes: if has_key { vec![primary] } else { Vec::new() },
        row_key: has_key.then_some(0),
        charset: String::new(),
        collation: String::new(),
        attrs: Vec::new(),
    })
}

fn column(table: &str, c: &Column) -> Result<tidegate_sdk::Column, LayoutError> {
    let unknown = || LayoutError::Type { table: table.to_owned(), column: c.name.clone(), ty: c.ty.clone() };
    let ty = MysqlType::parse(&c.ty).ok_or_else(unknown)?;
    let unsigned = c.ty.ends_with(" UNSIGNED") && !matches!(ty, MysqlType::Year | MysqlType::Bit);
    let primary = c.primary.as_deref() == Some("true");
    let number = |text: &Option<String>| text.as_deref().and_then(|t| t.parse().ok());
    let sign = if unsigned { " unsigned" } else { "" };
    Ok(tidegate_sdk::Column {
        id: c.id.as_deref().and_then(|id| id.parse().ok()).unwrap_or(0),
        name: c.name.clone(),
        logical: logical(ty, unsigned),
        source_type: format!("{}{sign}", ty.name()),
        props: ColumnProps {
            nullable: c.nullable.as_deref() != Some("false"),
            primary_key: primary,
            row_key: primary,
            unsigned,
            ..ColumnProps::default()
        },
        length: number(&c.precision),
        decimals: number(&c.scale),
        charset: String::new(),
        collation: String::new(),
        members: c.members.clone().unwrap_or_default(),
        default_value: None,
        attrs: Vec::new(),
    })
}

const fn logical(ty: MysqlType, unsigned: bool) -> LogicalType {
    use MysqlType as T;
    match ty {
        T::TinyInt | T::SmallInt | T::MediumInt | T::Int | T::BigInt if unsigned => LogicalType::Uint,
        T::TinyInt | T::SmallInt | T::MediumInt | T::Int | T::BigInt => LogicalType::Int,
        T::Float => LogicalType::Float32,
        T::Double => LogicalType::Float64,
        T::Decimal => LogicalType::Decimal,
        T::Bit => LogicalType::Bit,
        T::Year => LogicalType::Year,
        T::Date => LogicalType::Date,
        T::DateTime => LogicalType::Datetime,
        T::Timestamp => LogicalType::Timestamp,
        T::Time => LogicalType::Time,
        T::Char | T::VarChar | T::TinyText | T::Text | T::MediumText | T::LongText => LogicalType::Text,
        T::Binary | T::VarBinary | T::TinyBlob | T::Blob | T::MediumBlob | T::LongBlob | T::Null => LogicalType::Bytes,
        T::Enum => LogicalType::Enumeration,
        T::Set => LogicalType::Set,
        T::Json => LogicalType::Json,
        T::Vector => LogicalType::Vector,
    }
}

#[cfg(test)]
mod tests {
    use super::table_schema;
    use crate::Definition;

    const FILE: &str = r#"{"Table":"t","Schema":"d","Version":1,"TableVersion":5,"Query":"","Type":0,"TableColumns":[
        {"ColumnName":"id","ColumnType":"BIGINT UNSIGNED","ColumnPrecision":"20","ColumnNullable":"false","ColumnIsPk":"true"},
        {"ColumnName":"y","ColumnType":"YEAR UNSIGNED"},{"ColumnName":"e","ColumnType":"ENUM","ColumnElems":["a","b"]}],
        "TableColumnsTotal":3}"#;

    #[test]
    fn a_table_comes_back() {
        let table = table_schema(&Definition::parse(FILE.as_bytes()).unwrap()).unwrap();
        assert_eq!(table.row_key_columns(), [0]);
        let types: Vec<&str> = table.columns.iter().map(|c| c.source_type.as_str()).collect();
        assert_eq!(types, ["bigint unsigned", "year", "enum"]);
        assert_eq!(Definition::of_table(&table, false).checksum(), {
            let again = Definition::parse(FILE.as_bytes()).unwrap();
            let with_lengths = Definition {
                columns: again.columns.map(|mut all| {
                    all[1].precision = Some("4".to_owned());
                    all
                }),
                ..again
            };
            with_lengths.checksum()
        });
        let database = FILE.replace("\"TableColumns\":[", "\"TableColumns\":null,\"x\":[");
        assert!(table_schema(&Definition::parse(database.as_bytes()).unwrap()).is_err());
        let odd = FILE.replace("\"ENUM\"", "\"GEOMETRY\"");
        assert!(
            table_schema(&Definition::parse(odd.as_bytes()).unwrap()).unwrap_err().to_string().contains("GEOMETRY")
        );
    }
}
