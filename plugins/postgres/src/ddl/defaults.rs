//! DEFAULT: for new columns, whose rows are not sent again, and for those who write here besides.

use crate::bad::exists;
use crate::config::{BitType, Config, ZeroDates};
use crate::ident::quoted;
use crate::pgtype::bit_length;
use tgr1::PackedTime;
use tidegate_sdk::{Column, LogicalType};

/// What a column has as DEFAULT.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Default {
    /// None.
    None,
    /// A literal.
    Literal(String),
    /// The time of the statement.
    Now,
    /// Something else that is computed; its text.
    Computed(String),
    /// A date that does not exist.
    NoSuchDate,
}

fn attr<'a>(column: &'a Column, name: &str) -> Option<&'a str> {
    column.attrs.iter().find(|(k, _)| k == name).map(|(_, v)| v.as_str())
}

/// The column's own.
pub(super) fn of(column: &Column, config: &Config) -> Default {
    let Some(value) = &column.default_value else { return Default::None };
    let text = String::from_utf8_lossy(value);
    let timed = matches!(column.logical, LogicalType::Datetime | LogicalType::Timestamp | LogicalType::Date);
    if timed && text.to_ascii_uppercase().starts_with("CURRENT_TIMESTAMP") {
        return Default::Now;
    }
    if attr(column, "default-is-expr") == Some("true") {
        return Default::Computed(text.into_owned());
    }
    literal(column, value, config)
}

/// What rows have that are there already when the column comes and it has no DEFAULT of its own.
pub(super) fn implicit(column: &Column, config: &Config) -> Default {
    if column.props.nullable {
        return Default::None;
    }
    let text = match column.logical {
        LogicalType::Int
        | LogicalType::Uint
        | LogicalType::Float32
        | LogicalType::Float64
        | LogicalType::Decimal
        | LogicalType::Year
        | LogicalType::Time => "0",
        LogicalType::Text | LogicalType::Bytes | LogicalType::Set => "",
        LogicalType::Enumeration => column.members.first().map_or("", String::as_str),
        LogicalType::Json => "null",
        LogicalType::Vector => return Default::Literal("'{}'".to_owned()),
        LogicalType::Bit => return Default::Literal(bits(&[0], column, config)),
        LogicalType::Date | LogicalType::Datetime | LogicalType::Timestamp => return Default::NoSuchDate,
    };
    literal(column, text.as_bytes(), config)
}

fn literal(column: &Column, value: &[u8], config: &Config) -> Default {
    let text = String::from_utf8_lossy(value);
    Default::Literal(match column.logical {
        LogicalType::Bytes => {
            let digits: String = value.iter().map(|b| format!("{b:02x}")).collect();
            format!("'\\x{digits}'")
        }
        LogicalType::Bit => bits(value, column, config),
        LogicalType::Date | LogicalType::Datetime | LogicalType::Timestamp if !is_date(&text) => {
            return Default::NoSuchDate;
        }
        LogicalType::Timestamp => quoted(&format!("{text}+00")),
        LogicalType::Vector => quoted(&text.replace('[', "{").replace(']', "}")),
        _ => quoted(&text),
    })
}

fn bits(value: &[u8], column: &Column, config: &Config) -> String {
    let number = value.iter().fold(0_u64, |n, b| n << 8 | u64::from(*b));
    match config.bit_type {
        BitType::Numeric => number.to_string(),
        BitType::Bit => format!("B'{number:0width$b}'", width = bit_length(column) as usize),
    }
}

fn is_date(text: &str) -> bool {
    let mut parts = text.split([' ', 'T']).next().unwrap_or_default().split('-').map(str::parse::<u16>);
    let (Some(Ok(y)), Some(Ok(m)), Some(Ok(d))) = (parts.next(), parts.next(), parts.next()) else { return false };
    let (Ok(m), Ok(d)) = (u8::try_from(m), u8::try_from(d)) else { return false };
    PackedTime::from_parts(y, m, d, 0, 0, 0, 0).is_some_and(exists)
}

/// Whether the column takes NULL here: where dates that do not exist become NULL, columns of dates have to.
pub(super) fn takes_null(column: &Column, config: &Config) -> bool {
    let dated = matches!(column.logical, LogicalType::Date | LogicalType::Datetime | LogicalType::Timestamp);
    let bent = dated && config.zero_dates == ZeroDates::Null && !column.props.row_key && !column.props.primary_key;
    column.props.nullable || bent
}

/// A clause for a column's definition; nothing for what is computed in the source's way.
pub(super) fn clause(column: &Column, config: &Config) -> String {
    match of(column, config) {
        Default::Literal(value) => format!(" DEFAULT {value}"),
        Default::Now => " DEFAULT CURRENT_TIMESTAMP".to_owned(),
        Default::None | Default::Computed(_) | Default::NoSuchDate => String::new(),
    }
}

/// A time of the source's clock, as a literal of the column's type.
pub(super) fn time_of(ts: u64) -> String {
    // The upper bits are milliseconds.
    let ms = ts >> 18;
    format!("(to_timestamp({}.{:03}) AT TIME ZONE 'UTC')", ms / 1000, ms % 1000)
}
