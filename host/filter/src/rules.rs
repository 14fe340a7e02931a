//! Lists of rules: the last that matches decides.

use crate::FilterError;
use crate::pattern::{ParseError, Pattern, Reader};

/// Rules over tables, as in `rules`, in the matchers of event filters, dispatchers and column selectors.
#[derive(Clone, Debug)]
pub struct TableFilter {
    rules: Vec<TableRule>,
    case_sensitive: bool,
}

#[derive(Clone, Debug)]
struct TableRule {
    include: bool,
    schema: Pattern,
    table: Pattern,
}

impl TableFilter {
    /// Reads rules such as `db.t*`, `!db.tmp`, `` `a.b`.* `` or `/^s\d+$/./x/`. Empty rules and those that
    /// begin with `#` are skipped. Files (`@name`) are refused: a changefeed stands for itself.
    ///
    /// # Errors
    /// For a rule that cannot be read; says which and where.
    pub fn parse<S: AsRef<str>>(rules: &[S], case_sensitive: bool) -> Result<Self, FilterError> {
        let read = |r: &mut Reader| {
            let include = !r.take('!');
            r.skip_space();
            let schema = r.pattern()?;
            if !r.take('.') {
                return r.error("a dot and a table must follow the schema");
            }
            Ok(TableRule { include, schema, table: r.pattern()? })
        };
        Ok(Self { rules: parse_all(rules, case_sensitive, read)?, case_sensitive })
    }

    /// Whether a table is inside; one that no rule matches is not.
    #[must_use]
    pub fn matches(&self, schema: &str, table: &str) -> bool {
        let decides = |r: &&TableRule| {
            r.schema.matches(schema, self.case_sensitive) && r.table.matches(table, self.case_sensitive)
        };
        self.rules.iter().rev().find(decides).is_some_and(|r| r.include)
    }

    /// Whether some table of the schema could be inside.
    #[must_use]
    pub fn matches_schema(&self, schema: &str) -> bool {
        let decides =
            |r: &&TableRule| r.schema.matches(schema, self.case_sensitive) && (r.include || r.table.matches_all());
        self.rules.iter().rev().find(decides).is_some_and(|r| r.include)
    }
}

/// Rules over the columns of a table: the same patterns on one name.
#[derive(Clone, Debug)]
pub struct ColumnFilter {
    rules: Vec<(bool, Pattern)>,
    case_sensitive: bool,
}

impl ColumnFilter {
    /// Reads rules such as `*`, `!secret`, `a?`.
    ///
    /// # Errors
    /// For a rule that cannot be read; says which and where.
    pub fn parse<S: AsRef<str>>(rules: &[S], case_sensitive: bool) -> Result<Self, FilterError> {
        let read = |r: &mut Reader| {
            let include = !r.take('!');
            Ok((include, r.pattern()?))
        };
        Ok(Self { rules: parse_all(rules, case_sensitive, read)?, case_sensitive })
    }

    /// Whether a column is inside; one that no rule matches is not.
    #[must_use]
    pub fn matches(&self, column: &str) -> bool {
        self.rules
            .iter()
            .rev()
            .find(|(_, p)| p.matches(column, self.case_sensitive))
            .is_some_and(|(include, _)| *include)
    }
}

