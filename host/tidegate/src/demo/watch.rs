//! Watching the changefeed through the phases of the demo.

use super::error::DemoError;
use super::load::Load;
use super::screen::Screen;
use super::stage::{Feed, FeedStatus};
use super::status::{Rates, Rising, Status, resident_bytes};
use super::text::{clock, grouped, mib, span};
use std::time::{Duration, Instant};
use tg_api::FeedState;
use tg_model::Ts;

/// Time between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// A checkpoint that has not moved for this long will not move again.
const STALLED_AFTER: Duration = Duration::from_secs(120);

/// Looks at the changefeed and remembers what it saw.
pub(super) struct Watch {
    feed: Feed,
    begin: Instant,
    rows_out: Rising,
    ddls: Rising,
    rates: Rates,
    /// The checkpoint, and since when.
    moved: (Ts, Instant),
    lag_max_ms: u64,
    rss_max_bytes: u64,
    rows_total: u64,
    ddls_total: u64,
}

impl Watch {
    pub(super) fn new(feed: Feed) -> Self {
        let now = Instant::now();
        Self {
            feed,
            begin: now,
            rows_out: Rising::default(),
            ddls: Rising::default(),
            rates: Rates::default(),
            moved: (Ts::ZERO, now),
            lag_max_ms: 0,
            rss_max_bytes: 0,
            rows_total: 0,
            ddls_total: 0,
        }
    }

    /// Looks once. `rows_in` is what was written upstream.
    async fn look(&mut self, phase: &'static str, rows_in: u64) -> Result<(Status, Ts), DemoError> {
        let seen = self.feed.status().await?;
        self.judge(&seen)?;
        let rows_out = self.rows_out.take(seen.progress.rows_total);
        let ddls = self.ddls.take(seen.progress.ddls_total);
        let (rate_in, rate_out) = self.rates.take(self.begin.elapsed(), rows_in, rows_out);
        let rss_bytes = resident_bytes();
        self.rss_max_bytes = self.rss_max_bytes.max(rss_bytes);
        (self.rows_total, self.ddls_total) = (rows_out, ddls);
        let trouble =
            seen.error.filter(|_| seen.state == FeedState::Warning).map(|(code, message)| format!("{code}: {message}"));
        let status = Status {
            phase,
            rate_in,
            rate_out,
            rows_out,
            lag_ms: seen.progress.checkpoint_lag_ms,
            checkpoint_ms: seen.checkpoint.physical_ms(),
            ddls,
            tables: seen.progress.tables,
            rss_bytes,
            spilled_bytes: seen.progress.spilled_bytes,
            trouble,
            ..Status::default()
        };
        Ok((status, seen.checkpoint))
    }

    /// Whether there is hope.
    fn judge(&mut self, seen: &FeedStatus) -> Result<(), DemoError> {
        if seen.checkpoint > self.moved.0 {
            self.moved = (seen.checkpoint, Instant::now());
        }
        let (code, message) = seen.error.clone().unwrap_or_default();
        if seen.state == FeedState::Failed {
            return Err(DemoError::Failed { code, message });
        }
        let stood = self.moved.1.elapsed();
        if stood < STALLED_AFTER {
            return Ok(());
        }
        let checkpoint = clock(seen.checkpoint.physical_ms());
        let trouble = if message.is_empty() { String::new() } else { format!(": {code}: {message}") };
        Err(DemoError::Stalled { checkpoint, secs: stood.as_secs(), trouble })
    }

    /// Until everything up to `ts` is durable: what was there before, of `rows` rows.
    pub(super) async fn catch_up(&mut self, screen: &mut Screen, ts: u64, rows: u64) -> Result<(), DemoError> {
        loop {
            let (status, checkpoint) = self.look("catch-up", rows).await?;
            let progress = format!("{} of {} rows", grouped(status.rows_out), grouped(rows));
            show(screen, &Status { done: status.rows_out, of: rows, progress, ..status });
            if checkpoint.get() >= ts {
                return Ok(());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// While workloads run: for `seconds`, or until `rows` more rows are written.
    pub(super) async fn run(
        &mut self,
        screen: &mut Screen,
        load: &mut Load,
        rows: Option<u64>,
        seconds: u64,
    ) -> Result<(), DemoError> {
        let (begin, before) = (Instant::now(), load.rows());
        loop {
            load.check()?;
            let (status, _) = self.look("running", load.rows()).await?;
            self.lag_max_ms = self.lag_max_ms.max(status.lag_ms);
            let (done, of, unit) = match rows {
                Some(rows) => (load.rows() - before, rows, "rows"),
                None => (begin.elapsed().as_secs(), seconds, "s"),
            };
            let progress = format!("{} of {} {unit}", grouped(done.min(of)), grouped(of));
            show(screen, &Status { done, of, progress, note: load.notes().last(), ..status });
            if done >= of {
                return Ok(());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Until everything up to `ts` is durable: the rest, once nothing is written any more.
    pub(super) async fn drain(&mut self, screen: &mut Screen, load: &Load, ts: u64) -> Result<(), DemoError> {
        let end_ms = Ts::new(ts).physical_ms();
        let mut first_ms = None;
        loop {
            let (status, checkpoint) = self.look("draining", load.rows()).await?;
            let from = *first_ms.get_or_insert(status.checkpoint_ms);
            let behind = end_ms.saturating_sub(status.checkpoint_ms);
            let (done, of) = (status.checkpoint_ms.saturating_sub(from), end_ms.saturating_sub(from));
            let progress = format!("{} to go", span(behind));
            show(screen, &Status { done, of, progress, note: load.notes().last(), ..status });
            if checkpoint.get() >= ts {
                return Ok(());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// What there was to see, in two lines.
    pub(super) fn summary(&self, load: &Load) -> String {
        format!(
            "  {} row changes written upstream, {} applied downstream, {} DDLs\n  largest lag {}, most memory {} (the upstream's included)",
            grouped(load.rows()),
            grouped(self.rows_total),
            grouped(self.ddls_total),
            span(self.lag_max_ms),
            mib(self.rss_max_bytes)
        )
    }
}

fn show(screen: &mut Screen, status: &Status) {
    screen.status(|paint| status.block(paint), || status.plain());
}
