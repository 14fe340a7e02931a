//! What a transform may not touch: which columns identify a row.

use crate::error::PipelineError;
use tg_model::TableVersion;

/// Rows keep their order by key behind a transform only when its output is identified by the same columns. Their values may
/// change: equal keys stay equal, for a transform is pure.
pub(crate) fn same_row_key(input: &TableVersion, output: &TableVersion) -> Result<(), PipelineError> {
    let (before, after) = (key(input), key(output));
    let ids = |key: &[(i64, &str)]| key.iter().map(|(id, _)| *id).collect::<Vec<_>>();
    if ids(&before) == ids(&after) {
        return Ok(());
    }
    let kept = |c: &&(i64, &str)| after.iter().any(|(id, _)| *id == c.0);
    let missing: Vec<&str> = before.iter().filter(|c| !kept(c)).map(|(_, name)| *name).collect();
    let detail = if missing.is_empty() {
        let names = |key: &[(i64, &str)]| key.iter().map(|(_, n)| format!("`{n}`")).collect::<Vec<_>>().join(", ");
        format!("it makes the row key ({}) of ({})", names(&after), names(&before))
    } else {
        format!("it leaves `{}` out of the row key", missing.join("`, `"))
    };
    Err(PipelineError::RowKey { schema: input.schema.clone(), table: input.name.clone(), detail })
}

/// Ids and names of the columns, ordered by id: names and places of columns may change.
fn key(version: &TableVersion) -> Vec<(i64, &str)> {
    let columns = version.row_key_columns().iter().filter_map(|c| version.columns.get(*c as usize));
    let mut key: Vec<_> = columns.map(|c| (c.id, c.name.as_str())).collect();
    key.sort_unstable_by_key(|(id, _)| *id);
    key
}
