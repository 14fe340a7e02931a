//! Tables by pattern: `shop.orders`, `shop.*`, `*.log_?`.

/// Names tables. `*` stands for any characters, `?` for one; letters of either case are the same, as they are in TiDB.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TablePattern {
    database: String,
    table: String,
}

impl TablePattern {
    /// Reads `database.table`; `None` when it is not of that form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (database, table) = text.split_once('.')?;
        let plain = |s: &str| !s.is_empty() && !s.contains('.');
        let lower = |s: &str| s.to_lowercase();
        (plain(database) && plain(table)).then(|| Self { database: lower(database), table: lower(table) })
    }

    /// Whether it names this table.
    #[must_use]
    pub fn matches(&self, database: &str, table: &str) -> bool {
        self.matches_database(database) && glob(&self.table, &table.to_lowercase())
    }

    /// Whether it may name tables of this database.
    #[must_use]
    pub fn matches_database(&self, database: &str) -> bool {
        glob(&self.database, &database.to_lowercase())
    }

    /// Whether it names every table of the databases it names.
    #[must_use]
    pub fn is_whole_database(&self) -> bool {
        self.table.bytes().all(|b| b == b'*')
    }
}

/// Whether the whole text is as the pattern says. Looks at no character more than pattern times text.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    // Where to go on when what follows the last `*` does not fit.
    let mut again: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                again = Some((p + 1, t));
                p += 1;
            }
            Some(c) if *c == '?' || text.get(t) == Some(c) => {
                p += 1;
                t += 1;
            }
            _ => match again {
                Some((after_star, from)) => {
                    again = Some((after_star, from + 1));
                    p = after_star;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).is_some_and(|rest| rest.iter().all(|c| *c == '*'))
}

#[cfg(test)]
mod tests {
    use super::TablePattern;

    #[test]
    fn patterns_name_tables() {
        let yes = |p: &str, d: &str, t: &str| TablePattern::parse(p).unwrap().matches(d, t);
        for (pattern, database, table) in [
            ("shop.orders", "Shop", "ORDERS"),
            ("*.*", "a", "b"),
            ("s*p.o?ders*", "shop", "orders_2026"),
            ("a.*b*c", "a", "xbxbxc"),
        ] {
            assert!(yes(pattern, database, table), "{pattern}");
        }
        for (pattern, database, table) in
            [("shop.orders", "shop", "orders2"), ("a.b?", "a", "b"), ("a.*b", "a", "bc"), ("x.*", "y", "z")]
        {
            assert!(!yes(pattern, database, table), "{pattern}");
        }
        for bad in ["", "a", "a.", ".b", "a.b.c"] {
            assert_eq!(TablePattern::parse(bad), None, "{bad}");
        }
        assert!(TablePattern::parse("a.*").unwrap().is_whole_database());
    }
}
