//! Calls on changefeeds.

use crate::{
    ApiError, ChangedChangefeed, Changefeed, Control, FeedState, NewChangefeed, body,
    objects::{self, ChangefeedBody, PASSED_OVER, ResumeBody},
    router::{Handled, Shared, done},
};
use axum::{
    body::Bytes,
    extract::{Path, Query, State},
    http::{HeaderMap, header},
    response::IntoResponse,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tg_config::{ChangefeedConfig, Warning};
use tg_model::{ChangefeedId, Ts};

/// Query parameters of calls on changefeeds.
#[derive(Deserialize, Default)]
pub(crate) struct Scope {
    keyspace: Option<String>,
    namespace: Option<String>,
    state: Option<String>,
}

impl Scope {
    pub(crate) fn namespace(&self) -> &str {
        let given = self.keyspace.as_deref().or(self.namespace.as_deref()).filter(|s| !s.is_empty());
        given.unwrap_or(ChangefeedId::DEFAULT_NAMESPACE)
    }
}

/// Checks the name of a changefeed.
pub(crate) fn id(scope: &Scope, name: &str) -> Result<ChangefeedId, ApiError> {
    ChangefeedId::new(scope.namespace(), name)
        .ok_or_else(|| ApiError::InvalidParam { reason: format!("invalid changefeed_id: {name}") })
}

/// The changefeeds a list shows, in the order of their names.
pub(crate) async fn listed<C: Control>(control: &C, scope: &Scope) -> Result<Vec<Changefeed>, ApiError> {
    let mut feeds = control.list(scope.namespace()).await?;
    feeds.sort_by(|a, b| a.id.cmp(&b.id));
    feeds.retain(|f| match scope.state.as_deref() {
        Some("all") => true,
        None | Some("") => !matches!(f.state, FeedState::Finished | FeedState::Removed),
        Some(state) => f.state.name() == state,
    });
    Ok(feeds)
}

pub(crate) async fn list<C: Control>(State(api): State<Shared<C>>, Query(scope): Query<Scope>) -> Handled {
    let feeds = listed(&*api.control, &scope).await?;
    let items: Vec<Value> = feeds.iter().map(|f| objects::common_info(f, &api.options.tz)).collect();
    Ok(body::list(&items))
}

pub(crate) async fn create<C: Control>(
    State(api): State<Shared<C>>,
    Query(mut scope): Query<Scope>,
    bytes: Bytes,
) -> Handled {
    let request: ChangefeedBody = body::read(&bytes)?;
    if scope.keyspace.as_deref().unwrap_or_default().is_empty() {
        scope.keyspace = request.keyspace.clone().filter(|s| !s.is_empty()).or_else(|| request.namespace.clone());
    }
    let name = request.changefeed_id.clone().filter(|s| !s.is_empty());
    let id = id(&scope, &name.unwrap_or_else(unique_name))?;
    let sink_uri = objects::sink_uri(request.sink_uri.as_deref().unwrap_or_default())?;
    let (config, mut warnings) = config(request.replica_config.as_ref())?;
    warnings.extend(unknown(&request));
    warnings.extend(sink_uri.warnings.iter().cloned());
    let (start_ts, target_ts) = (ts(request.start_ts), ts(request.target_ts));
    check_target(start_ts, target_ts)?;
    let new = NewChangefeed { id: id.clone(), start_ts, target_ts, sink_uri, config };
    let feed = api.control.create(new).await?;
    api.control.warned(&id, &warnings);
    Ok(body::with_warnings(body::answer(&objects::info(&feed, &api.options.tz)), &warnings))
}

pub(crate) async fn query<C: Control>(
    State(api): State<Shared<C>>,
    Path(name): Path<String>,
    Query(scope): Query<Scope>,
    headers: HeaderMap,
) -> Handled {
    let feed = api.control.get(&id(&scope, &name)?).await?;
    let wants = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if wants.contains("application/toml") {
        let toml = feed.config.to_toml();
        return Ok(([(header::CONTENT_TYPE, "application/toml; charset=utf-8")], toml).into_response());
    }
    Ok(body::answer(&objects::info(&feed, &api.options.tz)))
}

pub(crate) async fn update<C: Control>(
    State(api): State<Shared<C>>,
    Path(name): Path<String>,
    Query(scope): Query<Scope>,
    bytes: Bytes,
) -> Handled {
    let request: ChangefeedBody = body::read(&bytes)?;
    let id = id(&scope, &name)?;
    let old = api.control.get(&id).await?;
    if let Some(start) = ts(request.start_ts).filter(|start| *start != old.start_ts) {
        let reason = format!("the start of a changefeed cannot be changed (from {} to {start})", old.start_ts);
        return Err(ApiError::UpdateRefused { reason });
    }
    let mut warnings = unknown(&request);
    let mut change = ChangedChangefeed { target_ts: ts(request.target_ts), ..ChangedChangefeed::default() };
    // What a client read from us comes back masked; it means "as it was".
    let given = request.sink_uri.as_deref().filter(|uri| !uri.is_empty() && *uri != old.sink_uri.to_string());
    if let Some(uri) = given {
        let uri = objects::sink_uri(uri)?;
        warnings.extend(uri.warnings.iter().cloned());
        change.sink_uri = Some(uri);
    }
    if request.replica_config.is_some() {
        let (mut new, more) = config(request.replica_config.as_ref())?;
        new.keep_secrets_of(&old.config);
        warnings.extend(more);
        change.config = Some(new);
    }
    if matches!(old.state, FeedState::Stopped | FeedState::Failed) {
        check_target(Some(old.start_ts), change.target_ts)?;
    }
    let (feed, swapped) = api.control.update(&id, change).await?;
    api.control.warned(&id, &warnings);
    let mut info = objects::info(&feed, &api.options.tz);
    if let (Some(members), Some(swapped)) = (info.as_object_mut(), swapped) {
        members.insert("swapped".to_owned(), json!(swapped));
    }
    Ok(body::with_warnings(body::answer(&info), &warnings))
}

pub(crate) async fn remove<C: Control>(
    State(api): State<Shared<C>>,
    Path(name): Path<String>,
    Query(scope): Query<Scope>,
) -> Handled {
    match api.control.remove(&id(&scope, &name)?).await {
        Ok(()) => done(),
        // Gone is what the caller wants; TiCDC says so with `null`.
        Err(ApiError::NotFound { .. }) => Ok(body::answer(&Value::Null)),
        Err(error) => Err(error),
    }
}

pub(crate) async fn pause<C: Control>(
    State(api): State<Shared<C>>,
    Path(name): Path<String>,
    Query(scope): Query<Scope>,
) -> Handled {
    api.control.pause(&id(&scope, &name)?).await?;
    done()
}

pub(crate) async fn resume<C: Control>(
    State(api): State<Shared<C>>,
    Path(name): Path<String>,
    Query(scope): Query<Scope>,
    bytes: Bytes,
) -> Handled {
    let request: ResumeBody = body::read(&bytes)?;
    api.control.resume(&id(&scope, &name)?, ts(Some(request.overwrite_checkpoint_ts))).await?;
    done()
}

pub(crate) async fn status<C: Control>(
    State(api): State<Shared<C>>,
    Path(name): Path<String>,
    Query(scope): Query<Scope>,
) -> Handled {
    let feed = api.control.get(&id(&scope, &name)?).await?;
    let mut status = json!({
        "state": feed.state.name(),
        "resolved_ts": feed.resolved_ts,
        "checkpoint_ts": feed.checkpoint_ts,
    });
    let place = if feed.state == FeedState::Warning { "last_warning" } else { "last_error" };
    if let (Some(members), Some(error)) = (status.as_object_mut(), &feed.error) {
        members.insert(place.to_owned(), objects::running_error(error));
    }
    Ok(body::answer(&status))
}

/// Reads a configuration; none is the default one.
pub(crate) fn config(json: Option<&Value>) -> Result<(ChangefeedConfig, Vec<Warning>), ApiError> {
    json.map_or_else(|| Ok((ChangefeedConfig::default(), Vec::new())), |json| Ok(ChangefeedConfig::from_json(json)?))
}

/// Zero stands for "not given".
fn ts(raw: Option<u64>) -> Option<Ts> {
    raw.filter(|ts| *ts != 0).map(Ts::new)
}

fn check_target(start_ts: Option<Ts>, target_ts: Option<Ts>) -> Result<(), ApiError> {
    match (start_ts, target_ts) {
        (Some(start_ts), Some(target_ts)) if target_ts <= start_ts => {
            Err(ApiError::TargetBeforeStart { start_ts, target_ts })
        }
        _ => Ok(()),
    }
}

/// Members that do not exist are passed over, as TiCDC does, but not silently.
fn unknown(request: &ChangefeedBody) -> Vec<Warning> {
    let unknown = request.other.keys().filter(|name| !PASSED_OVER.contains(&name.as_str()));
    let warning =
        |name: &String| Warning { key: name.clone(), message: "does not exist and was passed over".to_owned() };
    unknown.map(warning).collect()
}

/// A name for a changefeed that was given none: the time and a counter, which differ within a process.
fn unique_name() -> String {
    static COUNT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let n = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    format!("changefeed-{:x}-{n}", jiff::Timestamp::now().as_microsecond())
}
