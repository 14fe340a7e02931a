//! The oracle: whether two servers hold the same tables with the same rows.
//!
//! Tables are matched by name, columns by name, rows by the upstream's key (as a multiset where there is none).
//! Generated columns are compared like others: each side computes its own. Values are compared as text but for
//! these: byte strings and BIT as hex, floats by their value, JSON by meaning, vectors by their elements.

mod table;
mod value;

use crate::sql::Sql;
use std::collections::{BTreeMap, BTreeSet};
pub use value::{Cell, Kind};

/// Differences reported per table; the rest is counted.
const SHOWN_MAX: usize = 10;

/// What a comparison found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Tables compared.
    pub tables: usize,
    /// Rows of the upstream that were compared.
    pub rows: usize,
    /// One line for each difference: table, key, column, both values.
    pub differences: Vec<String>,
}

/// Compares all base tables of the databases.
///
/// # Errors
/// When a server cannot be asked; a difference is no error.
pub async fn compare(upstream: &str, downstream: &str, databases: &[&str]) -> anyhow::Result<Comparison> {
    let mut sides = [Sql::connect(upstream).await?, Sql::connect(downstream).await?];
    let mut out = Comparison::default();
    for db in databases {
        let [here, there] = [tables(&mut sides[0], db).await?, tables(&mut sides[1], db).await?];
        out.differences.extend(here.difference(&there).map(|t| format!("{db}.{t}: missing downstream")));
        out.differences.extend(there.difference(&here).map(|t| format!("{db}.{t}: downstream only")));
        for name in here.intersection(&there) {
            out.tables += 1;
            out.rows += compare_table(&mut sides, db, name, &mut out.differences).await?;
        }
    }
    Ok(out)
}

async fn tables(sql: &mut Sql, db: &str) -> anyhow::Result<BTreeSet<String>> {
    let query = format!(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = '{db}' AND table_type = 'BASE TABLE'"
    );
    Ok(sql.rows(&query).await?.into_iter().collect())
}

async fn compare_table(sides: &mut [Sql; 2], db: &str, name: &str, out: &mut Vec<String>) -> anyhow::Result<usize> {
    let [here, there] = sides;
    let (columns, theirs) = (table::columns(here, db, name).await?, table::columns(there, db, name).await?);
    let names = |c: &[table::Column]| c.iter().map(|c| c.name.to_lowercase()).collect::<Vec<_>>();
    if names(&columns) != names(&theirs) {
        out.push(format!("{db}.{name}: columns {:?} upstream, {:?} downstream", names(&columns), names(&theirs)));
        return Ok(0);
    }
    let key = table::key(here, db, name, &columns).await?;
    let [a, b] = [table::rows(here, db, name, &columns).await?, table::rows(there, db, name, &columns).await?];
    let count = a.len();
    let mut found = if key.is_empty() { by_count(&a, &b) } else { by_key(&columns, &key, &a, &b) };
    let more = found.len().saturating_sub(SHOWN_MAX);
    found.truncate(SHOWN_MAX);
    out.extend(found.into_iter().map(|line| format!("{db}.{name}: {line}")));
    if more > 0 {
        out.push(format!("{db}.{name}: and {more} more differences"));
    }
    Ok(count)
}

type Row = Vec<Cell>;

fn show(row: &[Cell]) -> String {
    row.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Rows without a key: how often each occurs.
fn by_count(here: &[Row], there: &[Row]) -> Vec<String> {
    let mut counts: BTreeMap<&Row, (usize, usize)> = BTreeMap::new();
    here.iter().for_each(|row| counts.entry(row).or_default().0 += 1);
    there.iter().for_each(|row| counts.entry(row).or_default().1 += 1);
    let differ = counts.into_iter().filter(|(_, (a, b))| a != b);
    differ.map(|(row, (a, b))| format!("({}) is there {a} times upstream, {b} downstream", show(row))).collect()
}

fn by_key(columns: &[table::Column], key: &[usize], here: &[Row], there: &[Row]) -> Vec<String> {
    let keyed = |rows: &[Row]| -> BTreeMap<Row, Row> {
        let key_of = |row: &Row| key.iter().filter_map(|at| row.get(*at).cloned()).collect();
        rows.iter().map(|row| (key_of(row), row.clone())).collect()
    };
    let (a, b) = (keyed(here), keyed(there));
    let mut out = Vec::new();
    for (key, row) in &a {
        let Some(other) = b.get(key) else {
            out.push(format!("key ({}): missing downstream", show(key)));
            continue;
        };
        let cells = row.iter().zip(other).zip(columns).filter(|((x, y), _)| x != y);
        out.extend(
            cells.map(|((x, y), c)| format!("key ({}), column {}: {x} upstream, {y} downstream", show(key), c.name)),
        );
    }
    out.extend(b.keys().filter(|key| !a.contains_key(*key)).map(|key| format!("key ({}): downstream only", show(key))));
    if out.is_empty() && here.len() != there.len() {
        out.push(format!("{} rows upstream, {} downstream", here.len(), there.len()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::table::Column;
    use super::{Cell, Kind, by_count, by_key};

    fn row(values: &[&str]) -> Vec<Cell> {
        values.iter().map(|v| Cell::new(Kind::Text, Some(v.as_bytes().to_vec()))).collect()
    }

    fn check(here: &[&[&str]], there: &[&[&str]], want: &[&str]) {
        let columns: Vec<Column> =
            ["id", "v"].iter().map(|n| Column { name: (*n).to_owned(), kind: Kind::Text }).collect();
        let [a, b] = [here, there].map(|rows| rows.iter().map(|r| row(r)).collect::<Vec<_>>());
        assert_eq!(by_key(&columns, &[0], &a, &b), want);
    }

    #[test]
    fn differences_name_key_and_column() {
        check(&[&["1", "a"]], &[&["1", "a"]], &[]);
        check(&[&["1", "a"]], &[&["1", "b"]], &["key (1), column v: a upstream, b downstream"]);
        check(&[&["1", "a"]], &[&["2", "a"]], &["key (1): missing downstream", "key (2): downstream only"]);
    }

    #[test]
    fn rows_without_key_are_counted() {
        let (one, two) = (vec![row(&["a"])], vec![row(&["a"]), row(&["a"])]);
        assert_eq!(by_count(&one, &one), Vec::<String>::new());
        assert_eq!(by_count(&one, &two), ["(a) is there 1 times upstream, 2 downstream"]);
    }
}
