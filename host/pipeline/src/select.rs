//! Which part of a DDL a changefeed sees.

use crate::error::PipelineError;
use tg_filter::{Filter, Verdict};
use tg_model::{DdlEvent, TableId, Ts};

/// The part of a DDL that concerns the changefeed; `None` when nothing does.
///
/// A table that leaves the selection (renamed out of it, or left without a usable key) ends there; one that enters it begins there.
/// A statement that an event filter leaves out does not run, but its tables stay in the feed.
pub(crate) fn select_ddl(
    mut event: DdlEvent,
    start_ts: Ts,
    filter: &Filter,
) -> Result<Option<DdlEvent>, PipelineError> {
    let verdict = filter.ddl(&event, start_ts).map_err(|source| PipelineError::Filter { source })?;
    match verdict {
        Verdict::Discard => return Ok(None),
        Verdict::Ignore => event.query.clear(),
        Verdict::Keep => {}
    }
    let has_rows = |v: &tg_model::TableVersion| !v.is_view && !v.is_sequence;
    let of_rows = event.before.iter().chain(&event.after).any(|v| has_rows(v));
    if !of_rows {
        return Ok(Some(event));
    }
    let before = event.before.as_deref().filter(|v| filter.replicates(v));
    let after = event.after.as_deref().filter(|v| filter.replicates(v));
    let ids =
        |v: Option<&tg_model::TableVersion>| v.map_or_else(Vec::new, |v| v.physical_ids().collect::<Vec<TableId>>());
    match (before.is_some(), after.is_some()) {
        (true, true) => {}
        (false, false) => {
            // A statement on a table whose rows are not replicated still runs: a later one may build on it.
            (event.blocks, event.removes, event.adds) = (Vec::new(), Vec::new(), Vec::new());
            (event.before, event.after) = (None, None);
        }
        (true, false) => {
            (event.removes, event.adds) = (ids(before), Vec::new());
            event.after = None;
        }
        (false, true) => {
            (event.adds, event.removes, event.blocks) = (ids(after), Vec::new(), Vec::new());
            event.before = None;
        }
    }
    Ok(Some(event))
}
