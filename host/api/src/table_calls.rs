//! Calls on tables.

use crate::{
    Control, body,
    changefeeds::{Scope, config, id},
    objects::{VerifyBody, sink_uri},
    router::{Handled, Shared},
};
use axum::{
    body::Bytes,
    extract::{Path, Query, State},
};
use serde_json::json;
use tg_model::Ts;

/// The tables a configuration lets through, with the downstream tried.
pub(crate) async fn verify<C: Control>(State(api): State<Shared<C>>, bytes: Bytes) -> Handled {
    let request: VerifyBody = body::read(&bytes)?;
    let (config, warnings) = config(request.replica_config.as_ref())?;
    // A URI that cannot be used is reported by the create that follows.
    let uri = request.sink_uri.as_deref().and_then(|uri| sink_uri(uri).ok());
    let tables = api.control.verify_tables(&config, Ts::new(request.start_ts), uri.as_ref()).await?;
    Ok(body::with_warnings(body::answer(&tables), &warnings))
}

/// The same without a downstream.
pub(crate) async fn all<C: Control>(State(api): State<Shared<C>>, bytes: Bytes) -> Handled {
    let request: VerifyBody = body::read(&bytes)?;
    let (config, warnings) = config(request.replica_config.as_ref())?;
    let tables = api.control.verify_tables(&config, Ts::new(request.start_ts), None).await?;
    Ok(body::with_warnings(body::answer(&tables), &warnings))
}

pub(crate) async fn of_changefeed<C: Control>(
    State(api): State<Shared<C>>,
    Path(name): Path<String>,
    Query(scope): Query<Scope>,
) -> Handled {
    Ok(body::list(&api.control.tables(&id(&scope, &name)?).await?))
}

pub(crate) async fn count<C: Control>(
    State(api): State<Shared<C>>,
    Path(name): Path<String>,
    Query(scope): Query<Scope>,
) -> Handled {
    let tables = api.control.tables(&id(&scope, &name)?).await?;
    let count: usize = tables.iter().map(|node| node.table_ids.len()).sum();
    Ok(body::answer(&json!({ "count": count })))
}
