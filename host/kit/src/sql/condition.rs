//! Conditions and values of statements.

use super::parse::{Parser, Value, Where};
use super::token::Token;

impl Parser<'_> {
    /// Conditions with OR between.
    pub(super) fn any(&mut self) -> Option<Where> {
        let mut parts = vec![self.all()?];
        while self.eat("OR") {
            parts.push(self.all()?);
        }
        if parts.len() == 1 { parts.pop() } else { Some(Where::Or(parts)) }
    }

    fn all(&mut self) -> Option<Where> {
        let mut parts = vec![self.condition()?];
        while self.eat("AND") {
            parts.push(self.condition()?);
        }
        if parts.len() == 1 { parts.pop() } else { Some(Where::And(parts)) }
    }

    fn condition(&mut self) -> Option<Where> {
        let before = self.tokens;
        if let Some(columns) = self.list(Self::column)
            && let Some(found) = self.of_columns(columns)
        {
            return Some(found);
        }
        self.tokens = before;
        if self.eat_sign('(') {
            let inner = self.any()?;
            self.want_sign(')')?;
            return Some(inner);
        }
        let column = self.column()?;
        if self.eat("IS") {
            if self.eat("NOT") {
                self.want("DISTINCT").and_then(|()| self.want("FROM"))?;
                return Some(Where::In(vec![column], vec![vec![self.value()?]]));
            }
            self.want("NULL")?;
            return Some(Where::In(vec![column], vec![vec![None]]));
        }
        if self.eat("IN") {
            let values = self.list(Self::value)?;
            return Some(Where::In(vec![column], values.into_iter().map(|v| vec![v]).collect()));
        }
        let null_safe = self.eat_sign('<');
        self.want_sign('=')?;
        if null_safe {
            self.want_sign('>')?;
        }
        Some(Where::In(vec![column], vec![vec![self.value()?]]))
    }

    /// `IN ((…),(…))` or `= (…)` behind a list of columns.
    fn of_columns(&mut self, columns: Vec<String>) -> Option<Where> {
        let rows = if self.eat("IN") {
            self.rows()?
        } else {
            self.want_sign('=')?;
            vec![self.list(Self::value)?]
        };
        rows.iter().all(|r| r.len() == columns.len()).then_some(Where::In(columns, rows))
    }

    /// `((…),(…))`, also with VALUES in front of the first.
    fn rows(&mut self) -> Option<Vec<Vec<Value>>> {
        let mut first = true;
        self.list(|p| {
            if std::mem::take(&mut first) {
                p.eat("VALUES");
            }
            p.list(Self::value)
        })
    }

    /// A column, also within CONVERT(c USING cs) COLLATE co.
    fn column(&mut self) -> Option<String> {
        if self.eat("CONVERT") {
            self.want_sign('(')?;
            let name = self.name()?;
            self.want("USING")?;
            self.name()?;
            self.want_sign(')')?;
            if self.eat("COLLATE") {
                self.name()?;
            }
            return Some(name);
        }
        let (table, name) = self.table()?;
        let keyword = table.is_empty() && ["SELECT", "EXISTS", "NOT"].iter().any(|k| name.eq_ignore_ascii_case(k));
        (!keyword).then_some(name)
    }

    /// A literal.
    pub(super) fn value(&mut self) -> Option<Value> {
        let minus = self.eat_sign('-');
        let text = match self.next()? {
            Token::Number(n) => n.clone().into_bytes(),
            Token::Text(t) if !minus => t.clone(),
            Token::Word(w) if !minus => return self.named_value(w),
            _ => return None,
        };
        let text = if minus { [b"-", &text[..]].concat() } else { text };
        Some(Some(text))
    }

    /// What a type is called, digits included, and the bracket behind it.
    fn type_name(&mut self) -> Option<()> {
        self.name()?;
        let mut depth = 0;
        loop {
            match self.next()? {
                Token::Sign(')') if depth == 0 => return Some(()),
                Token::Sign(')') => depth -= 1,
                Token::Sign('(') => depth += 1,
                _ => {}
            }
        }
    }

    fn named_value(&mut self, word: &str) -> Option<Value> {
        match word.to_ascii_uppercase().as_str() {
            "NULL" => Some(None),
            "TRUE" => Some(Some(b"1".to_vec())),
            "FALSE" => Some(Some(b"0".to_vec())),
            "CAST" => {
                self.want_sign('(')?;
                let value = self.value()?;
                self.want("AS")?;
                self.type_name()?;
                Some(value)
            }
            // A character set in front of its text, and hex digits in quotes.
            "X" => {
                let Token::Text(digits) = self.next()? else { return None };
                crate::corpus::unhex(std::str::from_utf8(digits).ok()?).map(Some)
            }
            other if other.starts_with('_') => self.value(),
            _ => None,
        }
    }
}
