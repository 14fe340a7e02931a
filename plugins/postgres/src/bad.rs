//! Values that PostgreSQL cannot hold.

use crate::config::ZeroDates;
use crate::literal::Literal;
use crate::table::{ImageColumn, Table};
use tg_sql_common::KeyMode;
use tgr1::{FormatError, Image, Op, PackedTime, Row};

/// Why a row cannot be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bad {
    /// Text with a NUL.
    Nul,
    /// Text that is no UTF-8.
    NotUtf8,
    /// JSON with the escape of a NUL.
    JsonNul,
    /// A date with a zero part, or of a day that is in no calendar.
    Date,
    /// A number that is no member of its ENUM or SET.
    Member,
}

impl Bad {
    /// Stable name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Nul => "nul-in-text",
            Self::NotUtf8 => "not-utf8",
            Self::JsonNul => "nul-in-json",
            Self::Date => "no-such-date",
            Self::Member => "no-such-member",
        }
    }

    /// What is the matter, for people.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Nul => "holds a NUL character, which no text of PostgreSQL can",
            Self::NotUtf8 => "holds bytes that are no UTF-8",
            Self::JsonNul => "holds \\u0000, which jsonb cannot",
            Self::Date => "holds a date that does not exist; `zero-dates = 'null'` writes NULL in its place",
            Self::Member => "holds a number without a member",
        }
    }
}

/// What is wrong with a row, and in which of its columns; `None`: it can be written.
///
/// # Errors
/// When it lacks an image that its kind of change demands.
pub(crate) fn faulty(table: &Table, row: &Row<'_>) -> Result<Option<(usize, Bad)>, FormatError> {
    let images = used(table, row)?;
    let mut values = images.iter().flat_map(|(image, columns)| columns.iter().map(move |c| (image, c)));
    Ok(values.find_map(|(image, c)| check(image, c, table.zero_dates).map(|why| (c.at, why))))
}

/// The images that statements are made of, with the columns used of each.
fn used<'a, 'b>(table: &'b Table, row: &Row<'a>) -> Result<Vec<(Image<'a>, &'b [ImageColumn])>, FormatError> {
    let whole = table.columns.as_slice();
    let of_before = if table.mode == KeyMode::Keyless { whole } else { &table.key.columns };
    match (row.op(), row.before(), row.after()) {
        (Op::Insert, _, Some(after)) => Ok(vec![(after, whole)]),
        (Op::Update, Some(before), Some(after)) => Ok(vec![(before, of_before), (after, whole)]),
        (Op::Delete, Some(before), _) => Ok(vec![(before, of_before)]),
        _ => Err(FormatError::Bounds("image")),
    }
}

/// What is wrong with the value of a column.
fn check(image: &Image<'_>, column: &ImageColumn, zero_dates: ZeroDates) -> Option<Bad> {
    let raw = image.u64(column.at)?;
    match &column.literal {
        Literal::Text => text(image.bytes(column.at)?),
        Literal::Json => {
            let bytes = image.bytes(column.at)?;
            text(bytes).or_else(|| has_escaped_nul(bytes).then_some(Bad::JsonNul))
        }
        Literal::Date | Literal::Datetime | Literal::Timestamp => {
            // A key cannot be NULL.
            let bent = zero_dates == ZeroDates::Null && !column.in_key;
            (!bent && !exists(PackedTime(raw))).then_some(Bad::Date)
        }
        Literal::Member(members) => (raw as usize > members.len()).then_some(Bad::Member),
        Literal::Members(members) => (members.len() < 64 && raw >> members.len() != 0).then_some(Bad::Member),
        _ => None,
    }
}

fn text(bytes: &[u8]) -> Option<Bad> {
    if bytes.contains(&0) {
        return Some(Bad::Nul);
    }
    std::str::from_utf8(bytes).is_err().then_some(Bad::NotUtf8)
}

/// Whether `\u0000` stands in it with a backslash that escapes.
fn has_escaped_nul(json: &[u8]) -> bool {
    let mut rest = json;
    while let Some(at) = rest.iter().position(|b| *b == b'\\') {
        let escape = rest.get(at..).unwrap_or_default();
        if escape.starts_with(b"\\u0000") {
            return true;
        }
        // What is escaped is passed over, another backslash too.
        rest = escape.get(2..).unwrap_or_default();
    }
    false
}

/// Whether the day is in the calendar. Years from 1 on are: PostgreSQL has no year 0.
pub(crate) const fn exists(time: PackedTime) -> bool {
    let (year, month, day) = (time.year(), time.month(), time.day());
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    };
    year > 0 && day > 0 && day <= days
}

#[cfg(test)]
mod tests {
    use super::{exists, has_escaped_nul};
    use tgr1::PackedTime;

    #[test]
    fn days_of_the_calendar() {
        for (y, m, d, there) in [
            (2024, 2, 29, true),
            (2023, 2, 29, false),
            (1900, 2, 29, false),
            (2000, 2, 29, true),
            (9999, 12, 31, true),
            (1, 1, 1, true),
            (0, 1, 1, false),
            (0, 0, 0, false),
            (2024, 0, 1, false),
            (2024, 1, 0, false),
            (2024, 4, 31, false),
        ] {
            assert_eq!(exists(PackedTime::from_parts(y, m, d, 0, 0, 0, 0).unwrap()), there, "{y}-{m}-{d}");
        }
    }

    #[test]
    fn only_an_escape_that_is_one_counts() {
        assert!(has_escaped_nul(br#""a\u0000""#) && has_escaped_nul(br#""\\\u0000""#));
        assert!(!has_escaped_nul(br#""\\u0000""#) && !has_escaped_nul(br#""\u0001 u0000""#) && !has_escaped_nul(b"\\"));
    }
}
