//! What the command line may say.

use anyhow::{Context, bail};
use std::str::FromStr;

/// Help.
pub(crate) const USAGE: &str = "\
usage: tg-bench [FILTER] [--quick] [--rows N] [--row-bytes N] [--samples N]

  FILTER         only groups and stages whose name contains it
  --quick        small and short: shows that everything runs, measures coarsely
  --rows N       row changes of an end-to-end sample (default 1000000)
  --row-bytes N  bytes of a row's value (default 200)
  --samples N    interleaved samples; the median is printed (default 5)";

/// What is to be measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// Part of a name; empty: everything.
    pub(crate) filter: String,
    /// Small and short.
    pub(crate) quick: bool,
    /// Row changes of an end-to-end sample.
    pub(crate) rows: u64,
    /// Bytes of a row's value.
    pub(crate) row_bytes: usize,
    /// Samples, interleaved.
    pub(crate) samples: usize,
}

impl Options {
    /// Reads the arguments; `None`: help was asked for.
    pub(crate) fn parse(args: impl IntoIterator<Item = String>) -> anyhow::Result<Option<Self>> {
        let mut args = args.into_iter();
        let (mut filter, mut quick) = (String::new(), false);
        let (mut rows, mut row_bytes, mut samples) = (None, None, None);
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--quick" => quick = true,
                "--rows" => rows = Some(number(&arg, args.next())?),
                "--row-bytes" => row_bytes = Some(number(&arg, args.next())?),
                "--samples" => samples = Some(number(&arg, args.next())?),
                "-h" | "--help" => return Ok(None),
                other if other.starts_with('-') => bail!("no option {other:?}\n{USAGE}"),
                _ => filter = arg,
            }
        }
        Ok(Some(Self {
            filter,
            quick,
            rows: rows.unwrap_or(if quick { 40_000 } else { 1_000_000 }).max(1),
            row_bytes: row_bytes.unwrap_or(200),
            samples: samples.unwrap_or(if quick { 1 } else { 5 }).max(1),
        }))
    }

    /// Whether a stage is asked for.
    pub(crate) fn wants(&self, name: &str) -> bool {
        name.contains(&self.filter)
    }

    /// `full`, or a small part of it in a quick run.
    pub(crate) fn scaled(&self, full: u64) -> u64 {
        if self.quick { (full / 20).max(1) } else { full }
    }
}

/// A number behind an option.
pub(crate) fn number<T: FromStr>(name: &str, value: Option<String>) -> anyhow::Result<T>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    let value = value.with_context(|| format!("{name} needs a number"))?;
    value.parse().with_context(|| format!("{name} {value:?}"))
}
