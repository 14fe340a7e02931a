//! A changefeed of this node in memory: its stop switch, its state, its counters.

use crate::cluster::Place;
use crate::plugins::FeedPlugins;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tg_api::{FeedError, FeedState, Swapped};
use tg_model::Ts;
use tg_pipeline::{FeedControl, Stats, StatsSnapshot};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What others see of a changefeed's supervisor.
pub(crate) struct Handle {
    pub(crate) stop: watch::Sender<bool>,
    pub(crate) view: Arc<View>,
    pub(crate) task: JoinHandle<()>,
}

/// State and counters of a changefeed, over all its runs in this process.
pub(crate) struct View {
    inner: Mutex<Inner>,
    spread: watch::Sender<SpreadWish>,
}

/// What is wanted of where slots run.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct SpreadWish {
    /// So many need all slots on the node of the run.
    pub(crate) gathered: u32,
    /// Nodes by slot.
    pub(crate) pins: BTreeMap<u16, String>,
}

/// All slots of a changefeed stay on the node of its run until this is dropped.
pub(crate) struct Gathered(Arc<View>);

impl Drop for Gathered {
    fn drop(&mut self) {
        self.0.spread.send_modify(|wish| wish.gathered -= 1);
    }
}

/// A run that goes on.
#[derive(Clone)]
pub(crate) struct Running {
    /// Changes its plugins.
    pub(crate) control: FeedControl,
    /// What it runs, or is changing to.
    pub(crate) plugins: Arc<FeedPlugins>,
}

struct Inner {
    /// Of the run, by slot; empty: all on this node.
    places: Vec<Place>,
    /// No slot is, or is about to be, elsewhere.
    whole: bool,
    running: Option<Running>,
    swapped: Option<Swapped>,
    state: FeedState,
    error: Option<FeedError>,
    stats: Arc<Stats>,
    checkpoint: Ts,
    restarts: u64,
    rate: Rate,
}

/// Rows and bytes per second between the last two looks.
struct Rate {
    at: Instant,
    rows: u64,
    bytes: u64,
    rows_per_sec: f64,
    bytes_per_sec: f64,
}

/// Longest wait until all slots are on one node, and how often it is looked.
const GATHER_MAX: Duration = Duration::from_secs(30);
const GATHER_POLL: Duration = Duration::from_millis(5);
/// Shortest time a rate is taken over, in seconds.
const RATE_MIN_SECS: f64 = 1.0;

impl View {
    pub(crate) fn new(state: FeedState, checkpoint: Ts) -> Self {
        let rate = Rate { at: Instant::now(), rows: 0, bytes: 0, rows_per_sec: 0.0, bytes_per_sec: 0.0 };
        let inner = Inner {
            places: Vec::new(),
            whole: true,
            running: None,
            swapped: None,
            state,
            error: None,
            stats: Arc::default(),
            checkpoint,
            restarts: 0,
            rate,
        };
        Self { inner: Mutex::new(inner), spread: watch::Sender::default() }
    }

    /// What is wanted of where slots run.
    pub(crate) fn spread(&self) -> watch::Receiver<SpreadWish> {
        self.spread.subscribe()
    }

    pub(crate) fn set_pins(&self, pins: &BTreeMap<u16, String>) {
        self.spread.send_if_modified(|wish| {
            let news = wish.pins != *pins;
            wish.pins.clone_from(pins);
            news
        });
    }

    /// Where the slots of the run are; empty: all on this node.
    pub(crate) fn places(&self) -> Vec<Place> {
        self.inner.lock().places.clone()
    }

    /// Where the slots of the run that begins are; `whole`: all on this node.
    pub(crate) fn set_places(&self, places: Vec<Place>, whole: bool) {
        let mut inner = self.inner.lock();
        (inner.places, inner.whole) = (places, whole);
    }

    fn is_whole(&self) -> bool {
        self.inner.lock().whole
    }

