//! The lines of the `print` plugin, as they reach the log of the process.

use crate::common::{batch, engine, none, spec, table};
use parking_lot::Mutex;
use std::fmt::{Debug, Write};
use std::sync::Arc;
use tg_plugin::{Plugin, SinkInstance, SinkPort};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Keeps every event as `name=value` pairs, a line each.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<String>>);

impl Visit for Lines {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0.lock(), "{}={value:?} ", field.name()).unwrap();
    }
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "tidegate::guest"
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
        self.0.lock().push('\n');
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// What is logged for a batch of two rows.
async fn printed(config: &str) -> Vec<String> {
    let lines = Lines::default();
    let plugin = Plugin::load(&engine(2), tg_builtin::PRINT.to_vec()).await.unwrap();
    let _guard = tracing::subscriber::set_default(lines.clone());
    let (mut sink, _) = SinkInstance::open(&plugin, &spec(config)).await.unwrap();
    sink.on_schema(table(), none()).await.unwrap();
    sink.write(batch(2)).await.unwrap();
    sink.close().await;
    let text = lines.0.lock().clone();
    text.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn rows_become_lines_of_text() {
    let lines = printed("").await;
    assert_eq!(lines.len(), 2, "{lines:?}");
    for (id, line) in lines.iter().enumerate() {
        assert!(line.contains(&format!(r#"insert test.t @100 id="{id}" c="hello""#)), "{line}");
        assert!(line.contains(r#"plugin="print""#) && line.contains(r#"feed="default/f""#), "{line}");
    }
}

#[tokio::test]
async fn rows_become_objects_of_json() {
    let lines = printed(r#"{"format":"json"}"#).await;
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[1].contains(r#""after":{"c":"hello","id":"1"}"#), "{}", lines[1]);
}
