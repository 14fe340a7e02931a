//! The recording sink: buffers on write, makes durable on flush, fails by seed.

use super::downstream::{Change, Downstream, Seen, State, op_number};
use super::faults::{Fault, error};
use super::plugins::{Flaw, Flawed};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::UNIX_EPOCH;
use tg_model::{DdlEvent, Position, Stage, TableId, TableVersion, Ts};
use tg_plugin::{Ack, BadEvent, Barrier, BarrierKind, CallError, CallFault, SinkPort, Stop, TablePlan, WriteOutcome};
use tgr1::{BatchBuf, Value};

pub(crate) struct Recorder {
    pub(crate) down: Downstream,
    pub(crate) epoch: u64,
    pub(crate) lane: (u16, u16),
    pub(crate) buffer: Vec<Arc<BatchBuf>>,
    pub(crate) known: HashSet<(TableId, u64)>,
    pub(crate) dead: bool,
    /// It runs DDL and gets no rows.
    pub(crate) executor: bool,
    /// Rows so far, kept as the lane's state.
    pub(crate) count: u64,
    pub(crate) flaw: Flawed,
}

impl Recorder {
    /// What a write of a writer that was replaced gets.
    fn fence(&self, call: &'static str) -> Result<(), CallError> {
        assert!(!self.dead, "an instance is used after it trapped");
        if self.down.epoch.load(SeqCst) == self.epoch {
            return Ok(());
        }
        Err(CallError::new("recorder", call, CallFault::Fenced { message: "an older run".to_owned() }))
    }

    fn execute(&mut self, event: &DdlEvent, maybe_done: bool) -> Result<Fault, CallError> {
        let mut state = self.down.state.lock();
        let fault = state.faults.next();
        if matches!(fault, Fault::Retryable | Fault::UnknownLost | Fault::Trap) {
            self.dead = fault == Fault::Trap;
            return Err(error("on-ddl", fault));
        }
        let (ts, seq) = (event.commit_ts, event.seq);
        let first = state.ddls.insert((ts, seq));
        assert!(first || maybe_done, "the DDL at {ts} runs twice and the sink is not told");
        if first {
            let mut tables: Vec<_> = event.before.iter().chain(&event.after).map(|v| v.table).collect();
            tables.extend(event.removes.iter().chain(&event.adds));
            state.log.push(Seen::Ddl { ts, seq, tables, query: event.query.clone() });
        }
        Ok(fault)
    }

    fn apply(&mut self, at: Position, state: &mut State) {
        let durable = state.durable.get(&self.lane).copied().unwrap_or(Position::ZERO);
        assert!(at >= durable || !self.down.keeps, "lane {:?} goes back from {durable} to {at}", self.lane);
        for batch in &self.buffer {
            record(batch, self.epoch, self.lane, state);
        }
        state.inside += u64::from(at.seq > 0);
        state.durable.insert(self.lane, at);
    }
}

fn record(batch: &BatchBuf, run: u64, lane: (u16, u16), state: &mut State) {
    let batch = batch.batch();
    let table = TableId(batch.table().cast_signed());
    state.rows_durable += batch.len() as u64;
    state.columns.insert(table, batch.column_count());
    if state.keep_arrivals {
        let newest = Ts::new(batch.commit_ts_range().1);
        let now = UNIX_EPOCH.elapsed().unwrap().as_millis() as u64;
        state.arrivals.push((now, newest));
    }
    let columns: Vec<_> = batch.columns().collect();
    for row in batch.iter() {
        let image = row.current().unwrap();
        state.routes.insert((row.target(), row.partition()));
        let change = Change { ts: Ts::new(row.commit_ts()), table, id: image.i64(0).unwrap(), op: op_number(row.op()) };
        let repeated = row.flags() & tgr1::row_flags::MAYBE_REPEATED != 0;
        state.log.push(Seen::Row { run, lane, change, repeated });
        let key = (table, change.id);
        if !state.keep_rows {
            continue;
        }
        let Some(after) = row.after() else {
            state.rows.remove(&key);
            continue;
        };
        let text = |v: Value<'_>| match v {
            Value::Null => None,
            Value::Int(n) => Some(n.to_string().into_bytes()),
            Value::UInt(n) => Some(n.to_string().into_bytes()),
            Value::Float(n) => Some(n.to_string().into_bytes()),
            Value::Bytes(b) => Some(b.to_vec()),
        };
        let values = columns.iter().enumerate().map(|(i, spec)| text(after.value(i, *spec).unwrap()));
        state.rows.insert(key, values.collect());
    }
}

