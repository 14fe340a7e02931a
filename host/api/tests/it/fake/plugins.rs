//! Plugins and quarantined rows of the server in memory.

use super::Fake;
use tg_api::*;
use tg_model::{ChangefeedId, Code, TableId, Ts};

/// The digest of every component here.
pub const DIGEST: &str = "sha256:0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a";

pub fn version(version: &str, active: bool) -> PluginVersion {
    PluginVersion {
        version: version.to_owned(),
        digest: DIGEST.to_owned(),
        kind: "sink".to_owned(),
        size_bytes: 81_920,
        pushed_ms: 1_795_231_091_643,
        origin: "127.0.0.1:8300".to_owned(),
        source: "push".to_owned(),
        signer: None,
        active,
    }
}

fn unknown(name: &str) -> ApiError {
    ApiError::Rejected { code: Code(4101), message: format!("there is no plugin `{name}`") }
}

impl Fake {
    fn plugin(&self, name: &str) -> Result<Plugin, ApiError> {
        let name = name.split('@').next().unwrap();
        self.plugins.lock().unwrap().iter().find(|p| p.name == name).cloned().ok_or_else(|| unknown(name))
    }

    fn change(&self, name: &str, wanted: &str, new: bool, active: bool) -> PluginChange {
        let swapped = Swapped {
            changefeed: "orders".to_owned(),
            namespace: "default".to_owned(),
            from: vec![format!("sink {name}@1.0.0")],
            to: vec![format!("sink {name}@{wanted}")],
            outcome: "swapped".to_owned(),
            position: Some("(470609059287662600, rows)".to_owned()),
            stall_us: Some(1_500),
            code: None,
            message: None,
        };
        PluginChange {
            name: name.to_owned(),
            version: wanted.to_owned(),
            digest: DIGEST.to_owned(),
            kind: "sink".to_owned(),
            new,
            before: Some("1.0.0".to_owned()),
            active,
            changefeeds: if active { vec![swapped] } else { Vec::new() },
        }
    }
}

impl PluginControl for Fake {
    fn plugin_size_max(&self) -> usize {
        1 << 20
    }

    async fn plugins(&self) -> Result<Vec<Plugin>, ApiError> {
        Ok(self.plugins.lock().unwrap().clone())
    }

    async fn inspect(&self, plugin: &str) -> Result<PluginDetail, ApiError> {
        let found = self.plugin(plugin)?;
        let wanted = plugin.split_once('@').map_or_else(|| "1.0.0", |(_, v)| v);
        let version = found.versions.iter().find(|v| v.version == wanted).cloned().ok_or_else(|| unknown(plugin))?;
        Ok(PluginDetail {
            manifest_name: found.name.clone(),
            manifest_version: version.version.clone(),
            plugin: found,
            version,
            capabilities: vec![PluginCapability {
                name: "http".to_owned(),
                required: true,
                reason: "to call the hook".to_owned(),
            }],
            config_schema: serde_json::json!({"type": "object"}),
            usage: PluginUsage { calls: 10, rows: 2_500, guest_ns: 2_000_000, ..PluginUsage::default() },
        })
    }

    async fn push(&self, new: NewPlugin) -> Result<PluginChange, ApiError> {
        if !new.bytes.starts_with(b"\0asm") {
            return Err(ApiError::Rejected { code: Code(2001), message: "the component: not a component".to_owned() });
        }
        self.pushed.lock().unwrap().push(new.clone());
        let (name, wanted) = (new.name.unwrap_or("orders".to_owned()), new.version.unwrap_or("2.0.0".to_owned()));
        self.plugins.lock().unwrap().push(Plugin {
            name: name.clone(),
            versions: vec![version("1.0.0", true), version(&wanted, false)],
            history: Vec::new(),
            users: Vec::new(),
            problem: None,
        });
        Ok(self.change(&name, &wanted, true, new.take_over != TakeOver::No))
    }

    async fn activate(&self, name: &str, version: &str, take_over: TakeOver) -> Result<PluginChange, ApiError> {
        self.plugin(name)?;
        Ok(self.change(name, version, false, take_over != TakeOver::No))
    }

    async fn roll_back(&self, name: &str) -> Result<PluginChange, ApiError> {
        self.plugin(name)?;
        Ok(self.change(name, "1.0.0", false, true))
    }

    async fn remove_plugin(&self, plugin: &str) -> Result<Vec<String>, ApiError> {
        let found = self.plugin(plugin)?;
        self.plugins.lock().unwrap().retain(|p| p.name != found.name);
        Ok(found.versions.into_iter().map(|v| v.version).collect())
    }

