//! Tokens → expression, by precedence.

use super::token::{Kind, Token, tokens};
use super::{Binary, Function, Node, Value};
use crate::FilterError;
use std::borrow::Cow;

/// How deep an expression may nest.
pub const EXPRESSION_DEPTH_MAX: usize = 64;
/// How many tokens an expression may have: a chain of operators nests too.
const TOKENS_MAX: usize = 4096;

type Result<T> = std::result::Result<T, (usize, String)>;
type Expr = Node<String>;

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    end: usize,
}

/// Reads a whole text.
pub(crate) fn parse(text: &str) -> std::result::Result<Expr, FilterError> {
    let read = || {
        let mut p = Parser { tokens: tokens(text)?, at: 0, depth: 0, end: text.chars().count() };
        if p.tokens.len() > TOKENS_MAX {
            return p.error("the expression is too long");
        }
        let node = p.or()?;
        if p.at < p.tokens.len() { p.error("unexpected text behind the expression") } else { Ok(node) }
    };
    read().map_err(|(at, reason)| FilterError::Expression { text: text.to_owned(), column: at + 1, reason })
}

impl Parser {
    fn error<T>(&self, reason: impl Into<String>) -> Result<T> {
        Err((self.tokens.get(self.at).map_or(self.end, |t| t.at), reason.into()))
    }

    fn take_sign(&mut self, sign: &str) -> bool {
        let found = self.tokens.get(self.at).is_some_and(|t| matches!(t.kind, Kind::Sign(s) if s == sign));
        self.at += usize::from(found);
        found
    }

    fn is_word(&self, ahead: usize, word: &str) -> bool {
        self.tokens
            .get(self.at + ahead)
            .is_some_and(|t| matches!(&t.kind, Kind::Word(w) if w.eq_ignore_ascii_case(word)))
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.is_word(0, word);
        self.at += usize::from(found);
        found
    }

    fn expect_sign(&mut self, sign: &str) -> Result<()> {
        if self.take_sign(sign) { Ok(()) } else { self.error(format!("{sign:?} is missing")) }
    }

    fn expect_word(&mut self, word: &str) -> Result<()> {
        if self.take_word(word) { Ok(()) } else { self.error(format!("{word} is missing")) }
    }

    /// Every way down passes here, so nesting is bounded.
    fn or(&mut self) -> Result<Expr> {
        self.depth += 1;
        if self.depth > EXPRESSION_DEPTH_MAX {
            return self.error("the expression nests too deep");
        }
        let mut left = self.xor()?;
        while self.take_word("OR") || self.take_sign("||") {
            left = binary(Binary::Or, left, self.xor()?);
        }
        self.depth -= 1;
        Ok(left)
    }

