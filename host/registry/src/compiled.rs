//! Compiled components in memory.

use crate::Digest;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use tg_plugin::Plugin;

/// Compiled components kept that nobody uses.
const IDLE_MAX: usize = 32;

/// By digest. What somebody holds stays, so that all its instances share one set of counters.
#[derive(Default)]
pub(crate) struct Compiled(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    clock: u64,
    plugins: HashMap<Digest, (u64, Arc<Plugin>)>,
}

impl Compiled {
    pub(crate) fn get(&self, digest: &Digest) -> Option<Arc<Plugin>> {
        let mut inner = self.0.lock();
        inner.clock += 1;
        let now = inner.clock;
        let (used, plugin) = inner.plugins.get_mut(digest)?;
        *used = now;
        Some(Arc::clone(plugin))
    }

    pub(crate) fn put(&self, digest: Digest, plugin: Arc<Plugin>) -> Arc<Plugin> {
        let mut inner = self.0.lock();
        inner.clock += 1;
        let now = inner.clock;
        let kept = Arc::clone(&inner.plugins.entry(digest).or_insert((now, plugin)).1);
        let idle = |p: &Arc<Plugin>| Arc::strong_count(p) == 1;
        while inner.plugins.values().filter(|(_, p)| idle(p)).count() > IDLE_MAX {
            let oldest = inner.plugins.iter().filter(|(_, (_, p))| idle(p)).min_by_key(|(_, (used, _))| *used);
            let Some(oldest) = oldest.map(|(d, _)| *d) else { break };
            inner.plugins.remove(&oldest);
        }
        kept
    }

    pub(crate) fn all(&self) -> Vec<(Digest, Arc<Plugin>)> {
        self.0.lock().plugins.iter().map(|(d, (_, p))| (*d, Arc::clone(p))).collect()
    }
}
