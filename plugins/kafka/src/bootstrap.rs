//! When a table is described anew (`simple`).

use crate::config::Config;
use crate::encoders::Protocol;

const MS: u64 = 1_000;

/// Counts rows and time since a table was last described.
#[derive(Debug)]
pub(crate) struct Bootstrap {
    /// Milliseconds and rows between two descriptions; `None`: it is never described.
    every: Option<(u64, u64)>,
    last_ms: Option<u64>,
    rows: u64,
}

impl Bootstrap {
    pub(crate) fn new(config: &Config, protocol: Protocol) -> Self {
        let positive = |n: i64| u64::try_from(n).ok().filter(|n| *n > 0);
        let every = positive(config.send_bootstrap_interval_in_sec).zip(positive(config.send_bootstrap_in_msg_count));
        let every = every.filter(|_| protocol == Protocol::Simple).map(|(s, rows)| (s.saturating_mul(MS), rows));
        Self { every, last_ms: None, rows: 0 }
    }

    /// Whether the table is to be described before its next rows.
    pub(crate) fn is_due(&self, now_ms: u64) -> bool {
        let due = |(ms, count)| self.rows >= count || self.last_ms.is_none_or(|l| now_ms.saturating_sub(l) >= ms);
        self.every.is_some_and(due)
    }

    /// The table was described.
    pub(crate) fn described(&mut self, now_ms: u64) {
        self.last_ms = Some(now_ms);
        self.rows = 0;
    }

    /// Rows of it were sent.
    pub(crate) fn sent(&mut self, rows: u32) {
        self.rows = self.rows.saturating_add(rows.into());
    }
}

#[cfg(test)]
mod tests {
    use super::Bootstrap;
    use crate::config::Config;
    use crate::encoders::Protocol;

    #[test]
    fn first_then_by_rows_and_by_time() {
        let config =
            Config { send_bootstrap_interval_in_sec: 10, send_bootstrap_in_msg_count: 100, ..Config::default() };
        let mut b = Bootstrap::new(&config, Protocol::Simple);
        let mut rows = |n, now| {
            let due = b.is_due(now);
            if due {
                b.described(now);
            }
            b.sent(n);
            due
        };
        assert!(rows(60, 5));
        assert!(!rows(60, 6));
        assert!(rows(1, 7), "more than 100 rows");
        assert!(!rows(1, 10_000));
        assert!(rows(1, 10_007), "10 s");
        let never = Config { send_bootstrap_in_msg_count: 0, ..config };
        assert!(!Bootstrap::new(&never, Protocol::Simple).is_due(5));
        assert!(!Bootstrap::new(&Config::default(), Protocol::CanalJson).is_due(5));
    }
}
