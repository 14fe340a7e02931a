//! Messages that are too large.

use crate::{Claim, Compress, EncodeError, Message, Messages, Start, json};

/// Makes the name of a claim-check file.
pub type Locate = Box<dyn FnMut() -> String + Send>;

/// What becomes of a row whose message is larger than the limit.
#[derive(Default)]
pub enum LargeMode {
    /// It is an error.
    #[default]
    Refuse,
    /// The key is sent, and consumers read the row from the upstream.
    HandleKeyOnly,
    /// The message is stored, and the key and the place are sent.
    ClaimCheck {
        /// Storage the files are in, as consumers find it.
        uri: String,
        /// File names, never the same twice.
        locate: Locate,
        /// The file holds the value and nothing else.
        raw_value: bool,
    },
}

impl std::fmt::Debug for LargeMode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Refuse => "Refuse",
            Self::HandleKeyOnly => "HandleKeyOnly",
            Self::ClaimCheck { .. } => "ClaimCheck",
        })
    }
}

/// Limit of a message and what is done above it.
#[derive(Debug)]
pub struct Large {
    /// `max-message-bytes`.
    pub limit: usize,
    /// Counted above key, value and the broker's overhead.
    pub extra: usize,
    /// What is done.
    pub mode: LargeMode,
    /// Makes values smaller, those of statements and watermarks too; the result counts.
    pub compress: Option<Compress>,
}

impl Large {
    /// No limit, no compression: files.
    #[must_use]
    pub const fn unlimited() -> Self {
        Self { limit: usize::MAX, extra: 0, mode: LargeMode::Refuse, compress: None }
    }

    /// Compresses the value that was appended since the start.
    fn shrink(&self, out: &mut Messages, start: Start) -> Result<(), EncodeError> {
        let Some(compress) = self.compress else { return Ok(()) };
        let mut small = Vec::new();
        let (key, value) = out.open(start);
        let key_len = key.len();
        compress(value, &mut small)?;
        out.replace_value(start, key_len, &small);
        Ok(())
    }

    /// Completes a message that is no row's. On error nothing is left of it.
    ///
    /// # Errors
    /// When its value cannot be compressed.
    pub fn finish_other(&self, out: &mut Messages, start: Start) -> Result<(), EncodeError> {
        match self.shrink(out, start) {
            Ok(()) => out.finish(start, 0),
            Err(e) => {
                out.abort(start);
                return Err(e);
            }
        }
        Ok(())
    }

    /// This limit, above which rows are refused.
    #[must_use]
    pub const fn refuse_above(limit: usize) -> Self {
        Self { limit, extra: 0, mode: LargeMode::Refuse, compress: None }
    }
}

/// How a row is to be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome<'a> {
    /// Whole.
    Full,
    /// Key columns only, marked as such.
    KeyOnly,
    /// Key columns only, with the place of the whole.
    Claim(&'a str),
}

/// Which row it is about, for errors.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Full name of the table.
    pub table: &'a str,
    /// Commit timestamp.
    pub commit_ts: u64,
    /// Whether the table has a key.
    pub has_key: bool,
}

/// Writes a row's message, another one when the first is too large. `write` appends key and value; on error nothing is left.
///
/// # Errors
/// What `write` answers, and when there is no message within the limit.
pub fn finish_row(
    out: &mut Messages,
    large: &mut Large,
    subject: Subject<'_>,
    mut write: impl FnMut(&mut Messages, Outcome<'_>) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    let start = out.begin();
    match attempt(out, large, start, Outcome::Full, &mut write) {
        Ok(weight) if weight <= large.limit => {
            out.finish(start, 1);
            Ok(())
        }
        Ok(weight) => {
            let second = instead(out, large, start, subject, weight, &mut write);
            if second.is_err() {
                out.abort(start);
            }
            second
        }
        Err(error) => {
            out.abort(start);
            Err(error)
        }
    }
}

fn attempt(
    out: &mut Messages,
    large: &Large,
    start: Start,
    shape: Outcome<'_>,
    write: &mut impl FnMut(&mut Messages, Outcome<'_>) -> Result<(), EncodeError>,
) -> Result<usize, EncodeError> {
    write(out, shape)?;
    large.shrink(out, start)?;
    Ok(out.since(start).saturating_add(Message::OVERHEAD_BYTES + large.extra))
}

fn instead(
    out: &mut Messages,
    large: &mut Large,
    start: Start,
    subject: Subject<'_>,
    bytes: usize,
    write: &mut impl FnMut(&mut Messages, Outcome<'_>) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    let too_large = |bytes| EncodeError::TooLarge {
        table: subject.table.to_owned(),
        commit_ts: subject.commit_ts,
        bytes,
        limit: large.limit,
    };
    if !matches!(large.mode, LargeMode::Refuse) && !subject.has_key {
        return Err(EncodeError::NoKey { table: subject.table.to_owned(), commit_ts: subject.commit_ts });
    }
    let claim = match &mut large.mode {
        LargeMode::Refuse => return Err(too_large(bytes)),
        LargeMode::HandleKeyOnly => None,
        LargeMode::ClaimCheck { uri, locate, raw_value } => {
            let file = locate();
            let place = format!("{}/{file}", uri.trim_end_matches('/'));
            Some((place, Claim { message: out.len(), file, content: content(out.open(start), *raw_value) }))
        }
    };
    out.abort(start);
    let start = out.begin();
    let shape = claim.as_ref().map_or(Outcome::KeyOnly, |(place, _)| Outcome::Claim(place));
    let bytes = attempt(out, large, start, shape, write)?;
    if bytes > large.limit {
        return Err(EncodeError::TooLarge {
            table: subject.table.to_owned(),
            commit_ts: subject.commit_ts,
            bytes,
            limit: large.limit,
        });
    }
    out.finish(start, 1);
    out.claims.extend(claim.map(|(_, claim)| claim));
    Ok(())
}

/// What a claim-check file holds.
fn content((key, value): (&[u8], &[u8]), raw_value: bool) -> Vec<u8> {
    if raw_value {
        return value.to_vec();
    }
    let mut out = b"{\"key\":".to_vec();
    if key.is_empty() {
        out.extend_from_slice(b"null");
    } else {
        json::base64(&mut out, key);
    }
    out.extend_from_slice(b",\"value\":");
    json::base64(&mut out, value);
    out.push(b'}');
    out
}