    fn xor(&mut self) -> Result<Expr> {
        let mut left = self.and()?;
        while self.take_word("XOR") {
            left = binary(Binary::Xor, left, self.and()?);
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expr> {
        let mut left = self.not()?;
        while self.take_word("AND") || self.take_sign("&&") {
            left = binary(Binary::And, left, self.not()?);
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Expr> {
        let mut negated = false;
        while self.take_word("NOT") {
            negated = !negated;
        }
        let node = self.comparison()?;
        Ok(if negated { negate(node) } else { node })
    }

    fn comparison(&mut self) -> Result<Expr> {
        const OPERATORS: [(&str, Binary); 8] = [
            ("<=>", Binary::NullSafeEqual),
            ("<=", Binary::LessEqual),
            (">=", Binary::GreaterEqual),
            ("<>", Binary::NotEqual),
            ("!=", Binary::NotEqual),
            ("=", Binary::Equal),
            ("<", Binary::Less),
            (">", Binary::Greater),
        ];
        let mut left = self.predicate()?;
        loop {
            if let Some((_, op)) = OPERATORS.into_iter().find(|(s, _)| self.take_sign(s)) {
                left = binary(op, left, self.predicate()?);
            } else if self.take_word("IS") {
                left = self.is(left)?;
            } else {
                return Ok(left);
            }
        }
    }

    fn is(&mut self, left: Expr) -> Result<Expr> {
        let negated = self.take_word("NOT");
        let what = if self.take_word("NULL") {
            None
        } else if self.take_word("TRUE") {
            Some(true)
        } else if self.take_word("FALSE") {
            Some(false)
        } else {
            return self.error("NULL, TRUE or FALSE is missing");
        };
        let node = Node::Is(Box::new(left), what);
        Ok(if negated { negate(node) } else { node })
    }

    fn predicate(&mut self) -> Result<Expr> {
        let left = self.sum()?;
        let negated = self.is_word(0, "NOT") && ["IN", "LIKE", "BETWEEN"].iter().any(|w| self.is_word(1, w));
        self.at += usize::from(negated);
        let node = if self.take_word("IN") {
            self.expect_sign("(")?;
            Node::In(Box::new(left), self.list()?)
        } else if self.take_word("BETWEEN") {
            let low = self.sum()?;
            self.expect_word("AND")?;
            let high = self.sum()?;
            Node::Between(Box::new([left, low, high]))
        } else if self.take_word("LIKE") {
            let pattern = self.sum()?;
            let escape = if self.take_word("ESCAPE") { self.escape()? } else { '\\' };
            Node::Like { text: Box::new(left), pattern: Box::new(pattern), escape }
        } else {
            return Ok(left);
        };
        Ok(if negated { negate(node) } else { node })
    }

    fn escape(&mut self) -> Result<char> {
        let found = match self.tokens.get(self.at).map(|t| &t.kind) {
            Some(Kind::Text(s)) if s.chars().count() == 1 => s.chars().next(),
            _ => None,
        };
        let Some(c) = found else {
            return self.error("one character in quotes is missing");
        };
        self.at += 1;
        Ok(c)
    }

    /// The rest of a list in parentheses, of one member at least.
    fn list(&mut self) -> Result<Vec<Expr>> {
        let mut out = vec![self.or()?];
        while self.take_sign(",") {
            out.push(self.or()?);
        }
        self.expect_sign(")")?;
        Ok(out)
    }

    fn sum(&mut self) -> Result<Expr> {
        let mut left = self.product()?;
        loop {
            let op = if self.take_sign("+") {
                Binary::Add
            } else if self.take_sign("-") {
                Binary::Subtract
            } else {
                return Ok(left);
            };
            left = binary(op, left, self.product()?);
        }
    }

    fn product(&mut self) -> Result<Expr> {
        let mut left = self.unary()?;
        loop {
            let op = if self.take_sign("*") {
                Binary::Multiply
            } else if self.take_sign("/") {
                Binary::Divide
            } else if self.take_sign("%") || self.take_word("MOD") {
                Binary::Modulo
            } else if self.take_word("DIV") {
                Binary::IntDivide
            } else {
                return Ok(left);
            };
            left = binary(op, left, self.unary()?);
        }
    }

    fn unary(&mut self) -> Result<Expr> {
        let mut signs = Vec::new();
        loop {
            if self.take_sign("-") {
                signs.push(true);
            } else if self.take_sign("!") {
                signs.push(false);
            } else if !self.take_sign("+") {
                break;
            }
            if signs.len() > EXPRESSION_DEPTH_MAX {
                return self.error("the expression nests too deep");
            }
        }
        let node = self.primary()?;
        Ok(signs.into_iter().rev().fold(node, |n, minus| if minus { Node::Negate(Box::new(n)) } else { negate(n) }))
    }

    fn primary(&mut self) -> Result<Expr> {
        let Some(token) = self.tokens.get(self.at).cloned() else {
            return self.error("a value is missing");
        };
        self.at += 1;
        match token.kind {
            Kind::Number(n) => Ok(Node::Literal(number(&n))),
            Kind::Text(s) => Ok(Node::Literal(Value::Text(Cow::Owned(s)))),
            Kind::Hex(b) => Ok(Node::Literal(Value::Bytes(Cow::Owned(b)))),
            Kind::Name(n) => self.column(n),
            Kind::Word(w) => self.word(w),
            Kind::Sign("(") => {
                let node = self.or()?;
                self.expect_sign(")")?;
                Ok(node)
            }
            Kind::Sign(_) => {
                self.at -= 1;
                self.error("a value is missing")
            }
        }
    }

    fn word(&mut self, word: String) -> Result<Expr> {
        const RESERVED: [&str; 11] = ["AND", "OR", "XOR", "NOT", "IN", "IS", "LIKE", "BETWEEN", "DIV", "MOD", "ESCAPE"];
        let upper = word.to_ascii_uppercase();
        if self.take_sign("(") {
            return self.call(&upper);
        }
        match upper.as_str() {
            "NULL" => Ok(Node::Literal(Value::Null)),
            "TRUE" => Ok(Node::Literal(Value::Int(1))),
            "FALSE" => Ok(Node::Literal(Value::Int(0))),
            w if RESERVED.contains(&w) => {
                self.at -= 1;
                self.error("a value is missing")
            }
            _ => self.column(word),
        }
    }

    /// A column, maybe with its table and schema before it, which are those of the row.
    fn column(&mut self, first: String) -> Result<Expr> {
        let mut name = first;
        while self.take_sign(".") {
            match self.tokens.get(self.at).map(|t| t.kind.clone()) {
                Some(Kind::Word(n) | Kind::Name(n)) => name = n,
                _ => return self.error("a column is missing"),
            }
            self.at += 1;
        }
        Ok(Node::Column(name))
    }

    fn call(&mut self, name: &str) -> Result<Expr> {
        let (function, count) = match name {
            "ABS" => (Function::Abs, 1..=1),
            "CHAR_LENGTH" | "CHARACTER_LENGTH" => (Function::CharLength, 1..=1),
            "COALESCE" => (Function::Coalesce, 1..=usize::MAX),
            "CONCAT" => (Function::Concat, 1..=usize::MAX),
            "IF" => (Function::If, 3..=3),
            "IFNULL" => (Function::Coalesce, 2..=2),
            "LENGTH" | "OCTET_LENGTH" => (Function::Length, 1..=1),
            "LOWER" | "LCASE" => (Function::Lower, 1..=1),
            "UPPER" | "UCASE" => (Function::Upper, 1..=1),
            _ => {
                self.at -= 2;
                return self.error(format!("there is no function {name}"));
            }
        };
        let args = self.list()?;
        if !count.contains(&args.len()) {
            return self.error(format!("{name} does not take {} values", args.len()));
        }
        Ok(Node::Call(function, args))
    }
}

fn binary(op: Binary, left: Expr, right: Expr) -> Expr {
    Node::Binary(op, Box::new(left), Box::new(right))
}

fn negate(node: Expr) -> Expr {
    Node::Not(Box::new(node))
}

fn number(text: &str) -> Value<'static> {
    if text.contains(['e', 'E']) {
        return Value::Real(text.parse().unwrap_or(f64::NAN));
    }
    text.parse().map_or_else(|_| Value::Decimal(Cow::Owned(text.to_owned())), Value::Int)
}
