//! Conditions over the values of a row.

mod eval;
mod number;
mod parse;
mod token;

use crate::{FilterError, RowValues};
use std::borrow::Cow;
use tg_model::{TableVersion, TypeCode};

pub use parse::EXPRESSION_DEPTH_MAX;

/// A value of a row.
#[derive(Clone, PartialEq, Debug)]
pub enum Value<'a> {
    /// NULL.
    Null,
    /// Integers, YEAR and BIT.
    Int(i128),
    /// FLOAT and DOUBLE.
    Real(f64),
    /// DECIMAL, as text.
    Decimal(Cow<'a, str>),
    /// Strings, ENUM and SET by name, times and JSON in their text form.
    Text(Cow<'a, str>),
    /// Byte strings.
    Bytes(Cow<'a, [u8]>),
}

/// A condition as written.
#[derive(Clone, Debug)]
pub struct Expression {
    text: String,
    node: Node<String>,
}

/// A condition on the rows of one table version.
#[derive(Clone, Debug)]
pub struct Bound {
    node: Node<Slot>,
}

/// A column of a table version.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    pub(crate) at: u32,
    /// Compares without case.
    pub(crate) ignores_case: bool,
    /// Its text is a date or a time.
    pub(crate) is_time: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Binary {
    And,
    Or,
    Xor,
    Equal,
    NullSafeEqual,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    IntDivide,
    Modulo,
}

/// A parsed expression; `C` stands for columns.
#[derive(Clone, Debug)]
pub(crate) enum Node<C> {
    Literal(Value<'static>),
    Column(C),
    Not(Box<Self>),
    Negate(Box<Self>),
    Binary(Binary, Box<Self>, Box<Self>),
    /// IS NULL (`None`), IS TRUE, IS FALSE.
    Is(Box<Self>, Option<bool>),
    In(Box<Self>, Vec<Self>),
    /// Value, low, high.
    Between(Box<[Self; 3]>),
    Like {
        text: Box<Self>,
        pattern: Box<Self>,
        escape: char,
    },
    Call(Function, Vec<Self>),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Function {
    Abs,
    CharLength,
    Coalesce,
    Concat,
    If,
    Length,
    Lower,
    Upper,
}

impl Expression {
    /// Reads a condition.
    ///
    /// # Errors
    /// With the column where reading stopped.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        Ok(Self { text: text.to_owned(), node: parse::parse(text)? })
    }

    /// Finds the columns in a table version.
    ///
    /// # Errors
    /// When one is missing.
    pub fn bind(&self, table: &TableVersion) -> Result<Bound, FilterError> {
        let find = |name: &String| {
            let at = table.columns.iter().position(|c| c.name.eq_ignore_ascii_case(name));
            let column = at.and_then(|at| Some((u32::try_from(at).ok()?, table.columns.get(at)?)));
            let Some((at, column)) = column else {
                return Err(FilterError::ColumnNotFound {
                    text: self.text.clone(),
                    column: name.clone(),
                    schema: table.schema.clone(),
                    table: table.name.clone(),
                });
            };
            let is_time =
                matches!(column.ty.code, TypeCode::DateTime | TypeCode::Timestamp | TypeCode::Date | TypeCode::Time);
            Ok(Slot { at, ignores_case: column.ty.collation.ends_with("_ci"), is_time })
        };
        Ok(Bound { node: self.node.map(&find)? })
    }
}

impl Bound {
    /// Whether the condition holds; NULL does not.
    #[must_use]
    pub fn is_true(&self, row: &dyn RowValues) -> bool {
        eval::truth(&eval::eval(&self.node, row)) == Some(true)
    }
}

impl<C> Node<C> {
    /// The same expression with other columns.
    fn map<D, E>(&self, f: &impl Fn(&C) -> Result<D, E>) -> Result<Node<D>, E> {
        let one = |n: &Self| n.map(f).map(Box::new);
        let many = |l: &[Self]| l.iter().map(|n| n.map(f)).collect::<Result<Vec<_>, E>>();
        Ok(match self {
            Self::Literal(v) => Node::Literal(v.clone()),
            Self::Column(c) => Node::Column(f(c)?),
            Self::Not(a) => Node::Not(one(a)?),
            Self::Negate(a) => Node::Negate(one(a)?),
            Self::Binary(op, a, b) => Node::Binary(*op, one(a)?, one(b)?),
            Self::Is(a, what) => Node::Is(one(a)?, *what),
            Self::In(a, list) => Node::In(one(a)?, many(list)?),
            Self::Between(parts) => {
                let [value, low, high] = &**parts;
                Node::Between(Box::new([value.map(f)?, low.map(f)?, high.map(f)?]))
            }
            Self::Like { text, pattern, escape } => {
                Node::Like { text: one(text)?, pattern: one(pattern)?, escape: *escape }
            }
            Self::Call(function, args) => Node::Call(*function, many(args)?),
        })
    }
}

#[cfg(test)]
mod tests;
