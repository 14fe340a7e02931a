//! Progress that outlives runs, with a note of what the downstream held at every step.

use super::downstream::Downstream;
use futures::FutureExt;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use std::collections::HashMap;
use tg_model::{Position, Ts};
use tg_pipeline::{DdlState, PipelineError, ProgressStore, Resume};

/// One per world.
pub(crate) struct Store {
    down: Downstream,
    pub(crate) inner: Mutex<Inner>,
}

pub(crate) struct Inner {
    pub(crate) checkpoint: Position,
    pub(crate) resume: Resume,
    pub(crate) ddls: HashMap<(Ts, u32), DdlState>,
    /// Every checkpoint stored, with the length of the downstream's log at that moment.
    pub(crate) stored: Vec<(Position, usize)>,
}

impl Store {
    pub(crate) fn new(down: Downstream, start: Position) -> Self {
        let (ddls, stored) = (HashMap::new(), Vec::new());
        let inner = Inner { checkpoint: start, resume: Resume::default(), ddls, stored };
        Self { down, inner: Mutex::new(inner) }
    }

    pub(crate) fn checkpoint_now(&self) -> Position {
        self.inner.lock().checkpoint
    }
}

impl ProgressStore for Store {
    fn checkpoint<'a>(&'a self, at: Position, resume: &'a Resume) -> BoxFuture<'a, Result<(), PipelineError>> {
        let held = self.down.len();
        let mut inner = self.inner.lock();
        let news = at > inner.checkpoint || (at == inner.checkpoint && *resume != inner.resume);
        assert!(news, "the checkpoint goes from {} to {at} with {resume:?}", inner.checkpoint);
        // As it will be read.
        inner.resume = Resume::from_json(&resume.to_json()).unwrap();
        inner.checkpoint = at;
        inner.stored.push((at, held));
        async { Ok(()) }.boxed()
    }

    fn ddl(&self, ts: Ts, seq: u32) -> BoxFuture<'_, Result<Option<DdlState>, PipelineError>> {
        let known = self.inner.lock().ddls.get(&(ts, seq)).copied();
        async move { Ok(known) }.boxed()
    }

    fn set_ddl(&self, ts: Ts, seq: u32, state: DdlState) -> BoxFuture<'_, Result<(), PipelineError>> {
        self.inner.lock().ddls.insert((ts, seq), state);
        async { Ok(()) }.boxed()
    }
}
