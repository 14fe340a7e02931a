//! What a column becomes in a file.

use crate::decimal::{self, DIGITS_MAX};
use parquet::basic::{LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::errors::Result;
use parquet::schema::types::{Type, TypePtr};
use std::sync::Arc;
use tg_format_common::{Column, MysqlType};
use tidegate_sdk::TableSchema;

/// Digits of a DECIMAL that four and eight bytes hold.
const DIGITS_32: u32 = 9;
const DIGITS_64: u32 = 18;
/// A DECIMAL that does not say its digits.
const DIGITS_DEFAULT: u32 = 10;

/// The digits of a DECIMAL.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Decimal {
    pub(crate) digits: u32,
    pub(crate) scale: u32,
}

/// How the values of a column are kept.
#[derive(Clone, Debug)]
pub(crate) struct Kind {
    pub(crate) physical: Physical,
    logical: Option<LogicalType>,
    /// Bytes of a fixed length.
    pub(crate) width: usize,
    /// Of a DECIMAL that is kept as a number.
    pub(crate) decimal: Option<Decimal>,
}

impl Kind {
    const fn plain(physical: Physical, logical: Option<LogicalType>) -> Self {
        Self { physical, logical, width: 0, decimal: None }
    }

    /// Text.
    pub(crate) const STRING: Self = Self::plain(Physical::BYTE_ARRAY, Some(LogicalType::String));
    /// A number with a sign, of eight bytes.
    pub(crate) const LONG: Self = Self::plain(Physical::INT64, None);
    /// Yes or no.
    pub(crate) const FLAG: Self = Self::plain(Physical::BOOLEAN, None);

    /// Of a table's column.
    pub(crate) fn of(column: &Column, schema: &TableSchema) -> Self {
        use MysqlType as T;
        let integer = |bits| Some(LogicalType::integer(bits, !column.unsigned));
        let stamp = |utc| Some(LogicalType::timestamp(utc, TimeUnit::MICROS));
        match column.ty {
            T::TinyInt => Self::plain(Physical::INT32, integer(8)),
            T::SmallInt => Self::plain(Physical::INT32, integer(16)),
            T::MediumInt | T::Int => Self::plain(Physical::INT32, integer(32)),
            T::BigInt => Self::plain(Physical::INT64, integer(64)),
            T::Year => Self::plain(Physical::INT32, None),
            T::Bit => Self::plain(Physical::INT64, Some(LogicalType::integer(64, false))),
            T::Float => Self::plain(Physical::FLOAT, None),
            T::Double => Self::plain(Physical::DOUBLE, None),
            T::Decimal => Self::decimal(column, schema),
            T::Date => Self::plain(Physical::INT32, Some(LogicalType::Date)),
            T::DateTime => Self::plain(Physical::INT64, stamp(false)),
            T::Timestamp => Self::plain(Physical::INT64, stamp(true)),
            // The format's own times of day end at midnight; these are durations, of either sign.
            T::Time => Self::LONG,
            T::Json => Self::plain(Physical::BYTE_ARRAY, Some(LogicalType::Json)),
            ty if ty.is_binary() => Self::plain(Physical::BYTE_ARRAY, None),
            _ => Self::STRING,
        }
    }

    fn decimal(column: &Column, schema: &TableSchema) -> Self {
        let declared = schema.columns.get(column.position);
        let digits = declared.and_then(|c| c.length).unwrap_or(DIGITS_DEFAULT).max(1);
        let scale = declared.and_then(|c| c.decimals).unwrap_or(0);
        if digits > DIGITS_MAX || scale > digits {
            return Self::STRING;
        }
        let logical = LogicalType::decimal(scale.cast_signed(), digits.cast_signed());
        let (physical, width) = if digits <= DIGITS_32 {
            (Physical::INT32, 0)
        } else if digits <= DIGITS_64 {
            (Physical::INT64, 0)
        } else {
            (Physical::FIXED_LEN_BYTE_ARRAY, decimal::width(digits))
        };
        Self { physical, logical: Some(logical), width, decimal: Some(Decimal { digits, scale }) }
    }

    /// The column as the file's schema has it.
    ///
    /// # Errors
    /// When the format has no such column.
    pub(crate) fn field(&self, name: &str, nullable: bool, id: Option<i32>) -> Result<TypePtr> {
        let repetition = if nullable { Repetition::OPTIONAL } else { Repetition::REQUIRED };
        let mut builder = Type::primitive_type_builder(name, self.physical)
            .with_logical_type(self.logical.clone())
            .with_repetition(repetition)
            .with_id(id);
        if self.width > 0 {
            builder = builder.with_length(i32::try_from(self.width).unwrap_or(i32::MAX));
        }
        if let Some(Decimal { digits, scale }) = self.decimal {
            builder = builder.with_precision(digits.cast_signed()).with_scale(scale.cast_signed());
        }
        builder.build().map(Arc::new)
    }
}
