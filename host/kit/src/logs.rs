//! What a guest logs while something runs.

use parking_lot::Mutex;
use std::fmt;
use std::sync::Arc;
use tracing::field::{Field, Visit};
use tracing::instrument::WithSubscriber;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Where guests' lines go.
const TARGET: &str = "tidegate::guest";
/// Lines that are kept.
const LINES_MAX: usize = 10_000;

type Lines = Arc<Mutex<Vec<(String, String)>>>;

/// Collects level and text of each line.
#[derive(Clone, Default)]
pub(crate) struct Logs(Lines);

impl Logs {
    /// Runs something; what guests log in it is kept, nothing else is.
    pub(crate) async fn listen<T>(&self, run: impl Future<Output = T>) -> T {
        run.with_subscriber(Ear(Arc::clone(&self.0))).await
    }

    pub(crate) fn take(&self) -> Vec<(String, String)> {
        std::mem::take(&mut self.0.lock())
    }
}

struct Ear(Lines);

#[derive(Default)]
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

impl Subscriber for Ear {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == TARGET
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut message = Message::default();
        event.record(&mut message);
        let mut lines = self.0.lock();
        if lines.len() < LINES_MAX {
            lines.push((event.metadata().level().to_string(), message.0));
        }
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[cfg(test)]
mod tests {
    use super::Logs;

    #[tokio::test]
    async fn lines_of_guests_are_kept_and_others_are_not() {
        let logs = Logs::default();
        logs.listen(async {
            tracing::info!(target: "tidegate::guest", plugin = "p", "hello {}", 1);
            tracing::info!("from the host");
        })
        .await;
        tracing::info!(target: "tidegate::guest", "nobody listens");
        assert_eq!(logs.take(), [("INFO".to_owned(), "hello 1".to_owned())]);
        assert!(logs.take().is_empty());
    }
}
