//! Values as the text TiDB prints. Everything appends to a byte buffer, so that statements and messages are built without
//! strings in between.

mod number;
mod time;

pub use number::{f32_text, f64_text, i64_text, u64_text, vector_text};
pub use time::{PackedTime, time_text};