    /// Brings all slots to this node, and keeps them here; `None`: they did not come in time.
    pub(crate) async fn gather(self: &Arc<Self>) -> Option<Gathered> {
        self.spread.send_modify(|wish| wish.gathered += 1);
        let gathered = Gathered(Arc::clone(self));
        let deadline = Instant::now() + GATHER_MAX;
        loop {
            // One that does not run is for the caller to find.
            if self.is_whole() {
                return Some(gathered);
            }
            if Instant::now() >= deadline {
                return None;
            }
            tokio::time::sleep(GATHER_POLL).await;
        }
    }

    pub(crate) fn state(&self) -> (FeedState, Option<FeedError>) {
        let inner = self.inner.lock();
        (inner.state, inner.error.clone())
    }

    pub(crate) fn set_state(&self, state: FeedState, error: Option<FeedError>) {
        let mut inner = self.inner.lock();
        (inner.state, inner.error) = (state, error);
    }

    /// A run begins with fresh counters.
    pub(crate) fn run_begins(&self, stats: Arc<Stats>, running: Running) {
        let mut inner = self.inner.lock();
        inner.running = Some(running);
        inner.stats = stats;
        inner.restarts += 1;
        inner.rate = Rate { at: Instant::now(), rows: 0, bytes: 0, rows_per_sec: 0.0, bytes_per_sec: 0.0 };
    }

    /// The run is over; `moves`: another begins at once, with its slots elsewhere.
    pub(crate) fn run_ends(&self, moves: bool) {
        let mut inner = self.inner.lock();
        inner.running = None;
        (inner.places, inner.whole) = (Vec::new(), !moves);
    }

    /// The run, while there is one.
    pub(crate) fn running(&self) -> Option<Running> {
        self.inner.lock().running.clone()
    }

    /// The run of this control has other plugins now.
    pub(crate) fn runs(&self, plugins: Arc<FeedPlugins>) {
        if let Some(running) = &mut self.inner.lock().running {
            running.plugins = plugins;
        }
    }

    /// What became of the last swap.
    pub(crate) fn swapped(&self) -> Option<Swapped> {
        self.inner.lock().swapped.clone()
    }

    pub(crate) fn set_swapped(&self, swapped: Swapped) {
        self.inner.lock().swapped = Some(swapped);
    }

    /// Runs begun after the first.
    pub(crate) fn restarts(&self) -> u64 {
        self.inner.lock().restarts.saturating_sub(1)
    }

    pub(crate) fn stats(&self) -> StatsSnapshot {
        self.inner.lock().stats.snapshot()
    }

    /// What the run waits for, and for how long.
    pub(crate) fn waits(&self) -> Vec<(String, Duration)> {
        self.inner.lock().stats.waits()
    }

    /// Checkpoint and resolved-ts; they never go back for who looks.
    pub(crate) fn progress(&self) -> (Ts, Ts) {
        let mut inner = self.inner.lock();
        let now = inner.stats.snapshot();
        inner.checkpoint = inner.checkpoint.max(Ts::new(now.checkpoint_ts));
        (inner.checkpoint, Ts::new(now.resolved_ts).max(inner.checkpoint))
    }

    /// Rows and bytes per second, as durable downstream.
    pub(crate) fn rates(&self) -> (f64, f64) {
        let mut inner = self.inner.lock();
        let now = inner.stats.snapshot();
        let rate = &mut inner.rate;
        let secs = rate.at.elapsed().as_secs_f64();
        if secs >= RATE_MIN_SECS {
            let per_sec = |now: u64, then: u64| now.saturating_sub(then) as f64 / secs;
            rate.rows_per_sec = per_sec(now.rows_durable, rate.rows);
            rate.bytes_per_sec = per_sec(now.bytes_out, rate.bytes);
            (rate.at, rate.rows, rate.bytes) = (Instant::now(), now.rows_durable, now.bytes_out);
        }
        (rate.rows_per_sec, rate.bytes_per_sec)
    }
}
