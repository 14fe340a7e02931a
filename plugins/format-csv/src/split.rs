//! Files to lines, lines to fields.

use crate::Options;
use tg_format_common::DecodeError;

/// A field as it stands in the file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Field {
    /// In quotes, which are taken off.
    Quoted(Vec<u8>),
    /// Without quotes, and the text with backslashes resolved where there are no quotes.
    Bare(Vec<u8>),
    /// The null mark.
    Null,
}

/// Takes the next line from the file; `None` at its end.
pub(crate) fn line(rest: &mut &[u8], options: &Options) -> Result<Option<Vec<Field>>, DecodeError> {
    if rest.is_empty() {
        return Ok(None);
    }
    let mut fields = Vec::new();
    loop {
        fields.push(field(rest, options)?);
        if let Some(tail) = rest.strip_prefix(options.terminator.as_bytes()) {
            *rest = tail;
            return Ok(Some(fields));
        }
        *rest = rest.strip_prefix(options.delimiter.as_bytes()).ok_or(DecodeError::Short("line"))?;
    }
}

fn field(rest: &mut &[u8], options: &Options) -> Result<Field, DecodeError> {
    match options.quote {
        Some(quote) if rest.first() == Some(&quote) => quoted(rest, quote),
        Some(_) => Ok(bare(rest, options)),
        None => Ok(unescaped(rest, options)),
    }
}

fn quoted(rest: &mut &[u8], quote: u8) -> Result<Field, DecodeError> {
    let mut text = Vec::new();
    let mut tail = rest.get(1..).unwrap_or_default();
    loop {
        let at = tail.iter().position(|b| *b == quote).ok_or(DecodeError::Short("quoted field"))?;
        let (head, behind) = tail.split_at(at);
        text.extend_from_slice(head);
        tail = behind.get(1..).unwrap_or_default();
        match tail.split_first() {
            Some((next, more)) if *next == quote => {
                text.push(quote);
                tail = more;
            }
            _ => {
                *rest = tail;
                return Ok(Field::Quoted(text));
            }
        }
    }
}

/// Whether a field ends here.
fn ends(rest: &[u8], options: &Options) -> bool {
    rest.is_empty() || rest.starts_with(options.delimiter.as_bytes()) || rest.starts_with(options.terminator.as_bytes())
}

fn bare(rest: &mut &[u8], options: &Options) -> Field {
    let len = (0..rest.len()).find(|at| ends(rest.get(*at..).unwrap_or_default(), options)).unwrap_or(rest.len());
    let (text, tail) = rest.split_at(len);
    *rest = tail;
    if text == options.null.as_bytes() { Field::Null } else { Field::Bare(text.to_vec()) }
}

fn unescaped(rest: &mut &[u8], options: &Options) -> Field {
    if let Some(tail) = rest.strip_prefix(options.null.as_bytes())
        && ends(tail, options)
    {
        *rest = tail;
        return Field::Null;
    }
    let mut text = Vec::new();
    while !ends(rest, options) {
        let (byte, tail) = match rest {
            [b'\\', b'n', tail @ ..] => (b'\n', tail),
            [b'\\', b'r', tail @ ..] => (b'\r', tail),
            [b'\\', byte, tail @ ..] | [byte, tail @ ..] => (*byte, tail),
            [] => break,
        };
        text.push(byte);
        *rest = tail;
    }
    Field::Bare(text)
}
