//! Changefeeds keep up with the names they follow, whoever changed what a name means: a call of this node's API or of another
//! node's, a file in another node's plugin folder, anybody while this node was away.
//!
//! What is looked at, again and again, is the registry's record in the metadata; nothing is sent that could be lost. A version that
//! was refused is tried again when its name is given a meaning anew, and not before.

use crate::node::Node;
use crate::record::Record;
use crate::{ServerError, follow};
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};
use tg_api::Swapped;
use tg_model::{ChangefeedId, Coded};
use tg_registry::{Meaning, Pinned};

/// Between two tries after an error that may pass.
const RETRY_EVERY: Duration = Duration::from_secs(10);
/// Between two looks for components that this node does not have.
const FETCH_EVERY: Duration = Duration::from_secs(10);

/// What names meant when changefeeds of this node last tried to follow them.
#[derive(Default)]
pub(crate) struct Attempts(Mutex<BTreeMap<(ChangefeedId, String), Attempt>>);

struct Attempt {
    meaning: Meaning,
    /// When to try again; `None`: with the next meaning.
    again: Option<Instant>,
}

impl Attempts {
    /// Whether this is still to be tried.
    fn is_due(&self, id: &ChangefeedId, name: &str, meaning: Meaning, now: Instant) -> bool {
        let tried = self.0.lock();
        let last = tried.get(&(id.clone(), name.to_owned()));
        last.is_none_or(|a| a.meaning != meaning || a.again.is_some_and(|at| now >= at))
    }

    /// It is tried now.
    pub(crate) fn begins(&self, id: &ChangefeedId, name: &str, meaning: Meaning) {
        self.0.lock().insert((id.clone(), name.to_owned()), Attempt { meaning, again: None });
    }

    /// It failed with an error that may pass.
    pub(crate) fn may_pass(&self, id: &ChangefeedId, name: &str, now: Instant) {
        if let Some(attempt) = self.0.lock().get_mut(&(id.clone(), name.to_owned())) {
            attempt.again = Some(now + RETRY_EVERY);
        }
    }

    /// Only these are on this node.
    fn keep_only(&self, here: &BTreeSet<ChangefeedId>) {
        self.0.lock().retain(|(id, _), _| here.contains(id));
    }
}

/// Plugins of runs by name, the built-in ones left out: nobody changes what those names mean.
fn by_name(runs: &[(ChangefeedId, Vec<Pinned>)]) -> BTreeMap<&str, Vec<(&ChangefeedId, &Pinned)>> {
    let mut names: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for (id, plugins) in runs {
        for plugin in plugins.iter().filter(|p| !p.builtin) {
            names.entry(&plugin.name).or_default().push((id, plugin));
        }
    }
    names
}

impl Node {
    /// Has every changefeed that runs here and follows a name run what the name means.
    pub(crate) async fn keep_up(self: &Arc<Self>) {
        // Whoever is changing what a name means sees to the changefeeds of this node, and says in the answer what became of them.
        let Ok(_alone) = self.following.try_lock() else { return };
        let runs = self.plugins_that_run();
        self.attempts.keep_only(&runs.iter().map(|(id, _)| id.clone()).collect());
        for (name, users) in by_name(&runs) {
            let meaning = match self.registry.record(name).await {
                Ok(record) => record.and_then(|r| r.meaning()),
                Err(e) => return tracing::debug!(plugin = name, error = %e, "what the name means is looked up later"),
            };
            let Some(meaning) = meaning else { continue };
            let behind: BTreeSet<_> =
                users.iter().filter(|(_, p)| p.digest != meaning.digest).map(|(id, _)| *id).collect();
            for id in behind {
                if self.attempts.is_due(id, name, meaning, Instant::now()) {
                    self.catch_up(id, name, meaning).await;
                }
            }
        }
    }

    fn plugins_that_run(&self) -> Vec<(ChangefeedId, Vec<Pinned>)> {
        let feeds = self.feeds.lock();
        let run = |(id, handle): (&ChangefeedId, &crate::handle::Handle)| {
            let choice = handle.view.running()?.plugins.choice.clone();
            Some((id.clone(), choice.plugins.into_iter().map(|(_, pinned)| pinned).collect()))
        };
        feeds.iter().filter_map(run).collect()
    }

