//! Printing and asking.

use crate::CliError;
use std::io::{BufRead, Write};

/// What a command prints to and reads from.
pub struct Terminal<'a> {
    /// Answers.
    pub out: &'a mut (dyn Write + Send),
    /// Everything else.
    pub err: &'a mut (dyn Write + Send),
    /// What a person types.
    pub input: &'a mut (dyn BufRead + Send),
    /// A person can be asked.
    pub interactive: bool,
    /// Errors may be coloured.
    pub colour: bool,
}

impl Terminal<'_> {
    /// Asks; anything but yes is an error. Without a person it is an error unless `confirmed`.
    pub(crate) fn confirm(&mut self, confirmed: bool, what: &str) -> Result<(), CliError> {
        if confirmed {
            return Ok(());
        }
        if self.interactive {
            write!(self.err, "{what} Go on? [y/N] ")?;
            self.err.flush()?;
            let mut line = String::new();
            self.input.read_line(&mut line)?;
            if matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
                return Ok(());
            }
        }
        Err(CliError::NotConfirmed { reason: format!("{what} Nothing was done.") })
    }

    /// Prints a line of the answer.
    pub(crate) fn say(&mut self, line: &str) -> Result<(), CliError> {
        writeln!(self.out, "{line}")?;
        Ok(())
    }

    /// Prints JSON with two spaces of indentation.
    pub(crate) fn json(&mut self, value: &serde_json::Value) -> Result<(), CliError> {
        let text = serde_json::to_string_pretty(value).unwrap_or_default();
        self.say(&text)
    }

    /// Prints a table with a head.
    pub(crate) fn table(&mut self, head: &[&str], rows: Vec<Vec<String>>) -> Result<(), CliError> {
        let head = head.iter().map(|h| (*h).to_owned()).collect();
        let rows: Vec<Vec<String>> = std::iter::once(head).chain(rows).collect();
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |i: usize| rows.iter().filter_map(|r| r.get(i)).map(|c| c.chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in &rows {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            let line = cells.collect::<Vec<_>>().join("  ");
            writeln!(self.out, "{}", line.trim_end())?;
        }
        Ok(())
    }

    /// Prints names and values.
    pub(crate) fn pairs(&mut self, pairs: &[(&str, String)]) -> Result<(), CliError> {
        let shown = || pairs.iter().filter(|(_, value)| !value.is_empty());
        let width = shown().map(|(name, _)| name.len()).max().unwrap_or(0) + 1;
        for (name, value) in shown() {
            writeln!(self.out, "{:<width$} {value}", format!("{name}:"))?;
        }
        Ok(())
    }
}

/// A time span for people.
pub(crate) fn span(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms}ms"),
        1_000..60_000 => format!("{:.1}s", ms as f64 / 1e3),
        60_000..3_600_000 => format!("{:.1}min", ms as f64 / 6e4),
        _ => format!("{:.1}h", ms as f64 / 3.6e6),
    }
}

/// A number for people.
pub(crate) fn count(n: f64) -> String {
    match n {
        n if n >= 1e9 => format!("{:.2}G", n / 1e9),
        n if n >= 1e6 => format!("{:.2}M", n / 1e6),
        n if n >= 1e4 => format!("{:.1}k", n / 1e3),
        n => format!("{n:.0}"),
    }
}

/// A size for people.
pub(crate) fn bytes(n: u64) -> String {
    let (mut size, mut unit) = (n as f64, 0);
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    while size >= 1024.0 && unit + 1 < units.len() {
        size /= 1024.0;
        unit += 1;
    }
    let digits = usize::from(unit > 0);
    format!("{size:.digits$}{}", units.get(unit).copied().unwrap_or_default())
}