impl Recorder {
    /// Rows that nobody wants, or that end the instance.
    fn take(&mut self, batch: &Arc<BatchBuf>) -> Result<WriteOutcome, CallError> {
        let poison = self.down.poison.lock();
        let (mut good, mut quarantined) = (Vec::new(), Vec::new());
        for (i, row) in batch.batch().iter().enumerate() {
            let id = row.current().unwrap().i64(0).unwrap();
            if poison.sink.contains(&id) {
                self.dead = true;
                let fault = CallFault::Stopped { stop: Stop::Trap, detail: "poison".to_owned() };
                return Err(CallError::new("recorder", "write", fault));
            }
            if poison.unwanted.contains(&id) {
                quarantined.push(BadEvent { row: i as u32, code: "unwanted".into(), message: "it is odd".into() });
            } else {
                good.push(i as u32);
            }
        }
        if quarantined.is_empty() {
            self.buffer.push(Arc::clone(batch));
        } else if !good.is_empty() {
            let part = tgr1::select(&batch.batch(), good).and_then(BatchBuf::new).unwrap();
            self.buffer.push(Arc::new(part));
        }
        Ok(WriteOutcome { quarantined, buffered_bytes: 0 })
    }

    /// Rows that end the instance when they are to be made durable.
    fn stumble(&mut self) -> Result<(), CallError> {
        let poison = self.down.poison.lock();
        let ids =
            |b: &Arc<BatchBuf>| b.batch().iter().map(|r| r.current().unwrap().i64(0).unwrap()).collect::<Vec<_>>();
        if !self.buffer.iter().flat_map(ids).any(|id| poison.flush.contains(&id)) {
            return Ok(());
        }
        self.dead = true;
        let fault = CallFault::Stopped { stop: Stop::Trap, detail: "poison".to_owned() };
        Err(CallError::new("recorder", "flush", fault))
    }

    fn trapped(&mut self, call: &'static str) -> CallError {
        self.dead = true;
        error(call, Fault::Trap)
    }
}

