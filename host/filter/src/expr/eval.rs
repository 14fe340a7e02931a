//! Evaluation, with SQL's third truth value.

use super::number::Number;
use super::{Binary, Function, Node, Slot, Value};
use crate::RowValues;
use std::borrow::Cow;
use std::cmp::Ordering;

type Expr = Node<Slot>;

/// Whether a value counts as true; `None` for NULL.
pub(crate) fn truth(value: &Value<'_>) -> Option<bool> {
    Number::of(value).map(|n| !n.is_zero())
}

fn from_truth(truth: Option<bool>) -> Value<'static> {
    truth.map_or(Value::Null, |b| Value::Int(i128::from(b)))
}

pub(crate) fn eval<'a>(node: &'a Expr, row: &'a dyn RowValues) -> Value<'a> {
    match node {
        Node::Literal(v) => v.clone(),
        Node::Column(slot) => row.value(slot.at),
        Node::Not(a) => from_truth(truth(&eval(a, row)).map(|b| !b)),
        Node::Negate(a) => Number::of(&eval(a, row)).map_or(Value::Null, |n| n.negated().into_value()),
        Node::Binary(op, a, b) => binary(*op, a, b, row),
        Node::Is(a, None) => Value::Int(i128::from(eval(a, row) == Value::Null)),
        Node::Is(a, Some(want)) => Value::Int(i128::from(truth(&eval(a, row)) == Some(*want))),
        Node::In(a, list) => from_truth(is_in(a, list, row)),
        Node::Between(parts) => {
            let [value, low, high] = &**parts;
            let above = holds(Binary::GreaterEqual, value, low, row);
            from_truth(and(above, || holds(Binary::LessEqual, value, high, row)))
        }
        Node::Like { text, pattern, escape } => from_truth(is_like(text, pattern, *escape, row)),
        Node::Call(function, args) => call(*function, args, row),
    }
}

fn and(a: Option<bool>, b: impl FnOnce() -> Option<bool>) -> Option<bool> {
    if a == Some(false) {
        return Some(false);
    }
    match (a, b()) {
        (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn binary(op: Binary, a: &Expr, b: &Expr, row: &dyn RowValues) -> Value<'static> {
    let bool_of = |n: &Expr| truth(&eval(n, row));
    match op {
        Binary::And => from_truth(and(bool_of(a), || bool_of(b))),
        Binary::Or => from_truth(and(bool_of(a).map(|x| !x), || bool_of(b).map(|x| !x)).map(|x| !x)),
        Binary::Xor => from_truth(bool_of(a).zip(bool_of(b)).map(|(x, y)| x != y)),
        Binary::Add | Binary::Subtract | Binary::Multiply | Binary::Divide | Binary::IntDivide | Binary::Modulo => {
            let numbers = Number::of(&eval(a, row)).zip(Number::of(&eval(b, row)));
            numbers.and_then(|(x, y)| Number::calculate(op, x, y)).map_or(Value::Null, Number::into_value)
        }
        _ => from_truth(holds(op, a, b, row)),
    }
}

/// Whether a comparison holds.
fn holds(op: Binary, a: &Expr, b: &Expr, row: &dyn RowValues) -> Option<bool> {
    let (x, y) = (eval(a, row), eval(b, row));
    if op == Binary::NullSafeEqual && (x == Value::Null || y == Value::Null) {
        return Some(x == y);
    }
    let order = compare(&x, &y, Manner::of(a, b))?;
    Some(match op {
        Binary::Equal | Binary::NullSafeEqual => order == Ordering::Equal,
        Binary::NotEqual => order != Ordering::Equal,
        Binary::Less => order == Ordering::Less,
        Binary::LessEqual => order != Ordering::Greater,
        Binary::Greater => order == Ordering::Greater,
        _ => order != Ordering::Less,
    })
}

/// How strings compare, by the columns that take part.
#[derive(Clone, Copy, Default)]
struct Manner {
    ignores_case: bool,
    is_time: bool,
}

impl Manner {
    fn of(a: &Expr, b: &Expr) -> Self {
        let mut out = Self::default();
        for slot in [a, b].into_iter().filter_map(slot) {
            out.ignores_case |= slot.ignores_case;
            out.is_time |= slot.is_time;
        }
        out
    }
}

/// The column whose collation a value has.
fn slot(node: &Expr) -> Option<Slot> {
    match node {
        Node::Column(s) => Some(*s),
        Node::Call(_, args) => args.iter().find_map(slot),
        _ => None,
    }
}

fn compare(a: &Value<'_>, b: &Value<'_>, manner: Manner) -> Option<Ordering> {
    match (a, b) {
        (Value::Null, _) | (_, Value::Null) => None,
        (Value::Text(x), Value::Text(y)) => Some(compare_text(x, y, manner)),
        (Value::Text(_) | Value::Bytes(_), Value::Text(_) | Value::Bytes(_)) => Some(bytes(a).cmp(bytes(b))),
        _ => Number::of(a)?.compare(Number::of(b)?),
    }
}

fn bytes<'v>(value: &'v Value<'_>) -> &'v [u8] {
    match value {
        Value::Text(s) | Value::Decimal(s) => s.as_bytes(),
        Value::Bytes(b) => b,
        _ => &[],
    }
}

/// Trailing spaces do not count, as in all collations that pad.
fn compare_text(a: &str, b: &str, manner: Manner) -> Ordering {
    let (a, b) = (a.trim_end_matches(' '), b.trim_end_matches(' '));
    if manner.is_time {
        return canonical_time(a).cmp(&canonical_time(b));
    }
    if manner.ignores_case {
        return a.chars().flat_map(char::to_lowercase).cmp(b.chars().flat_map(char::to_lowercase));
    }
    a.cmp(b)
}

/// A date is its midnight, and zeros at the end of a fraction do not count.
fn canonical_time(text: &str) -> Cow<'_, str> {
    const DATE_LEN: usize = 10;
    if text.len() == DATE_LEN && text.as_bytes().get(4) == Some(&b'-') {
        return Cow::Owned(format!("{text} 00:00:00"));
    }
    if text.contains('.') {
        Cow::Borrowed(text.trim_end_matches('0').trim_end_matches('.'))
    } else {
        Cow::Borrowed(text)
    }
}

fn is_in(a: &Expr, list: &[Expr], row: &dyn RowValues) -> Option<bool> {
    let mut unknown = false;
    for member in list {
        match holds(Binary::Equal, a, member, row) {
            Some(true) => return Some(true),
            Some(false) => {}
            None => unknown = true,
        }
    }
    (!unknown).then_some(false)
}

fn text_of(value: &Value<'_>) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        Value::Int(n) => n.to_string(),
        Value::Real(f) => f.to_string(),
        Value::Decimal(s) | Value::Text(s) => s.to_string(),
        Value::Bytes(b) => String::from_utf8_lossy(b).into_owned(),
    })
}

