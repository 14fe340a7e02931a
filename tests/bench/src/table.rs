//! The table that is printed.

use crate::measure::Cost;

/// One measured thing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line {
    /// What was measured.
    pub(crate) name: String,
    /// The figure.
    pub(crate) measured: String,
    /// Rows and bytes per second.
    pub(crate) rate: String,
    /// Against what, and how it compares.
    pub(crate) ratio: String,
    /// The target and whether it is met.
    pub(crate) target: String,
}

/// A bound that a figure is held against.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    /// At most this.
    Most(f64),
    /// At least this.
    Least(f64),
}

impl Target {
    /// The bound in words and whether the figure keeps it.
    pub(crate) fn verdict(self, figure: f64, unit: &str) -> String {
        let (sign, bound, met) = match self {
            Self::Most(b) => ("<=", b, figure <= b),
            Self::Least(b) => (">=", b, figure >= b),
        };
        format!("{sign} {bound}{unit}: {}", if met { "met" } else { "MISSED" })
    }
}

impl Line {
    /// A line with a name and a figure.
    pub(crate) fn new(name: impl Into<String>, measured: impl Into<String>) -> Self {
        Self { name: name.into(), measured: measured.into(), ..Self::default() }
    }

    /// CPU per row, and the rates that one core reaches with it.
    pub(crate) fn per_row(name: impl Into<String>, cost: Cost, row_bytes: f64) -> Self {
        let mut line = Self::new(name, format!("{:.1} ns/row", cost.cpu_ns));
        line.rate = rate(1e9 / cost.cpu_ns, row_bytes);
        line
    }

    /// With a comparison.
    pub(crate) fn ratio(mut self, ratio: impl Into<String>) -> Self {
        self.ratio = ratio.into();
        self
    }

    /// With a target.
    pub(crate) fn target(mut self, target: impl Into<String>) -> Self {
        self.target = target.into();
        self
    }

    fn cells(&self) -> [&str; 5] {
        [&self.name, &self.measured, &self.rate, &self.ratio, &self.target]
    }
}

/// `1.23 M rows/s, 456 MB/s`.
pub(crate) fn rate(rows_per_s: f64, row_bytes: f64) -> String {
    format!("{:.2} M rows/s, {:.0} MB/s", rows_per_s / 1e6, rows_per_s * row_bytes / 1e6)
}

/// Groups of lines.
#[derive(Debug, Default)]
pub(crate) struct Report {
    groups: Vec<(&'static str, Vec<Line>)>,
}

impl Report {
    /// Adds a group; one without lines is left out.
    pub(crate) fn add(&mut self, title: &'static str, lines: Vec<Line>) {
        if !lines.is_empty() {
            self.groups.push((title, lines));
        }
    }

    /// The table as text.
    pub(crate) fn text(&self) -> String {
        const HEAD: [&str; 5] = ["stage", "measured", "rate", "ratio", "target"];
        let mut widths = HEAD.map(|h| h.chars().count());
        for line in self.groups.iter().flat_map(|(_, lines)| lines) {
            for (width, cell) in widths.iter_mut().zip(line.cells()) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let mut out = String::new();
        push(&mut out, HEAD, widths);
        for (title, lines) in &self.groups {
            out.push_str(&format!("-- {title}\n"));
            lines.iter().for_each(|l| push(&mut out, l.cells(), widths));
        }
        out
    }
}

fn push(out: &mut String, cells: [&str; 5], widths: [usize; 5]) {
    let padded: Vec<String> = cells.iter().zip(widths).map(|(c, w)| format!("{c:<w$}")).collect();
    out.push_str(padded.join("  ").trim_end());
    out.push('\n');
}