impl SinkPort for Recorder {
    fn on_schema(
        &mut self,
        version: Arc<TableVersion>,
        targets: Arc<[String]>,
    ) -> BoxFuture<'_, Result<TablePlan, CallError>> {
        self.down.state.lock().targets.insert(targets.to_vec());
        self.known.insert((version.table, version.since.get()));
        self.down.state.lock().schemas += 1;
        async { Ok(TablePlan { deliver: true, ..TablePlan::default() }) }.boxed()
    }

    fn drop_schema<'a>(&'a mut self, version: &'a TableVersion) -> BoxFuture<'a, Result<(), CallError>> {
        assert!(self.known.remove(&(version.table, version.since.get())), "an unknown version is dropped");
        self.down.state.lock().dropped_schemas += 1;
        async { Ok(()) }.boxed()
    }

    fn on_ddl(&mut self, event: Arc<DdlEvent>, maybe_done: bool) -> BoxFuture<'_, Result<(), CallError>> {
        async move {
            self.fence("on-ddl")?;
            let mut gate = self.down.ddl_gate.subscribe();
            self.down.ddl_seen.notify_one();
            let _ = gate.wait_for(|open| *open).await;
            self.fence("on-ddl")?;
            let fault = self.execute(&event, maybe_done)?;
            let mut gate = self.down.answer_gate.subscribe();
            let _ = gate.wait_for(|open| *open).await;
            if fault == Fault::UnknownDone { Err(error("on-ddl", fault)) } else { Ok(()) }
        }
        .boxed()
    }

    fn write(&mut self, batch: Arc<BatchBuf>) -> BoxFuture<'_, Result<WriteOutcome, CallError>> {
        async move {
            self.fence("write")?;
            let b = batch.batch();
            let key = (TableId(b.table().cast_signed()), b.version());
            assert!(self.known.contains(&key), "rows of {key:?} come before their schema");
            let fault = self.down.state.lock().faults.next();
            if fault == Fault::Retryable {
                return Err(error("write", fault));
            }
            let fatal = |f| if let Flaw::Write(n) | Flaw::Fatal(n) = f { Some(n) } else { None };
            self.flaw.hit("write", fatal).inspect_err(|_| self.dead = true)?;
            self.take(&batch)
        }
        .boxed()
    }

    fn flush(&mut self, barrier: Barrier) -> BoxFuture<'_, Result<Ack, CallError>> {
        async move {
            let mut gate = self.down.flush_gate.subscribe();
            let _ = gate.wait_for(|open| *open).await;
            let mut stuck = self.down.stuck.subscribe();
            let _ = stuck.wait_for(|lane| *lane != Some(self.lane)).await;
            self.fence("flush")?;
            let shared = Arc::clone(&self.down.state);
            let mut state = shared.lock();
            // Under the lock nobody can be fenced between the look and the write.
            self.fence("flush")?;
            state.swap_barriers += u64::from(barrier.kind == BarrierKind::Swap);
            let flawed = self.flaw.hit("flush", |f| if let Flaw::Flush(n) = f { Some(n) } else { None });
            flawed.inspect_err(|_| self.dead = true)?;
            self.stumble()?;
            match state.faults.next() {
                Fault::Incomplete => return Ok(Ack { complete: false, state: None }),
                Fault::Trap => return Err(self.trapped("flush")),
                fault @ (Fault::Retryable | Fault::UnknownLost) => return Err(error("flush", fault)),
                Fault::UnknownDone => {
                    self.apply(barrier.at, &mut state);
                    if self.down.keeps {
                        self.buffer.clear();
                    }
                    return Err(error("flush", Fault::UnknownDone));
                }
                Fault::None => self.apply(barrier.at, &mut state),
            }
            self.count += self.buffer.iter().map(|b| b.len() as u64).sum::<u64>();
            self.buffer.clear();
            Ok(Ack { complete: true, state: Some(self.count.to_le_bytes().to_vec()) })
        }
        .boxed()
    }

    fn status(&mut self) -> BoxFuture<'_, Result<Option<Position>, CallError>> {
        let durable = self.down.state.lock().durable.get(&self.lane).copied();
        let kept = if self.down.keeps { durable } else { None };
        async move { Ok(kept) }.boxed()
    }

    fn on_checkpoint(&mut self, at: Position) -> BoxFuture<'_, Result<(), CallError>> {
        assert!(self.executor, "only the executor hears of checkpoints");
        let mut state = self.down.state.lock();
        state.checkpoints.push(at);
        let mut outcome = Ok(());
        if at.stage == Stage::Syncpoint {
            outcome = self.fence("on-checkpoint").and_then(|()| match state.faults.next() {
                fault @ (Fault::Retryable | Fault::UnknownLost) => Err(error("on-checkpoint", fault)),
                fault => {
                    state.log.push(Seen::Syncpoint(at.ts));
                    if fault == Fault::UnknownDone { Err(error("on-checkpoint", fault)) } else { Ok(()) }
                }
            });
        }
        async { outcome }.boxed()
    }

    fn on_tick(&mut self) -> BoxFuture<'_, Result<(), CallError>> {
        self.down.state.lock().ticks += 1;
        async { Ok(()) }.boxed()
    }

    fn close(&mut self) -> BoxFuture<'_, ()> {
        async {}.boxed()
    }
}