    async fn plugin_lines(&self, name: &str, after: u64, limit: usize, _: u64) -> Result<Vec<PluginLine>, ApiError> {
        self.plugin(name)?;
        let line = |seq| PluginLine {
            seq,
            at_ms: 1_795_231_091_643,
            level: "warn".to_owned(),
            changefeed: "default/orders".to_owned(),
            slot: 0,
            lane: 1,
            text: format!("line {seq}"),
        };
        Ok((1..=5).filter(|seq| *seq > after).take(limit).map(line).collect())
    }

    async fn blob(&self, digest: &str) -> Result<Option<Vec<u8>>, ApiError> {
        Ok((digest == DIGEST).then(|| b"\0asm".to_vec()))
    }

    async fn plugin_usage(&self) -> Result<Vec<(String, String, PluginUsage)>, ApiError> {
        let usage = PluginUsage {
            calls: 10,
            rows: 2_500,
            guest_ns: 2_000_000,
            traps: 1,
            call_us: vec![(100, 9), (1_000, 10)],
            counters: vec![("sent".to_owned(), 7)],
            ..PluginUsage::default()
        };
        Ok(vec![("orders".to_owned(), "1.0.0".to_owned(), usage)])
    }

    async fn feed_plugins(&self, id: &ChangefeedId) -> Result<FeedPlugins, ApiError> {
        self.with(id, |_| FeedPlugins {
            plugins: vec![FeedPlugin {
                role: "sink".to_owned(),
                name: "orders".to_owned(),
                version: "1.0.0".to_owned(),
                digest: DIGEST.to_owned(),
                follows: true,
            }],
            ..FeedPlugins::default()
        })
    }
}

fn row(id: u64) -> QuarantinedRow {
    QuarantinedRow {
        id,
        at_ms: 1_795_231_091_643,
        schema: "shop".to_owned(),
        table: "orders".to_owned(),
        commit_ts: Ts::new(470_609_059_287_662_600),
        op: "insert".to_owned(),
        by: "orders".to_owned(),
        code: "too-long".to_owned(),
        message: "the note has 70000 characters".to_owned(),
        row: serde_json::Value::Null,
    }
}

impl QuarantineControl for Fake {
    async fn quarantined(&self, id: &ChangefeedId, after: u64, limit: usize) -> Result<QuarantineList, ApiError> {
        self.with(id, |_| QuarantineList {
            total: 3,
            items: (1..=3).filter(|n| *n > after).take(limit).map(row).collect(),
        })
    }

    async fn quarantined_row(&self, id: &ChangefeedId, n: u64) -> Result<QuarantinedRow, ApiError> {
        self.with(id, |_| QuarantinedRow { row: serde_json::json!({"after": {"id": n}}), ..row(n) })
    }

    async fn replay(&self, id: &ChangefeedId, chosen: Chosen) -> Result<Replayed, ApiError> {
        self.with(id, |_| match chosen {
            Chosen::All => Replayed { written: 2, refused: vec![(3, "the note has 70000 characters".to_owned())] },
            Chosen::Ids(ids) => Replayed { written: ids.len() as u64, refused: Vec::new() },
        })
    }

    async fn drop_rows(&self, id: &ChangefeedId, chosen: Chosen) -> Result<u64, ApiError> {
        self.with(id, |_| match chosen {
            Chosen::All => 3,
            Chosen::Ids(ids) => ids.len() as u64,
        })
    }
}

impl SpanControl for Fake {
    async fn spans(&self, id: &ChangefeedId) -> Result<SpanList, ApiError> {
        self.with(id, |_| {
            let place = |slot: u16| SlotPlace {
                slot,
                capture: format!("c{slot}"),
                address: format!("h:{slot}"),
                pinned: slot == 1,
                tables: u64::from(slot),
            };
            let span = SpanRow { table_id: TableId(7), schema: "s".to_owned(), table: "t".to_owned(), slot: 1 };
            SpanList { slots: vec![place(0), place(1)], spans: vec![span] }
        })
    }

    async fn move_slot(&self, id: &ChangefeedId, slot: u16, to: Option<&str>) -> Result<(), ApiError> {
        self.with(id, |_| ())?;
        match (slot, to) {
            (0..2, None | Some("c0" | "c1")) => Ok(()),
            _ => Err(ApiError::InvalidParam { reason: format!("slot {slot}, {to:?}") }),
        }
    }
}

impl TapControl for Fake {
    async fn tap(&self, id: &ChangefeedId, query: TapQuery) -> Result<TapLines, ApiError> {
        self.with(id, |_| {
            let (lines, read) = tokio::sync::mpsc::channel(8);
            for n in 1..=3 {
                let line = serde_json::json!({"n": n, "tables": query.tables, "where": query.condition});
                lines.try_send(format!("{line}\n")).unwrap();
            }
            read
        })
    }
}
