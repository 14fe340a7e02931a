//! TiDB's encodings of keys, rows, values and meta data, as the wire carries them.

pub mod codec;
pub mod decimal;
pub mod field;
pub mod json;
pub mod json_read;
pub mod key;
pub mod row;
pub mod time;
mod value;

pub use field::FieldType;
pub use value::Value;