fn parse_all<S: AsRef<str>, R>(
    rules: &[S],
    case_sensitive: bool,
    read: impl Fn(&mut Reader) -> Result<R, ParseError>,
) -> Result<Vec<R>, FilterError> {
    let mut out = Vec::with_capacity(rules.len());
    for (index, rule) in rules.iter().enumerate() {
        let rule = rule.as_ref();
        let mut reader = Reader::new(rule, case_sensitive);
        reader.skip_space();
        let parsed = match reader.peek() {
            None | Some('#') => continue,
            Some('@') => reader.error("rules cannot be taken from a file"),
            _ => read(&mut reader).and_then(|r| {
                reader.skip_space();
                if reader.peek().is_some() { reader.error("unexpected text behind the rule") } else { Ok(r) }
            }),
        };
        out.push(parsed.map_err(|(at, reason)| FilterError::Rule {
            index,
            rule: rule.to_owned(),
            column: at + 1,
            reason,
        })?);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::{ColumnFilter, TableFilter};
    use crate::FilterError;

    fn check(rules: &[&str], case_sensitive: bool, inside: &[&str], outside: &[&str]) {
        let filter = TableFilter::parse(rules, case_sensitive).unwrap();
        for (names, want) in [(inside, true), (outside, false)] {
            for name in names {
                let (schema, table) = name.split_once('/').unwrap();
                assert_eq!(filter.matches(schema, table), want, "{rules:?} {name}");
            }
        }
    }

    #[test]
    fn rules_match_tables() {
        check(&["*.*"], false, &["a/b", "a/"], &[]);
        check(&["db.t?"], false, &["db/t1", "DB/tX", "db/t表"], &["db/t", "db/t12", "d/t1"]);
        check(&["db.t?"], true, &["db/t1"], &["DB/t1"]);
        check(&["a*b*c.x"], false, &["abc/x", "aXbYbZc/x"], &["abcd/x", "acb/x"]);
        check(&["d[a-c].t[!0-9]"], false, &["da/tx", "DC/tX"], &["dd/tx", "da/t1"]);
        check(&["d[A-C].*"], false, &["da/x", "dB/x"], &["dd/x"]);
        check(&["d[A-C].*"], true, &["dB/x"], &["da/x"]);
        check(&["`a.b`.\"c\"\"d`\""], false, &["A.B/c\"d`"], &["a/b"]);
        check(&["a\\-b.c\\*"], false, &["a-b/c*"], &["a-b/cd"]);
        check(&["/^s\\d+$/./x\\/y/"], false, &["s12/ax/yb", "S1/X/Y"], &["s/x/y", "as1/x/y"]);
        check(&["/^s$/.*"], true, &["s/t"], &["S/t"]);
    }

    #[test]
    fn the_last_match_decides() {
        check(&["*.*", "!db.*", "db.keep"], false, &["x/y", "db/keep"], &["db/other"]);
        check(&["db.keep", "!db.*"], false, &[], &["db/keep"]);
        check(&["!db.tmp"], false, &[], &["db/tmp", "db/x"]);
        check(&["# all", "", "*.*"], false, &["a/b"], &[]);
    }

    #[test]
    fn schemas_are_inside_when_a_table_could_be() {
        let filter = |rules: &[&str]| TableFilter::parse(rules, false).unwrap();
        assert!(filter(&["db.t"]).matches_schema("DB") && !filter(&["db.t"]).matches_schema("x"));
        assert!(filter(&["*.*", "!db.t"]).matches_schema("db"), "other tables of db are inside");
        assert!(!filter(&["*.*", "!db.*"]).matches_schema("db"));
        assert!(filter(&["!db.*", "db.t"]).matches_schema("db"));
    }

    #[test]
    fn errors_name_rule_and_column() {
        let check = |rule: &str, want: usize| match TableFilter::parse(&["a.b", rule], false) {
            Err(FilterError::Rule { index, column, .. }) => {
                assert_eq!((index, column), (1, want), "{rule}")
            }
            other => panic!("{rule}: {other:?}"),
        };
        for (rule, column) in [
            ("db", 3),
            ("db.", 4),
            (".t", 1),
            ("a-b.c", 2),
            ("a.b.c", 4),
            ("a.[b", 3),
            ("a.[]", 3),
            ("a.[z-a]", 7),
            ("`a.b", 1),
            ("``.b", 1),
            ("/a.b", 1),
            ("/(/.b", 1),
            ("a\\b.c", 3),
            ("a.b\\", 5),
            ("@file", 1),
            ("!", 2),
            ("a.b c", 5),
        ] {
            check(rule, column);
        }
        let text = TableFilter::parse(&["db"], false).unwrap_err().to_string();
        assert_eq!(text, "filter rule 0 (\"db\") is wrong at column 3: a dot and a table must follow the schema");
    }

    #[test]
    fn columns_use_the_same_patterns() {
        let filter = ColumnFilter::parse(&["*", "!s?cret", "`a.b`"], false).unwrap();
        assert!(filter.matches("id") && !filter.matches("SECRET") && filter.matches("a.b"));
        assert!(ColumnFilter::parse(&["a.b"], false).is_err());
        assert!(!ColumnFilter::parse(&["a*"], false).unwrap().matches("b"));
    }
}
