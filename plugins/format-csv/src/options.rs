//! `[sink.csv]`.

use tg_format_common::EncodeError;

/// Longest delimiter, in bytes.
const DELIMITER_MAX: usize = 3;

/// How byte strings are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Binary {
    /// Base64 with padding.
    #[default]
    Base64,
    /// Lower-case hexadecimal.
    Hex,
}

/// Choices of a changefeed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// `delimiter`: between fields.
    pub delimiter: String,
    /// `quote`: around strings; `None`: backslashes escape instead.
    pub quote: Option<u8>,
    /// `null`: stands for NULL.
    pub null: String,
    /// `terminator` of `[sink]`: after each line.
    pub terminator: String,
    /// `include-commit-ts`.
    pub include_commit_ts: bool,
    /// `binary-encoding-method`.
    pub binary: Binary,
    /// `output-old-value`: an update is a deleted and an inserted line, and lines say so.
    pub output_old_value: bool,
    /// `output-field-header`: files begin with a line of names.
    pub output_field_header: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            delimiter: ",".to_owned(),
            quote: Some(b'"'),
            null: "\\N".to_owned(),
            terminator: "\r\n".to_owned(),
            include_commit_ts: false,
            binary: Binary::Base64,
            output_old_value: false,
            output_field_header: false,
        }
    }
}

impl Options {
    /// Checks that lines can be read back.
    ///
    /// # Errors
    /// When delimiter, quote and terminator exclude each other.
    pub fn check(&self) -> Result<(), EncodeError> {
        let fault = |text: &str| Err(EncodeError::Config(format!("[sink.csv] {text}")));
        if self.delimiter.is_empty() || self.delimiter.len() > DELIMITER_MAX {
            return fault("delimiter must have 1 to 3 bytes");
        }
        if self.delimiter.contains(['\r', '\n']) {
            return fault("delimiter must not contain a line break");
        }
        if self.quote.is_some_and(|quote| self.delimiter.as_bytes().contains(&quote)) {
            return fault("delimiter and quote must have no character in common");
        }
        if self.quote.is_some_and(|quote| !quote.is_ascii() || matches!(quote, b'\r' | b'\n')) {
            return fault("quote must be one ASCII character and no line break");
        }
        if self.terminator.is_empty() {
            return fault("terminator must not be empty");
        }
        Ok(())
    }
}
