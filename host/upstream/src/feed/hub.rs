//! The task that runs the control: feeds it what happens, does what it wants.

use super::budget::Budget;
use super::control::Control;
use super::effect::{Effect, Input, Signal, StreamNo};
use super::loader::Loader;
use super::sink::{FeedEvent, FeedSender};
use super::stream::{Command, StreamTask};
use super::{FeedLimits, FeedOptions};
use crate::UpstreamError;
use crate::key::KeyRange;
use crate::kv::LockResolver;
use crate::pd::Pd;
use crate::stat::RegionStat;
use crate::stores::StoreMap;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tg_model::{SpanId, Ts};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Messages of streams that wait for the hub.
const NEWS_MAX: usize = 1024;
/// Ranges whose locks are resolved at once; others wait for the next check.
const LOCK_JOBS_MAX: usize = 8;

/// From users of the client; as many as there are calls.
enum Order {
    Subscribe { span: SpanId, range: KeyRange, start: Ts, options: FeedOptions, sink: FeedSender },
    Unsubscribe { span: SpanId },
    Regions { span: SpanId, answer: oneshot::Sender<Vec<RegionStat>> },
}

/// Talks to the hub.
#[derive(Clone)]
pub(crate) struct HubHandle(mpsc::UnboundedSender<Order>);

impl HubHandle {
    /// Starts feeding; a span that is fed already starts anew.
    pub(crate) fn subscribe(&self, span: SpanId, range: KeyRange, start: Ts, options: FeedOptions, sink: FeedSender) {
        self.order(Order::Subscribe { span, range, start, options, sink });
    }

    pub(crate) fn unsubscribe(&self, span: SpanId) {
        self.order(Order::Unsubscribe { span });
    }

    pub(crate) async fn regions(&self, span: SpanId) -> Result<Vec<RegionStat>, UpstreamError> {
        let (answer, stats) = oneshot::channel();
        self.order(Order::Regions { span, answer });
        stats.await.map_err(|_| UpstreamError::Closed)
    }

    fn order(&self, order: Order) {
        // A stopped hub feeds nobody any more.
        let _ = self.0.send(order);
    }
}

/// What the hub needs of its surroundings.
pub(crate) struct Surroundings {
    pub(crate) pd: Arc<Pd>,
    pub(crate) stores: Arc<StoreMap>,
    pub(crate) locks: Arc<LockResolver>,
    pub(crate) budget: Arc<Budget>,
    pub(crate) prefix_len: usize,
    pub(crate) limits: FeedLimits,
    pub(crate) stop: CancellationToken,
}

/// See the module.
pub(crate) struct Hub {
    around: Surroundings,
    control: Control,
    begin: Instant,
    groups: HashMap<u64, FeedSender>,
    streams: HashMap<StreamNo, mpsc::UnboundedSender<Command>>,
    loader: Loader,
    lock_jobs: Arc<Semaphore>,
    news: mpsc::Sender<Vec<Input>>,
    answers: mpsc::UnboundedSender<Vec<Input>>,
}

impl Hub {
    /// Starts the task.
    pub(crate) fn start(around: Surroundings) -> HubHandle {
        let (orders_tx, orders) = mpsc::unbounded_channel();
        let (news, news_rx) = mpsc::channel(NEWS_MAX);
        let (loads, loads_rx) = mpsc::unbounded_channel();
        let (answers, answers_rx) = mpsc::unbounded_channel();
        let hub = Self {
            control: Control::new(around.limits.clone(), rand::random()),
            begin: Instant::now(),
            groups: HashMap::new(),
            streams: HashMap::new(),
            loader: Loader::new(Arc::clone(&around.pd), loads),
            lock_jobs: Arc::new(Semaphore::new(LOCK_JOBS_MAX)),
            news,
            answers,
            around,
        };
        let stop = hub.around.stop.clone();
        tokio::spawn(stop.run_until_cancelled_owned(hub.run(orders, news_rx, loads_rx, answers_rx)));
        HubHandle(orders_tx)
    }

