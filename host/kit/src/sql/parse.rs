//! Statements that sinks write, understood well enough to carry them out.

use super::token::{Style, Token, tokens};
use std::collections::BTreeMap;

/// A value; numbers and texts are the same when they are written the same. `None`: NULL.
pub(super) type Value = Option<Vec<u8>>;

/// `database.table`.
pub(super) type TableName = (String, String);

/// How a new row meets one with the same key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum OnKey {
    /// It is refused.
    Refuse,
    /// It is passed over.
    Ignore,
    /// It takes the other's place.
    Replace,
    /// The other takes these values; `None`: that of the new row.
    Update(Vec<(String, Option<Value>)>),
    /// The same for one that is equal in these columns; equal in another key it is refused.
    Conflict(Vec<String>, Vec<(String, Option<Value>)>),
}

/// Which rows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Where {
    /// Rows whose columns have one of these lists of values.
    In(Vec<String>, Vec<Vec<Value>>),
    /// Both.
    And(Vec<Where>),
    /// Either.
    Or(Vec<Where>),
}

/// A statement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Statement {
    Insert {
        table: TableName,
        columns: Vec<String>,
        rows: Vec<Vec<Value>>,
        on_key: OnKey,
    },
    Update {
        table: TableName,
        set: Vec<(String, Value)>,
        at: Option<Where>,
        limit: Option<usize>,
    },
    Delete {
        table: TableName,
        at: Option<Where>,
        limit: Option<usize>,
    },
    CreateTable {
        table: TableName,
        if_not_exists: bool,
    },
    DropTable {
        table: TableName,
        if_exists: bool,
    },
    Truncate {
        table: TableName,
    },
    /// A column is added or dropped.
    AlterColumn {
        table: TableName,
        column: String,
        add: bool,
        /// That it was is no error.
        lenient: bool,
    },
}

/// The statement; `None`: it is of a kind that is not understood here.
pub(super) fn parse(statement: &[u8], style: Style) -> Option<Statement> {
    let tokens = tokens(statement, style)?;
    let mut p = Parser { tokens: &tokens };
    let parsed = p.statement()?;
    p.eat_sign(';');
    // What comes behind a schema change does not change what it does to the tables here.
    let schema = matches!(parsed, Statement::CreateTable { .. } | Statement::AlterColumn { .. });
    (schema || p.tokens.is_empty()).then_some(parsed)
}

/// What is left of a statement.
pub(super) struct Parser<'a> {
    pub(super) tokens: &'a [Token],
}