fn is_like(text: &Expr, pattern: &Expr, escape: char, row: &dyn RowValues) -> Option<bool> {
    let ignores_case = Manner::of(text, pattern).ignores_case;
    let chars = |s: String| -> Vec<char> { if ignores_case { s.to_lowercase() } else { s }.chars().collect() };
    let text = chars(text_of(&eval(text, row))?);
    let pattern = chars(text_of(&eval(pattern, row))?);
    Some(like(&text, &pattern, escape))
}

/// Greedy, going back to the last `%` only.
fn like(text: &[char], pattern: &[char], escape: char) -> bool {
    let (mut t, mut p) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        let step = match pattern.get(p) {
            Some('%') => {
                p += 1;
                retry = Some((p, t));
                continue;
            }
            Some(c) if *c == escape && p + 1 < pattern.len() => (pattern.get(p + 1) == text.get(t)).then_some(2),
            Some('_') => text.get(t).map(|_| 1),
            Some(c) => (Some(c) == text.get(t)).then_some(1),
            None if t == text.len() => return true,
            None => None,
        };
        if let Some(len) = step {
            p += len;
            t += 1;
        } else if let Some((at, from)) = retry.filter(|(_, from)| *from < text.len()) {
            retry = Some((at, from + 1));
            (p, t) = (at, from + 1);
        } else {
            return false;
        }
    }
}

fn call<'a>(function: Function, args: &'a [Expr], row: &'a dyn RowValues) -> Value<'a> {
    let first = || args.first().map_or(Value::Null, |a| eval(a, row));
    let text = || text_of(&first());
    let string = |s: Option<String>| s.map_or(Value::Null, |s| Value::Text(Cow::Owned(s)));
    let count = |n: Option<usize>| n.and_then(|n| i128::try_from(n).ok()).map_or(Value::Null, Value::Int);
    match function {
        Function::Abs => Number::of(&first()).map_or(Value::Null, |n| {
            let negative = n.compare(Number::Real(0.0)) == Some(Ordering::Less);
            if negative { n.negated().into_value() } else { n.into_value() }
        }),
        Function::CharLength => count(text().map(|s| s.chars().count())),
        Function::Coalesce => args.iter().map(|a| eval(a, row)).find(|v| *v != Value::Null).unwrap_or(Value::Null),
        Function::Concat => string(args.iter().map(|a| text_of(&eval(a, row))).collect()),
        Function::If => {
            let chosen = if truth(&first()) == Some(true) { args.get(1) } else { args.get(2) };
            chosen.map_or(Value::Null, |a| eval(a, row))
        }
        Function::Length => count(match first() {
            Value::Bytes(b) => Some(b.len()),
            other => text_of(&other).map(|s| s.len()),
        }),
        Function::Lower => string(text().map(|s| s.to_lowercase())),
        Function::Upper => string(text().map(|s| s.to_uppercase())),
    }
}
