//! A timeline for people.

use crate::scenario::MS;

/// Where the timeline goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Trace {
    /// Nowhere.
    #[default]
    Off,
    /// To standard output.
    Print,
}

impl Trace {
    pub(crate) fn line(self, at: u64, process: usize, text: impl FnOnce() -> String) {
        if self == Self::Print {
            let who = if process == usize::MAX { "metadata ".to_owned() } else { format!("process {process}") };
            println!("{:>9.3} ms  {who}  {}", at as f64 / MS as f64, text());
        }
    }
}
