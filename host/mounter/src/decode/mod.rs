//! Primitive encodings of TiDB and TiKV: pure functions from bytes to values.

mod datum;
mod decimal;
mod fault;
mod int;
mod json;
mod key;
mod row_v1;
mod row_v2;

pub use datum::{Datum, read_datum};
pub use decimal::decimal_text;
pub(crate) use decimal::encoded_len as decimal_len;
pub use fault::Fault;
pub(crate) use int::{be_u64, cmp_f64, le_i64, le_u64};
pub use json::json_text;
pub(crate) use key::skip_bytes;
pub use key::{Handle, RecordKey, decode_bytes, record_key};
pub use row_v1::RowV1;
pub use row_v2::RowV2;
