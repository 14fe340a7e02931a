//! Two sets of rows side by side.

use tg_model::TypeCode;
use tg_playground::{Handle, TableDef, TextRow};

/// What came out for one table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct TableResult {
    /// `schema.table`.
    pub(super) name: String,
    /// Rows upstream.
    pub(super) upstream: u64,
    /// Rows downstream.
    pub(super) downstream: u64,
    /// The verdict.
    pub(super) verdict: Verdict,
}

/// Whether a table is the same on both sides.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    /// Every row and every column.
    Same,
    /// The rows differ.
    Rows(Difference),
    /// The columns differ: upstream's, downstream's.
    Columns(String, String),
    /// There is no such table downstream.
    Absent,
    /// There is no such table upstream.
    Unexpected,
}

/// How rows differ.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Difference {
    /// Rows only upstream.
    pub(super) missing: u64,
    /// Rows only downstream.
    pub(super) extra: u64,
    /// Rows on both sides with different values.
    pub(super) changed: u64,
    /// The first of them, for a person.
    pub(super) example: String,
}

/// Positions of the columns that name a row; all of them for a table without primary key.
pub(super) fn key_columns(table: &TableDef) -> Vec<usize> {
    match &table.handle {
        Handle::Int(at) => vec![*at],
        Handle::Common(at) => at.clone(),
        Handle::RowId => {
            let primary = table.indexes.iter().find(|i| i.primary);
            let columns = primary.into_iter().flat_map(|i| &i.columns);
            let at: Vec<_> = columns.filter_map(|c| table.position(c).ok()).collect();
            if at.is_empty() { (0..table.columns.len()).collect() } else { at }
        }
    }
}

/// Brings values into one form where two servers may print the same value differently: floats by value, JSON by
/// structure.
pub(super) fn normalise(table: &TableDef, rows: &mut [TextRow]) {
    for (at, column) in table.columns.iter().enumerate() {
        let canonical: fn(&str) -> Option<String> = match column.ty.code {
            TypeCode::Float => |text| text.parse::<f32>().ok().map(|v| format!("{v:?}")),
            TypeCode::Double => |text| text.parse::<f64>().ok().map(|v| format!("{v:?}")),
            TypeCode::Json => |text| serde_json::from_str::<serde_json::Value>(text).ok().map(|v| v.to_string()),
            _ => continue,
        };
        for cell in rows.iter_mut().filter_map(|row| row.get_mut(at)?.as_mut()) {
            if let Some(text) = std::str::from_utf8(cell).ok().and_then(canonical) {
                *cell = text.into_bytes();
            }
        }
    }
}

/// Compares all rows, found by their `key` columns; `None` when they are the same.
pub(super) fn compare(mut upstream: Vec<TextRow>, mut downstream: Vec<TextRow>, key: &[usize]) -> Option<Difference> {
    let key_of =
        |row: &TextRow| -> Vec<Option<Vec<u8>>> { key.iter().map(|k| row.get(*k).cloned().flatten()).collect() };
    for rows in [&mut upstream, &mut downstream] {
        rows.sort_by(|a, b| key.iter().map(|k| a.get(*k)).cmp(key.iter().map(|k| b.get(*k))).then_with(|| a.cmp(b)));
    }
    let mut difference = Difference::default();
    let (mut left, mut right) = (upstream.iter().peekable(), downstream.iter().peekable());
    loop {
        let side = match (left.peek(), right.peek()) {
            (None, None) => break,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(l), Some(r)) if l == r => {
                left.next();
                right.next();
                continue;
            }
            (Some(l), Some(r)) => key_of(l).cmp(&key_of(r)),
        };
        let (l, r) = (if side.is_le() { left.next() } else { None }, if side.is_ge() { right.next() } else { None });
        difference.note(l, r);
    }
    (difference != Difference::default()).then_some(difference)
}

impl Difference {
    fn note(&mut self, upstream: Option<&TextRow>, downstream: Option<&TextRow>) {
        match (upstream, downstream) {
            (Some(_), Some(_)) => self.changed += 1,
            (Some(_), None) => self.missing += 1,
            _ => self.extra += 1,
        }
        if self.example.is_empty() {
            let show = |row: Option<&TextRow>| row.map_or_else(|| "no row".to_owned(), row_text);
            self.example = format!("upstream {}, downstream {}", show(upstream), show(downstream));
        }
    }
}

/// Longest value shown in an example.
const SHOWN_MAX_CHARS: usize = 24;

/// A row for a person: `(1, 'abc', NULL)`.
fn row_text(row: &TextRow) -> String {
    let cell = |cell: &Option<Vec<u8>>| match cell {
        None => "NULL".to_owned(),
        Some(bytes) => {
            let text: String = String::from_utf8_lossy(bytes).chars().take(SHOWN_MAX_CHARS).collect();
            format!("'{}'", text.escape_debug())
        }
    };
    format!("({})", row.iter().map(cell).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::{Difference, compare};
    use tg_playground::TextRow;

    fn rows(text: &str) -> Vec<TextRow> {
        let cell = |c: &str| (c != "-").then(|| c.as_bytes().to_vec());
        text.split_whitespace().map(|row| row.split(',').map(cell).collect()).collect()
    }

    #[test]
    fn every_difference_is_counted() {
        for (up, down, key, expected) in [
            ("1,a 2,b", "2,b 1,a", &[0][..], None),
            ("", "", &[0], None),
            ("1,a 2,b", "1,a", &[0], Some((1, 0, 0))),
            ("1,a", "1,a 2,b 3,c", &[0], Some((0, 2, 0))),
            ("1,a 2,b", "1,a 2,x", &[0], Some((0, 0, 1))),
            ("1,-", "1,a", &[0], Some((0, 0, 1))),
            ("1,a 3,c", "2,b 3,d", &[0], Some((1, 1, 1))),
            // Without a key a row is its values, and counts as often as it is there.
            ("a a b", "a b", &[0], Some((1, 0, 0))),
            ("a b b", "b a b", &[0], None),
            ("1,a", "1,b", &[0, 1], Some((1, 1, 0))),
        ] {
            let found = compare(rows(up), rows(down), key);
            let counts = found.map(|Difference { missing, extra, changed, .. }| (missing, extra, changed));
            assert_eq!(counts, expected, "{up:?} against {down:?}");
        }
    }

    #[test]
    fn the_example_shows_both_sides() {
        let found = compare(rows("1,a"), rows("1,-"), &[0]).map(|d| d.example);
        assert_eq!(found.as_deref(), Some("upstream ('1', 'a'), downstream ('1', NULL)"));
    }
}