    async fn run(
        mut self,
        mut orders: mpsc::UnboundedReceiver<Order>,
        mut news: mpsc::Receiver<Vec<Input>>,
        mut loads: mpsc::UnboundedReceiver<Vec<Input>>,
        mut answers: mpsc::UnboundedReceiver<Vec<Input>>,
    ) {
        let mut effects = Vec::new();
        let pause = Duration::from_millis(self.around.limits.lock_check_ms.max(1));
        let mut lock_check = tokio::time::interval_at(self.begin + pause, pause);
        lock_check.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let due = self.control.next_timer_ms().map(|ms| self.begin + Duration::from_millis(ms));
            let timer = async {
                match due {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            let inputs = tokio::select! {
                order = orders.recv() => match order {
                    Some(order) => self.order(order),
                    None => return,
                },
                Some(inputs) = news.recv() => inputs,
                Some(inputs) = loads.recv() => {
                    self.loader.finished();
                    inputs
                }
                Some(inputs) = answers.recv() => inputs,
                _ = lock_check.tick() => {
                    self.ask_for_lock_check();
                    continue;
                }
                () = timer => vec![Input::Tick],
            };
            let now_ms = self.begin.elapsed().as_millis() as u64;
            for input in inputs {
                self.note(&input);
                self.around.budget.meters().note(&input);
                self.control.step(now_ms, input, &mut effects);
            }
            for effect in effects.drain(..) {
                self.perform(effect);
            }
            self.loader.pump();
            self.around.budget.meters().streams.store(self.streams.len() as u64, Ordering::Relaxed);
        }
    }

    fn order(&mut self, order: Order) -> Vec<Input> {
        match order {
            Order::Subscribe { span, range, start, options, sink } => {
                let group = sink.id();
                self.groups.entry(group).or_insert(sink);
                vec![Input::Subscribe { span, range, start, group, filter_loop: options.filter_loop }]
            }
            Order::Unsubscribe { span } => vec![Input::Unsubscribe { span }],
            Order::Regions { span, answer } => {
                // Who does not wait any more does not need it.
                let _ = answer.send(self.control.regions(span));
                Vec::new()
            }
        }
    }

    fn note(&mut self, input: &Input) {
        match input {
            Input::StreamDown { stream, .. } => {
                self.streams.remove(stream);
            }
            Input::GroupClosed { group } => {
                self.groups.remove(group);
            }
            _ => {}
        }
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Load { request, ranges } => self.loader.add(request, ranges),
            Effect::Open { stream, store, group } => self.open(stream, store, group),
            Effect::Close { stream } => {
                self.streams.remove(&stream);
            }
            Effect::Register { stream, registration } => self.command(stream, Command::Register(registration)),
            Effect::Deregister { stream, request } => self.command(stream, Command::Deregister { request }),
            Effect::Signal { group, signal } => self.signal(group, signal),
            Effect::ResolveLocks { range, max_ts } => self.resolve_locks(range, max_ts),
        }
    }

    fn command(&self, stream: StreamNo, command: Command) {
        if let Some(commands) = self.streams.get(&stream) {
            // A stream that has just ended reports that itself.
            let _ = commands.send(command);
        }
    }

    fn open(&mut self, stream: StreamNo, store: u64, group: u64) {
        let Some(sink) = self.groups.get(&group).cloned() else {
            self.answer(vec![Input::GroupClosed { group }]);
            return;
        };
        let (tx, commands) = mpsc::unbounded_channel();
        self.streams.insert(stream, tx);
        let task = StreamTask {
            stream,
            store,
            group,
            cluster_id: self.around.pd.cluster_id(),
            prefix_len: self.around.prefix_len,
            unread_max: Duration::from_millis(self.around.limits.unread_max_ms),
            budget: Arc::clone(&self.around.budget),
            stores: Arc::clone(&self.around.stores),
            sink,
            commands,
            hub: self.news.clone(),
        };
        tokio::spawn(self.around.stop.clone().run_until_cancelled_owned(task.run()));
    }

    fn answer(&self, inputs: Vec<Input>) {
        // The receiver is this very task.
        let _ = self.answers.send(inputs);
    }

    fn signal(&self, group: u64, signal: Signal) {
        let Some(sink) = self.groups.get(&group) else {
            return;
        };
        let heard = match signal {
            Signal::Resolved { span, ts } => sink.resolved(span, ts),
            Signal::Initialized { span } => sink.tell(FeedEvent::Initialized { span }),
            Signal::Failed { span, error } => {
                tracing::error!(span = span.0, %error, "a change feed has failed");
                sink.tell(FeedEvent::Failed { span, error })
            }
        };
        if !heard {
            self.answer(vec![Input::GroupClosed { group }]);
        }
    }

    /// Also notices consumers that have gone while nothing was to be told to them.
    fn ask_for_lock_check(&self) {
        if self.groups.is_empty() {
            return;
        }
        let closed = self.groups.iter().filter(|(_, sink)| sink.is_closed());
        self.answer(closed.map(|(group, _)| Input::GroupClosed { group: *group }).collect());
        let (pd, answers) = (Arc::clone(&self.around.pd), self.answers.clone());
        let limit = Duration::from_millis(self.around.limits.lock_check_ms);
        tokio::spawn(async move {
            if let Ok(Ok(pd_now)) = tokio::time::timeout(limit, pd.tso()).await {
                let _ = answers.send(vec![Input::CheckLocks { pd_now }]);
            }
        });
    }

    fn resolve_locks(&self, range: KeyRange, max_ts: Ts) {
        let Ok(permit) = Arc::clone(&self.lock_jobs).try_acquire_owned() else {
            return;
        };
        let locks = Arc::clone(&self.around.locks);
        self.around.budget.meters().lock_passes.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(self.around.stop.clone().run_until_cancelled_owned(async move {
            if let Err(error) = locks.clear(&range, max_ts).await {
                tracing::warn!(%error, "locks that hold the resolved-ts back cannot be resolved");
            }
            drop(permit);
        }));
    }
}
