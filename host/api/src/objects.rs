//! TiCDC's objects.

use crate::{ApiError, Changefeed, FeedError, FeedState};
use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tg_model::Ts;

/// A time as TiCDC writes it: `YYYY-MM-DD HH:MM:SS.mmm` in the server's zone.
pub(crate) fn json_time(unix_ms: u64, tz: &TimeZone) -> String {
    let ms = i64::try_from(unix_ms).unwrap_or(i64::MAX);
    let time = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX);
    time.to_zoned(tz.clone()).strftime("%Y-%m-%d %H:%M:%S%.3f").to_string()
}

fn ts_time(ts: Ts, tz: &TimeZone) -> String {
    json_time(ts.physical_ms(), tz)
}

/// TiCDC's `RunningError`.
pub(crate) fn running_error(error: &FeedError) -> Value {
    json!({ "time": error.time.to_string(), "addr": error.addr, "code": error.code, "message": error.message })
}

/// TiCDC's `ChangefeedCommonInfo`.
pub(crate) fn common_info(feed: &Changefeed, tz: &TimeZone) -> Value {
    json!({
        "upstream_id": feed.upstream_id,
        "id": feed.id.name,
        "keyspace": feed.id.namespace,
        "state": feed.state.name(),
        "checkpoint_tso": feed.checkpoint_ts,
        "checkpoint_time": ts_time(feed.checkpoint_ts, tz),
        "error": feed.error.as_ref().map(running_error),
    })
}

/// TiCDC's `ChangeFeedInfo`. Members without a value are left out, as there.
pub(crate) fn info(feed: &Changefeed, tz: &TimeZone) -> Value {
    let gid = gid(feed);
    let mut object = json!({
        "upstream_id": feed.upstream_id,
        "id": feed.id.name,
        "keyspace": feed.id.namespace,
        "sink_uri": feed.sink_uri.to_string(),
        "create_time": feed.create_time.to_string(),
        "start_ts": feed.start_ts,
        "config": feed.config.to_json(),
        "state": feed.state.name(),
        "creator_version": feed.creator_version,
        "resolved_ts": feed.resolved_ts,
        "checkpoint_ts": feed.checkpoint_ts,
        "checkpoint_time": ts_time(feed.checkpoint_ts, tz),
        "gid": { "low": gid.0, "high": gid.1 },
    });
    let hidden =
        matches!(feed.state, FeedState::Normal | FeedState::Stopped | FeedState::Finished | FeedState::Removed);
    let extra = [
        ("target_ts", feed.target_ts.map(|ts| json!(ts))),
        ("error", feed.error.as_ref().filter(|_| !hidden).map(running_error)),
        ("maintainer_addr", feed.maintainer.as_ref().map(|addr| json!(addr))),
    ];
    if let Some(members) = object.as_object_mut() {
        members.extend(extra.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    }
    object
}

/// TiCDC's number of a changefeed, which differs between two that had the same name. Made from name and birth.
fn gid(feed: &Changefeed) -> (u64, u64) {
    // FNV-1a; only has to differ.
    let hash = |seed: u64, text: &str| text.bytes().fold(seed, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
    let text = format!("{} {}", feed.id, feed.create_time);
    (hash(0xcbf2_9ce4_8422_2325, &text), hash(0x9e37_79b9_7f4a_7c15, &text))
}

/// TiCDC's `ChangefeedConfig`: the body of create and update.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub(crate) struct ChangefeedBody {
    pub(crate) keyspace: Option<String>,
    pub(crate) namespace: Option<String>,
    pub(crate) changefeed_id: Option<String>,
    pub(crate) start_ts: Option<u64>,
    pub(crate) target_ts: Option<u64>,
    pub(crate) sink_uri: Option<String>,
    pub(crate) replica_config: Option<Value>,
    #[serde(flatten)]
    pub(crate) other: serde_json::Map<String, Value>,
}

/// Members of request bodies that are read by nobody: TLS files of a remote upstream.
pub(crate) const PASSED_OVER: &[&str] = &["pd_addrs", "ca_path", "cert_path", "key_path", "cert_allowed_cn", "id"];

/// The body of resume.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub(crate) struct ResumeBody {
    pub(crate) overwrite_checkpoint_ts: u64,
}

/// The body of verify_table and get_all_tables.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub(crate) struct VerifyBody {
    pub(crate) replica_config: Option<Value>,
    pub(crate) start_ts: u64,
    pub(crate) sink_uri: Option<String>,
}

/// The body of log.
#[derive(Deserialize, Debug)]
pub(crate) struct LogBody {
    pub(crate) log_level: String,
}

/// The body of v1's drain.
#[derive(Deserialize, Debug)]
pub(crate) struct DrainBody {
    pub(crate) capture_id: String,
}

/// The answer of tso.
#[derive(Serialize)]
pub(crate) struct TsoAnswer {
    pub(crate) timestamp: u64,
    pub(crate) logic_time: u64,
}

/// A sink URI that must be there and right.
pub(crate) fn sink_uri(text: &str) -> Result<tg_config::SinkUri, ApiError> {
    if text.is_empty() {
        let reason = "sink_uri is empty, a changefeed needs one".to_owned();
        return Err(ApiError::SinkUri { uri: String::new(), reason });
    }
    Ok(tg_config::SinkUri::parse(text)?)
}
