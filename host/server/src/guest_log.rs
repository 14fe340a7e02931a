//! What plugins log, for `tidegate plugin logs`: the last lines of each, taken from the process' log.

use parking_lot::Mutex;
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Debug;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tg_api::PluginLine;
use tokio::sync::watch;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// Target of the lines of guests.
const TARGET: &str = "tidegate::guest";
/// Lines kept of one plugin.
const LINES_MAX: usize = 1_000;
/// Bytes kept of one plugin's lines.
const BYTES_MAX: usize = 256 << 10;
/// Plugins whose lines are kept; those of more are not.
const PLUGINS_MAX: usize = 256;

/// The last lines of every plugin. Cheap to clone; a layer of the process' log fills it.
#[derive(Clone)]
pub struct GuestLog(Arc<Inner>);

struct Inner {
    plugins: Mutex<BTreeMap<String, Lines>>,
    /// Counts lines, for those who wait.
    changed: watch::Sender<u64>,
}

#[derive(Default)]
struct Lines {
    last: u64,
    bytes: usize,
    lines: VecDeque<PluginLine>,
}

impl Default for GuestLog {
    fn default() -> Self {
        Self(Arc::new(Inner { plugins: Mutex::default(), changed: watch::Sender::new(0) }))
    }
}

impl GuestLog {
    /// What the process' log is to be layered with.
    #[must_use]
    pub fn layer<S: Subscriber>(&self) -> impl Layer<S> + Send + Sync + use<S> {
        Tap(self.clone())
    }

    fn push(&self, plugin: &str, mut line: PluginLine) {
        let mut plugins = self.0.plugins.lock();
        if !plugins.contains_key(plugin) && plugins.len() >= PLUGINS_MAX {
            return;
        }
        let kept = plugins.entry(plugin.to_owned()).or_default();
        kept.last += 1;
        line.seq = kept.last;
        kept.bytes += line.text.len();
        kept.lines.push_back(line);
        while kept.lines.len() > LINES_MAX || kept.bytes > BYTES_MAX {
            let Some(oldest) = kept.lines.pop_front() else { break };
            kept.bytes -= oldest.text.len();
        }
        drop(plugins);
        self.0.changed.send_modify(|n| *n += 1);
    }

    /// A line by the node, about a plugin.
    pub(crate) fn note(&self, plugin: &str, changefeed: &str, level: &str, text: String) {
        let (level, changefeed) = (level.to_owned(), changefeed.to_owned());
        self.push(plugin, PluginLine { seq: 0, at_ms: now_ms(), level, changefeed, slot: 0, lane: 0, text });
    }

    fn after(&self, plugin: &str, after: u64, limit: usize) -> Vec<PluginLine> {
        let plugins = self.0.plugins.lock();
        let lines = plugins.get(plugin).into_iter().flat_map(|kept| kept.lines.iter());
        lines.filter(|l| l.seq > after).take(limit).cloned().collect()
    }

    /// Lines after `after`; waits up to `wait` for the first.
    pub(crate) async fn lines(&self, plugin: &str, after: u64, limit: usize, wait: Duration) -> Vec<PluginLine> {
        let mut changed = self.0.changed.subscribe();
        let deadline = tokio::time::Instant::now() + wait;
        loop {
            let found = self.after(plugin, after, limit);
            if !found.is_empty() || tokio::time::timeout_at(deadline, changed.changed()).await.is_err() {
                return found;
            }
        }
    }
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64)
}

struct Tap(GuestLog);

impl<S: Subscriber> Layer<S> for Tap {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() != TARGET {
            return;
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        let level = match *event.metadata().level() {
            Level::TRACE => "trace",
            Level::DEBUG => "debug",
            Level::INFO => "info",
            Level::WARN => "warn",
            Level::ERROR => "error",
        };
        let line = PluginLine { at_ms: now_ms(), level: level.to_owned(), ..fields.line };
        self.0.push(&fields.plugin, line);
    }
}

struct Fields {
    plugin: String,
    line: PluginLine,
}

impl Default for Fields {
    fn default() -> Self {
        let (level, changefeed, text) = (String::new(), String::new(), String::new());
        let line = PluginLine { seq: 0, at_ms: 0, level, changefeed, slot: 0, lane: 0, text };
        Self { plugin: String::new(), line }
    }
}

impl Visit for Fields {
    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "slot" => self.line.slot = value,
            "lane" => self.line.lane = value,
            _ => {}
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "plugin" => value.clone_into(&mut self.plugin),
            "feed" => value.clone_into(&mut self.line.changefeed),
            "message" => value.clone_into(&mut self.line.text),
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            self.line.text = format!("{value:?}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{GuestLog, LINES_MAX};
    use std::time::Duration;
    use tracing_subscriber::layer::SubscriberExt as _;

    #[tokio::test]
    async fn lines_of_guests_are_kept_by_plugin_up_to_a_bound() {
        let log = GuestLog::default();
        let subscriber = tracing_subscriber::registry().with(log.layer());
        tracing::subscriber::with_default(subscriber, || {
            let (plugin, feed, slot, lane) = ("orders", "default/a", 3_u16, 1_u16);
            for i in 0..LINES_MAX + 5 {
                tracing::warn!(target: "tidegate::guest", plugin, feed, slot, lane, "line {i}");
            }
            tracing::warn!(plugin, "not of a guest");
        });
        let first = log.lines("orders", 0, 1, Duration::ZERO).await;
        assert_eq!((first[0].seq, first[0].text.as_str()), (6, "line 5"));
        assert_eq!((first[0].level.as_str(), first[0].changefeed.as_str(), first[0].slot), ("warn", "default/a", 3));
        assert_eq!(log.lines("orders", 0, usize::MAX, Duration::ZERO).await.len(), LINES_MAX);
        assert!(log.lines("other", 0, 1, Duration::ZERO).await.is_empty());
    }

    #[tokio::test]
    async fn who_waits_is_woken_by_a_line() {
        let log = GuestLog::default();
        let waiting = tokio::spawn({
            let log = log.clone();
            async move { log.lines("orders", 0, 10, Duration::from_secs(600)).await }
        });
        tokio::task::yield_now().await;
        log.note("other", "a", "info", "x".to_owned());
        log.note("orders", "a", "info", "y".to_owned());
        assert_eq!(waiting.await.unwrap()[0].text, "y");
    }
}