impl<'a> Parser<'a> {
    pub(super) fn next(&mut self) -> Option<&'a Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    pub(super) fn eat(&mut self, keyword: &str) -> bool {
        let found = self.tokens.first().is_some_and(|t| t.is(keyword));
        if found {
            self.next();
        }
        found
    }

    pub(super) fn eat_sign(&mut self, sign: char) -> bool {
        let found = self.tokens.first() == Some(&Token::Sign(sign));
        if found {
            self.next();
        }
        found
    }

    pub(super) fn want(&mut self, keyword: &str) -> Option<()> {
        self.eat(keyword).then_some(())
    }

    pub(super) fn want_sign(&mut self, sign: char) -> Option<()> {
        self.eat_sign(sign).then_some(())
    }

    pub(super) fn name(&mut self) -> Option<String> {
        match self.next()? {
            Token::Word(w) | Token::Name(w) => Some(w.clone()),
            _ => None,
        }
    }

    pub(super) fn table(&mut self) -> Option<TableName> {
        let first = self.name()?;
        if self.eat_sign('.') { Some((first, self.name()?)) } else { Some((String::new(), first)) }
    }

    pub(super) fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        self.want_sign('(')?;
        let mut out = vec![item(self)?];
        while self.eat_sign(',') {
            out.push(item(self)?);
        }
        self.want_sign(')')?;
        Some(out)
    }

    fn statement(&mut self) -> Option<Statement> {
        let Token::Word(verb) = self.next()? else { return None };
        match verb.to_ascii_uppercase().as_str() {
            "INSERT" => {
                let on_key = if self.eat("IGNORE") { OnKey::Ignore } else { OnKey::Refuse };
                self.insert(on_key)
            }
            "REPLACE" => self.insert(OnKey::Replace),
            "UPDATE" => self.update(),
            "DELETE" => {
                self.want("FROM")?;
                let table = self.table()?;
                let (at, limit) = match self.by_place() {
                    Some(found) => found,
                    None => self.tail()?,
                };
                Some(Statement::Delete { table, at, limit })
            }
            "CREATE" => {
                self.want("TABLE")?;
                let if_not_exists = self.eat("IF");
                if if_not_exists {
                    self.want("NOT").and_then(|()| self.want("EXISTS"))?;
                }
                Some(Statement::CreateTable { table: self.table()?, if_not_exists })
            }
            "DROP" => {
                self.want("TABLE")?;
                let if_exists = self.eat("IF");
                if if_exists {
                    self.want("EXISTS")?;
                }
                Some(Statement::DropTable { table: self.table()?, if_exists })
            }
            "TRUNCATE" => {
                self.eat("TABLE");
                Some(Statement::Truncate { table: self.table()? })
            }
            "ALTER" => {
                self.want("TABLE")?;
                let table = self.table()?;
                let add = self.eat("ADD");
                if !add {
                    self.want("DROP")?;
                }
                self.want("COLUMN")?;
                let lenient = self.eat("IF");
                if lenient {
                    self.eat("NOT");
                    self.want("EXISTS")?;
                }
                Some(Statement::AlterColumn { table, column: self.name()?, add, lenient })
            }
            _ => None,
        }
    }

    fn insert(&mut self, mut on_key: OnKey) -> Option<Statement> {
        self.eat("INTO");
        let table = self.table()?;
        let columns = self.list(Self::name)?;
        if !self.eat("VALUES") {
            self.want("VALUE")?;
        }
        let mut rows = vec![self.list(Self::value)?];
        while self.eat_sign(',') {
            rows.push(self.list(Self::value)?);
        }
        if self.eat("AS") {
            self.name()?;
        }
        if let [Token::Word(on), Token::Word(conflict), ..] = self.tokens
            && on.eq_ignore_ascii_case("ON")
            && conflict.eq_ignore_ascii_case("CONFLICT")
        {
            on_key = self.conflict()?;
        } else if self.eat("ON") {
            for word in ["DUPLICATE", "KEY", "UPDATE"] {
                self.want(word)?;
            }
            on_key = OnKey::Update(self.assignments(Self::of_new_row)?);
        }
        rows.iter().all(|r| r.len() == columns.len()).then_some(Statement::Insert { table, columns, rows, on_key })
    }

    /// `ON CONFLICT (…) DO …`
    fn conflict(&mut self) -> Option<OnKey> {
        self.want("ON").and_then(|()| self.want("CONFLICT"))?;
        let columns = self.list(Self::name)?;
        self.want("DO")?;
        if self.eat("NOTHING") {
            return Some(OnKey::Conflict(columns, Vec::new()));
        }
        self.want("UPDATE").and_then(|()| self.want("SET"))?;
        Some(OnKey::Conflict(columns, self.assignments(Self::of_new_row)?))
    }

    /// `WHERE ctid=(SELECT ctid FROM t WHERE … LIMIT n)`
    fn by_place(&mut self) -> Option<(Option<Where>, Option<usize>)> {
        let before = self.tokens;
        let found = self.by_place_found();
        if found.is_none() {
            self.tokens = before;
        }
        found
    }

    fn by_place_found(&mut self) -> Option<(Option<Where>, Option<usize>)> {
        self.want("WHERE").and_then(|()| self.want("ctid"))?;
        self.want_sign('=').and_then(|()| self.want_sign('('))?;
        for word in ["SELECT", "ctid", "FROM"] {
            self.want(word)?;
        }
        self.table()?;
        let found = self.tail()?;
        self.want_sign(')')?;
        Some(found)
    }

    /// `VALUES(c)`, `alias.c` (both: the new row's) or a literal.
    fn of_new_row(&mut self) -> Option<Option<Value>> {
        if self.eat("VALUES") {
            self.list(Self::name)?;
            return Some(None);
        }
        if let [Token::Word(_) | Token::Name(_), Token::Sign('.'), Token::Word(_) | Token::Name(_), ..] = self.tokens {
            self.table()?;
            return Some(None);
        }
        self.value().map(Some)
    }

    fn assignments<T>(&mut self, mut value: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<(String, T)>> {
        let mut out = Vec::new();
        loop {
            let name = self.table()?.1;
            self.want_sign('=')?;
            out.push((name, value(self)?));
            if !self.eat_sign(',') {
                return Some(out);
            }
        }
    }

    fn update(&mut self) -> Option<Statement> {
        let table = self.table()?;
        self.want("SET")?;
        let set = self.assignments(Self::value)?;
        let (at, limit) = self.tail()?;
        Some(Statement::Update { table, set, at, limit })
    }

    /// WHERE and LIMIT.
    fn tail(&mut self) -> Option<(Option<Where>, Option<usize>)> {
        let at = if self.eat("WHERE") { Some(self.any()?) } else { None };
        let limit = if self.eat("LIMIT") {
            let Token::Number(n) = self.next()? else { return None };
            Some(n.parse().ok()?)
        } else {
            None
        };
        Some((at, limit))
    }
}

