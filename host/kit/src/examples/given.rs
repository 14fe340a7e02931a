//! What goes in.

use crate::checks::{Answered, answer_all};
use crate::corpus::{Corpus, Event};
use crate::logs::Logs;
use crate::sink::{Drive, Schedule};
use crate::subject::Subject;
use crate::world::{Faults, HttpCall, Message, Reply, World};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tg_plugin::Kind;

/// One step.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Event(Event),
    Flush,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Given {
    /// In place of the settings' own.
    pub(super) config: Option<String>,
    pub(super) steps: Vec<Step>,
    pub(super) replies: Vec<Reply>,
}

/// What came out.
#[derive(Debug, Default)]
pub(super) struct Came {
    pub(super) http: Vec<HttpCall>,
    pub(super) statements: Vec<String>,
    pub(super) messages: Vec<Message>,
    pub(super) objects: BTreeMap<String, Vec<u8>>,
    pub(super) logs: Vec<(String, String)>,
    pub(super) refused: BTreeSet<usize>,
    /// Of dispatchers and transforms, by row.
    pub(super) answers: Vec<Answered>,
    /// How the run failed, if it did.
    pub(super) error: Option<String>,
}

impl Given {
    /// Runs the steps; the error says what was expected and what happened.
    pub(super) async fn run(&self, subject: &Subject) -> Result<Came, (String, String)> {
        let mut events = Vec::new();
        let mut cuts = BTreeSet::new();
        for step in &self.steps {
            match step {
                Step::Event(event) => events.push(event.clone()),
                Step::Flush => {
                    cuts.insert(events.len());
                }
            }
        }
        let corpus = Corpus { events };
        let config = self.config.as_deref().unwrap_or(&subject.settings.config);
        let logs = Logs::default();
        if subject.kind() != Kind::Sink {
            let answers = logs.listen(answer_all(subject, config, &corpus)).await;
            let (answers, error) = match answers {
                Ok(answers) => (answers, None),
                Err(b) => (Vec::new(), Some(b.told().1)),
            };
            return Ok(Came { answers, error, logs: logs.take(), ..Came::default() });
        }
        let world = Arc::new(World::new(true, Faults::none()));
        world.answer_with(self.replies.clone());
        let most = (corpus.events.len().max(1), corpus.events.len().max(1));
        let schedule = Schedule { batch_rows: most, window_rows: most, cuts, ..Schedule::calm() };
        let drive = Drive::new(subject, &world, &corpus, schedule).with_config(config);
        let (refused, error) = match logs.listen(drive.run()).await {
            Ok(done) => (done.effect.refused, None),
            Err(b) => (BTreeSet::new(), Some(b.told().1)),
        };
        Ok(Came {
            http: world.http_calls(),
            statements: world.statements(),
            messages: world.messages(),
            objects: world.objects(),
            logs: logs.take(),
            refused,
            answers: Vec::new(),
            error,
        })
    }
}