    async fn catch_up(self: &Arc<Self>, id: &ChangefeedId, name: &str, meaning: Meaning) {
        self.attempts.begins(id, name, meaning);
        let record = match self.store.info(id).await.map_err(ServerError::from).and_then(|(i, _)| Record::read(&i)) {
            Ok(record) => record,
            Err(e) => {
                self.attempts.may_pass(id, name, Instant::now());
                return tracing::warn!(changefeed = %id, error = %e, "the changefeed's record is read later");
            }
        };
        if !follow::follows(&record, name) {
            return;
        }
        let Some(done) = self.follow_one(id, &record.config, name).await else { return };
        tracing::info!(plugin = name, changefeed = %id, outcome = done.outcome, "followed to what the name means now");
        if done.outcome == follow::REFUSED {
            self.show_refused(id, name, meaning, done).await;
        }
    }

    /// Whoever changed the name sees here why the changefeed did not follow.
    async fn show_refused(&self, id: &ChangefeedId, name: &str, meaning: Meaning, refused: Swapped) {
        tracing::error!(plugin = name, changefeed = %id, code = ?refused.code, error = ?refused.message, "not followed");
        let record = self.registry.record(name).await.ok().flatten();
        let version = record.and_then(|r| r.versions.into_iter().find(|v| v.digest == meaning.digest));
        let to = version.map(|v| format!("plugin {name}@{}", v.version)).into_iter().collect();
        if let Some(handle) = self.feeds.lock().get(id) {
            handle.view.set_swapped(Swapped { to, ..refused });
        }
    }

    /// Keeps the components of active versions on this node's disk, while there are others to get them from.
    pub(crate) fn keep_components(self: &Arc<Self>) {
        if self.cluster.is_some() {
            tokio::spawn(fetch(Arc::downgrade(self)));
        }
    }
}

async fn fetch(node: Weak<Node>) {
    loop {
        tokio::time::sleep(FETCH_EVERY).await;
        let Some(node) = node.upgrade() else { return };
        match node.registry.fetch_active().await {
            Ok(missing) => {
                for e in missing {
                    tracing::warn!(code = %e.code(), error = %e, "a component is asked for again later");
                }
            }
            Err(e) => tracing::debug!(error = %e, "components are looked for later"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tg_registry::Digest;

    fn meaning(of: &[u8], since_ms: u64) -> Meaning {
        Meaning { digest: Digest::of(of), since_ms }
    }

    #[test]
    fn a_meaning_is_tried_once_and_again_when_it_is_given_anew() {
        let (attempts, id) = (Attempts::default(), ChangefeedId::new("default", "a").unwrap());
        let now = Instant::now();
        let due = |meaning, at| attempts.is_due(&id, "p", meaning, at);
        assert!(due(meaning(b"1", 5), now), "whoever comes back looks");
        attempts.begins(&id, "p", meaning(b"1", 5));
        assert!(!due(meaning(b"1", 5), now + RETRY_EVERY), "it was refused, and is not tried for ever");
        assert!(attempts.is_due(&id, "other", meaning(b"1", 5), now));
        assert!(due(meaning(b"2", 6), now), "another version");
        assert!(due(meaning(b"1", 6), now), "the same version, activated once more");
    }

    #[test]
    fn what_may_pass_is_tried_again_after_a_while() {
        let (attempts, id) = (Attempts::default(), ChangefeedId::new("default", "a").unwrap());
        let now = Instant::now();
        attempts.may_pass(&id, "p", now);
        attempts.begins(&id, "p", meaning(b"1", 5));
        attempts.may_pass(&id, "p", now);
        assert!(!attempts.is_due(&id, "p", meaning(b"1", 5), now));
        assert!(attempts.is_due(&id, "p", meaning(b"1", 5), now + RETRY_EVERY));
        attempts.keep_only(&BTreeSet::new());
        assert!(attempts.0.lock().is_empty(), "a changefeed that went elsewhere leaves nothing");
    }

    #[test]
    fn built_in_plugins_follow_nothing() {
        let pinned = |name: &str, builtin| Pinned {
            name: name.to_owned(),
            version: "1".to_owned(),
            digest: Digest::of(b"1"),
            builtin,
        };
        let id = |name| ChangefeedId::new("default", name).unwrap();
        let runs = [
            (id("a"), vec![pinned("mask", true), pinned("orders", false)]),
            (id("b"), vec![pinned("orders", false), pinned("lanes", false)]),
        ];
        let names = by_name(&runs);
        assert_eq!(names.keys().copied().collect::<Vec<_>>(), ["lanes", "orders"]);
        assert_eq!(names["orders"].len(), 2);
    }
}