/// A row by the names of its columns.
pub(super) fn named(columns: &[String], values: &[Value]) -> BTreeMap<String, Value> {
    columns.iter().cloned().zip(values.iter().cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::{OnKey, Statement, Style, Where};

    fn parse(statement: &[u8]) -> Option<Statement> {
        super::parse(statement, Style::Mysql)
    }

    #[test]
    fn what_sinks_write_to_postgres_is_understood() {
        for text in [
            r#"INSERT INTO "d"."t" ("a","b") VALUES (1,'x\'),(2,NULL) ON CONFLICT ("a") DO UPDATE SET "b"=EXCLUDED."b""#,
            r#"INSERT INTO "d"."t" ("a") VALUES ('\x00ff') ON CONFLICT ("a") DO NOTHING"#,
            r#"DELETE FROM "d"."t" WHERE "a" IN (1,2)"#,
            r#"DELETE FROM "d"."t" WHERE ("a","b") IN (VALUES (CAST(-1 AS numeric(20)),CAST('x' AS text)))"#,
            r#"DELETE FROM "d"."t" WHERE ctid=(SELECT ctid FROM "d"."t" WHERE "a" IS NOT DISTINCT FROM CAST(1 AS double precision) AND "b" IS NOT DISTINCT FROM CAST(NULL AS real[]) LIMIT 1)"#,
            r#"ALTER TABLE "d"."t" ADD COLUMN IF NOT EXISTS "c" numeric(20)"#,
        ] {
            assert!(super::parse(text.as_bytes(), Style::Postgres).is_some(), "{text}");
        }
    }

    #[test]
    fn what_sinks_write_is_understood() {
        for text in [
            "INSERT INTO `d`.`t` (`a`,`b`) VALUES (1,'x'),(2,NULL) ON DUPLICATE KEY UPDATE `b`=VALUES(`b`)",
            "insert into t (a) value (1) as new on duplicate key update a = new.a, b = 3",
            "REPLACE INTO `d`.`t` (`a`) VALUES (_binary'\\0'),(X'ff'),(CAST('[1]' AS JSON)),(-1e3)",
            "DELETE FROM `d`.`t` WHERE (`a`,`b`) IN ((1,'x'),(2,'y'))",
            "DELETE FROM d.t WHERE a IN (1,2) OR (b = 3 AND c IS NULL) LIMIT 1;",
            "DELETE FROM t WHERE (a = 1) OR (a = 2)",
            "UPDATE `d`.`t` SET `a`=1,`b`=NULL WHERE `a`<=>1 AND CONVERT(`b` USING utf8mb4) COLLATE utf8mb4_bin<=>'x' LIMIT 1",
            "CREATE TABLE IF NOT EXISTS d.t (id bigint primary key) ENGINE=InnoDB",
            "DROP TABLE IF EXISTS `d`.`t`",
            "TRUNCATE TABLE d.t",
            "ALTER TABLE d.t ADD COLUMN c int",
        ] {
            assert!(parse(text.as_bytes()).is_some(), "{text}");
        }
        for text in [
            "SELECT 1",
            "INSERT INTO t SELECT * FROM u",
            "DELETE FROM t WHERE a > (SELECT 1)",
            "INSERT INTO t (a,b) VALUES (1)",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn parts_are_where_they_belong() {
        let Some(Statement::Insert { table, columns, rows, on_key }) =
            parse(b"INSERT IGNORE INTO d.t (a,b) VALUES ('1', -2)")
        else {
            panic!("an insert")
        };
        assert_eq!((table.1.as_str(), columns.len(), on_key), ("t", 2, OnKey::Ignore));
        assert_eq!(rows, [[Some(b"1".to_vec()), Some(b"-2".to_vec())]]);
        let Some(Statement::Delete { at: Some(Where::Or(parts)), limit, .. }) =
            parse(b"DELETE FROM t WHERE a=1 OR a=2 LIMIT 3")
        else {
            panic!("a delete")
        };
        assert_eq!((parts.len(), limit), (2, Some(3)));
    }
}
