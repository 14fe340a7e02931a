//! Rows as they pass, for who looks.

use crate::cluster::ClusterError;
use crate::control::NodeControl;
use crate::{ServerError, row_json};
use serde_json::json;
use tg_api::{ApiError, TapControl, TapLines, TapQuery};
use tg_filter::TableFilter;
use tg_model::ChangefeedId;
use tg_pipeline::{Tap, TapCondition, TappedRows};
use tgr1::Op;
use tokio::sync::mpsc;

/// Lines that wait for the client; behind them rows wait and are dropped.
const LINES_MAX: usize = 256;

impl TapControl for NodeControl {
    async fn tap(&self, id: &ChangefeedId, query: TapQuery) -> Result<TapLines, ApiError> {
        let all = vec!["*.*".to_owned()];
        let rules = if query.tables.is_empty() { &all } else { &query.tables };
        let tables = TableFilter::parse(rules, false).map_err(ServerError::from)?;
        let condition = query.condition.as_deref().map(TapCondition::parse).transpose().map_err(ServerError::from)?;
        // Whether there is such a changefeed at all.
        self.0.store.info(id).await.map_err(ServerError::from)?;
        let view = self.0.feeds.lock().get(id).map(|h| std::sync::Arc::clone(&h.view));
        let refused = |reason: &str| ApiError::UpdateRefused { reason: reason.to_owned() };
        let view = view.ok_or_else(|| refused("the changefeed does not run"))?;
        let not_gathered = || ServerError::from(ClusterError::NotGathered { changefeed: id.to_string() });
        let gathered = view.gather().await.ok_or_else(not_gathered)?;
        let running = view.running().ok_or_else(|| refused("the changefeed does not run"))?;
        let tap = running.control.tap(tables).ok_or_else(|| refused("too many look at the changefeed already"))?;
        let (lines, read) = mpsc::channel(LINES_MAX);
        tokio::spawn(async move {
            pour(tap, condition, lines).await;
            drop(gathered);
        });
        Ok(read)
    }
}

/// Until the run ends or nobody reads any more.
async fn pour(mut tap: Tap, mut condition: Option<TapCondition>, lines: mpsc::Sender<String>) {
    let mut told = 0;
    loop {
        let rows = tokio::select! {
            rows = tap.next() => rows,
            () = lines.closed() => return,
        };
        let Some(rows) = rows else { return };
        for line in shown(&rows, condition.as_mut()) {
            if lines.send(line).await.is_err() {
                return;
            }
        }
        let dropped = tap.dropped();
        if dropped > told {
            told = dropped;
            if lines.send(format!("{}\n", json!({ "type": "dropped", "rows": dropped }))).await.is_err() {
                return;
            }
        }
    }
}

fn shown(rows: &TappedRows, mut condition: Option<&mut TapCondition>) -> Vec<String> {
    let batch = rows.batch.batch();
    let mut lines = Vec::new();
    for row in &batch {
        if !condition.as_mut().is_none_or(|c| c.holds(rows, &row)) {
            continue;
        }
        let kind = match row.op() {
            Op::Insert => "insert",
            Op::Update => "update",
            Op::Delete => "delete",
        };
        let mut line = json!({
            "type": kind, "schema": rows.version.schema, "table": rows.version.name,
            "commit_ts": row.commit_ts().to_string(), "slot": rows.slot.0, "lane": rows.lane.0,
        });
        for (name, image) in [("after", row.after()), ("before", row.before())] {
            if let Some(image) = image {
                line[name] = row_json::values(&batch, &image, &rows.version).into();
            }
        }
        lines.push(format!("{line}\n"));
    }
    lines
}
