//! Whether a changefeed of TiCDC can go on here, and as what.

use super::config;
use super::found::Found;
use crate::feed::filter;
use jiff::Timestamp;
use serde_json::{Map, Value};
use tg_config::{ChangefeedConfig, SinkUri};
use tg_model::{ChangefeedId, Position, Ts};

/// Members that are taken over, or were looked at. Names of sorters and the like are told.
const KNOWN: &[&str] =
    &["upstream-id", "namespace", "keyspace", "changefeed-id", "sink-uri", "start-ts", "target-ts", "config", "state"];

/// A changefeed of TiCDC as it is here.
#[derive(Clone, Debug)]
pub struct Judged {
    /// Its name, the same as there.
    pub id: ChangefeedId,
    /// Where it writes; shown without secrets.
    pub sink_uri: SinkUri,
    /// Its configuration.
    pub config: ChangefeedConfig,
    /// Everything up to here is downstream already.
    pub start: Position,
    /// Where it ends.
    pub target_ts: Option<Ts>,
    /// The upstream it reads.
    pub upstream_id: Option<u64>,
    /// What has no meaning here, and what to look at.
    pub warnings: Vec<String>,
}

/// Why it is refused: all there is. `here`: the upstream that others here read. `looking`: it may run in TiCDC.
pub(super) fn judge(found: &Found, here: Option<u64>, looking: bool) -> Result<Judged, Vec<String>> {
    let (mut warnings, mut refused) = (Vec::new(), Vec::new());
    state(found, looking, &mut warnings, &mut refused);
    let upstream_id = number(&found.info, "upstream-id");
    if let (Some(there), Some(here)) = (upstream_id, here)
        && there != here
    {
        refused.push(format!("it reads the upstream cluster {there}, and those here read {here}"));
    }
    let uri = SinkUri::parse(found.text("sink-uri")).map_err(|e| refused.push(e.to_string())).ok();
    let json = found.info.get("config").cloned().unwrap_or_else(|| Value::Object(Map::new()));
    let read = config::read(&json).map_err(|reasons| refused.extend(reasons)).ok();
    if let Some((config, _)) = &read
        && let Err(e) = filter(config)
    {
        refused.push(e.to_string());
    }
    let start = start(found, &mut warnings);
    let target_ts = number(&found.info, "target-ts").filter(|ts| *ts != u64::MAX).map(Ts::new);
    match (start, target_ts) {
        (None, _) => refused.push("its record says no timestamp to start at".to_owned()),
        (Some(start), Some(target)) if target <= start.ts => {
            refused.push(format!("it has reached its target {target}"))
        }
        _ => {}
    }
    let (Some(sink_uri), Some((config, idle)), Some(start), true) = (uri, read, start, refused.is_empty()) else {
        return Err(refused);
    };
    warnings.extend(sink_uri.warnings.iter().map(|w| format!("`{}` of the sink URI {}", w.key, w.message)));
    warnings.extend(idle);
    let others = config::others(&found.info, KNOWN);
    if !others.is_empty() {
        warnings.push(format!("{}: TiCDC's own, without a meaning here", others.join(", ")));
    }
    Ok(Judged { id: found.id.clone(), sink_uri, config, start, target_ts, upstream_id, warnings })
}

fn state(found: &Found, looking: bool, warnings: &mut Vec<String>, refused: &mut Vec<String>) {
    match found.text("state") {
        "stopped" => {}
        "failed" => {
            let code = found.info.get("error").and_then(|e| e.get("code")).and_then(Value::as_str).unwrap_or("no code");
            warnings.push(format!("it had failed in TiCDC ({code}): look why before you resume it"));
        }
        state => {
            let state = if state.is_empty() { "unknown" } else { state };
            let why = format!("its state in TiCDC is {state}: pause it there first, or both would write");
            if looking { warnings.push(why) } else { refused.push(why) }
        }
    }
}

/// Zero stands for "not said".
fn number(object: &Map<String, Value>, name: &str) -> Option<u64> {
    object.get(name).and_then(Value::as_u64).filter(|n| *n > 0)
}

/// TiCDC's checkpoint, or where one that never ran was to start.
fn start(found: &Found, warnings: &mut Vec<String>) -> Option<Position> {
    let Some(checkpoint) = number(&found.status, "checkpoint-ts").map(Ts::new) else {
        let created = found.text("create-time").parse::<Timestamp>().ok();
        let created = created.map(|at| Ts::compose(at.as_millisecond().unsigned_abs(), 0));
        return number(&found.info, "start-ts").map(Ts::new).or(created).map(Position::ddl);
    };
    // TiCDC itself does not know then whether a DDL at the checkpoint has run, and runs it again.
    if number(&found.status, "min-table-barrier-ts").is_some_and(|barrier| barrier <= checkpoint.get()) {
        warnings.push(format!(
            "a DDL that was committed at its checkpoint {checkpoint} may have run or not: it runs when the changefeed is resumed"
        ));
        return Some(Position::rows(checkpoint));
    }
    Some(Position::ddl(checkpoint))
}
