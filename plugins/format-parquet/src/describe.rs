//! What a file says about itself beside the format's own schema: the upstream's types, under the key `tidegate` of its footer.

use crate::FileError;
use parquet::file::metadata::KeyValue;
use serde::{Deserialize, Serialize};
use tg_format_common::{MysqlType, Table};

/// The footer's key.
const KEY: &str = "tidegate";
/// Layout that is written.
const VERSION: u32 = 1;

/// What stands under the key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Description {
    version: u32,
    /// The table's columns, in order.
    pub(crate) columns: Vec<Described>,
}

/// A column.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Described {
    pub(crate) name: String,
    /// The type as the table declares it.
    #[serde(rename = "type")]
    pub(crate) declared: String,
    /// Fraction digits.
    pub(crate) decimals: u8,
    /// Part of the key that identifies rows.
    pub(crate) key: bool,
}

impl Described {
    /// The type; `None`: one that nobody knows.
    pub(crate) fn ty(&self) -> Option<MysqlType> {
        MysqlType::parse(&self.declared)
    }
}

impl Description {
    pub(crate) fn new(table: &Table) -> Self {
        let column = |c: &tg_format_common::Column| Described {
            name: c.name.clone(),
            declared: table.schema.columns.get(c.position).map(|s| s.source_type.clone()).unwrap_or_default(),
            decimals: c.fsp,
            key: c.handle,
        };
        Self { version: VERSION, columns: table.columns.iter().map(column).collect() }
    }

    /// The footer's entry.
    pub(crate) fn entry(&self) -> KeyValue {
        KeyValue::new(KEY.to_owned(), serde_json::to_string(self).ok())
    }

    /// What a footer says.
    pub(crate) fn find(entries: Option<&Vec<KeyValue>>) -> Result<Self, FileError> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let entry = entries.into_iter().flatten().find(|e| e.key == KEY).and_then(|e| e.value.as_deref());
        let text = entry.ok_or(FileError::Foreign)?;
        let damaged = |e: serde_json::Error| FileError::Damaged(format!("its description: {e}"));
        let Versioned { version } = serde_json::from_str(text).map_err(damaged)?;
        if version != VERSION {
            return Err(FileError::Version(version));
        }
        serde_json::from_str(text).map_err(damaged)
    }
}

#[cfg(test)]
mod tests {
    use super::{Described, Description, KEY, KeyValue};
    use crate::FileError;

    fn read(text: &str) -> Result<Description, FileError> {
        Description::find(Some(&vec![KeyValue::new(KEY.to_owned(), text.to_owned())]))
    }

    #[test]
    fn version_1_is_read_and_written() {
        let v1 = r#"{"version":1,"columns":[{"name":"at","type":"datetime(3)","decimals":3,"key":true}]}"#;
        let column = Described { name: "at".to_owned(), declared: "datetime(3)".to_owned(), decimals: 3, key: true };
        let description = Description { version: 1, columns: vec![column] };
        assert_eq!(read(v1).unwrap(), description);
        assert_eq!(description.entry().value.as_deref(), Some(v1));
        assert_eq!(read(r#"{"version":2}"#), Err(FileError::Version(2)));
        assert!(matches!(read("{"), Err(FileError::Damaged(_))));
        assert_eq!(Description::find(None), Err(FileError::Foreign));
    }
}
