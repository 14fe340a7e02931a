//! Changefeed files, good and bad, as data.

use tg_config::{ByteSize, ChangefeedConfig, Interval, changefeed::ResolvedGate};
use tg_model::Coded;

/// One of everything TiCDC knows.
const EVERYTHING: &str = r#"
performance-mode = "low-latency"
memory-quota = 536870912
case-sensitive = true
force-replicate = true
check-gc-safe-point = true
ignore-ineligible-table = true
enable-sync-point = true
sync-point-interval = "5m"
sync-point-retention = "1h"
bdr-mode = false
changefeed-error-stuck-duration = "1h"
event-collector-batch-count = 4096

[filter]
rules = ["perf.*", "!perf.skip*"]
ignore-txn-start-ts = [1, 2]
[[filter.event-filters]]
matcher = ["perf.*"]
ignore-event = ["truncate table", "all dml"]
ignore-sql = ["^drop"]
ignore-insert-value-expr = "id >= 100"
ignore-update-only-columns = ["ts"]

[mounter]
worker-num = 16

[scheduler]
enable-table-across-nodes = true
region-threshold = 100000
region-count-refresh-interval = "1m"
write-key-threshold = 30000

[integrity]
integrity-check-level = "none"

[synced-status]
synced-check-interval = 60

[sink]
protocol = "canal-json"
dispatchers = [
  {matcher = ["perf.*"], partition = "index-value", index = "uk", topic = "{schema}_{table}"},
  {matcher = ["a.*"], dispatcher = "ts", target-schema = "b", target-table = "{table}_x"},
]
column-selectors = [{matcher = ["a.*"], columns = ["*", "!secret"]}]
transaction-atomicity = "none"
schema-registry = "http://user:pw@registry:8081"
file-index-digit = 10
safe-mode = true
[sink.csv]
delimiter = "|"
quote = "'"
[sink.open]
output-old-value = false
[sink.kafka-config]
sasl-password = "hunter2"
compression = "lz4"
[sink.kafka-config.codec-config]
enable-tidb-extension = true
[sink.kafka-config.large-message-handle]
large-message-handle-option = "claim-check"
claim-check-storage-uri = "s3://b/p?access-key=AKIA"
[sink.mysql-config]
worker-count = 32
max-multi-update-row = 80
write-timeout = "1m"
[sink.cloud-storage-config]
flush-interval = "10s"
output-raw-change-event = true
[sink.pulsar-config]
tls-key-file-path = "/k"
authentication-token = "hunter3"
[sink.pulsar-config.oauth2]
oauth2-scope = "s"

[consistent]
level = "eventual"
storage = "s3://redo/p?secret-access-key=hunter4"
[consistent.memory-usage]
memory-quota-percentage = 20

[tidegate]
exactly-once = false
slots = 4
lanes = 8
memory-quota = "256MiB"
resolved-gate = "table"
[tidegate.sink]
plugin = "mysql@1.2.0"
config = {some_key = 1, "other-key" = ["x"]}
[tidegate.dispatcher]
plugin = "by-region"
"#;

/// What is said of a key whose effect is still to come.
const LATER: &str = "is not implemented yet and has no effect";

#[test]
fn everything_is_read() {
    let (config, warnings) = ChangefeedConfig::from_toml("cf.toml", EVERYTHING).unwrap();
    assert_eq!(config.memory_quota, ByteSize::new(512 << 20));
    assert_eq!(config.sync_point_interval, Interval::from_secs(300));
    assert_eq!(config.filter.event_filters[0].ignore_sql, ["^drop"]);
    assert_eq!(config.sink.dispatchers[1].partition_rule(), Some("ts"));
    assert_eq!(config.tidegate.memory_quota, Some(ByteSize::new(256 << 20)));
    assert_eq!(config.tidegate.resolved_gate, ResolvedGate::Table);
    assert_eq!(config.tidegate.sink.as_ref().unwrap().config["some_key"], 1);
    assert!(warnings.iter().all(|w| w.message == LATER), "{warnings:?}");
}

#[test]
fn json_and_toml_hold_the_same() {
    let (config, _) = ChangefeedConfig::from_toml("cf.toml", EVERYTHING).unwrap();
    let (again, warnings) = ChangefeedConfig::from_json(&config.to_stored()).unwrap();
    assert!(warnings.iter().all(|w| w.message == LATER), "{warnings:?}");
    assert_eq!(again, config, "the stored form holds everything");
    let stored = config.to_stored().to_string();
    for secret in ["hunter2", "hunter3", "hunter4", "AKIA", "user:pw@"] {
        assert!(stored.contains(secret), "{secret} is stored");
    }

    let json = config.to_json();
    for (pointer, value) in [
        ("/sync_point_interval", "300000000000"),
        ("/sink/file_index_width", "10"),
        ("/sink/mysql_config/max_multi_update_row_count", "80"),
        ("/sink/dispatchers/1/target-schema", "\"b\""),
        ("/sink/pulsar_config/tls-certificate-path", "\"/k\""),
        ("/sink/send-all-bootstrap-at-start", "false"),
        ("/sink/advance_timeout", "150"),
        ("/tidegate/sink/config/other-key/0", "\"x\""),
        ("/sink/kafka_config/sasl_password", "\"xxxxx\""),
    ] {
        assert_eq!(json.pointer(pointer).unwrap_or_else(|| panic!("{pointer}")).to_string(), value, "{pointer}");
    }

    let toml = config.to_toml();
    let (mut again, _) = ChangefeedConfig::from_toml("export.toml", &toml).unwrap();
    again.keep_secrets_of(&config);
    assert_eq!(
        again.sink.kafka_config.as_ref().unwrap().sasl_password,
        config.sink.kafka_config.as_ref().unwrap().sasl_password
    );
    assert_eq!(again.consistent, config.consistent, "a masked storage means the one before");
    for text in [json.to_string(), toml, format!("{config:?}")] {
        for secret in ["hunter2", "hunter3", "hunter4", "AKIA", "user:pw@"] {
            assert!(!text.contains(secret), "{secret} shows in {text}");
        }
    }
}

#[test]
fn the_empty_file_is_the_default() {
    let (config, warnings) = ChangefeedConfig::from_toml("cf.toml", "").unwrap();
    assert_eq!(config, ChangefeedConfig::default());
    assert_eq!(warnings, []);
    assert_eq!(ChangefeedConfig::from_json(&serde_json::json!({})).unwrap().0, config);
    assert_eq!(config.to_json().get("tidegate"), None, "our own options are shown only when set");
}

#[test]
fn bad_files_say_where_what_and_what_was_meant() {
    for (text, code, message) in [
        ("filter = ", 6001, "cf.toml:1:10: string values must be quoted, expected literal string"),
        ("no-such-key = 1", 6002, "cf.toml:1:1: there is no option `no-such-key`"),
        ("\n[sink]\n  worker-count = 1", 6002, "cf.toml:3:3: there is no option `sink.worker-count`"),
        ("[sink]\nprotocl = 'csv'", 6002, "cf.toml:2:1: there is no option `sink.protocl`; did you mean `protocol`?"),
        ("memory_quota = 1", 6002, "cf.toml:1:1: there is no option `memory_quota`; did you mean `memory-quota`?"),
        (
            "[[filter.event-filters]]\nmatcher = ['a.*']\nignore-evnt = ['insert']",
            6002,
            "cf.toml:3:1: there is no option `filter.event-filters[0].ignore-evnt`; did you mean `ignore-event`?",
        ),
        (
            "case-sensitive = 'yes'",
            6003,
            "cf.toml:1:18: option `case-sensitive`: invalid type: string \"yes\", expected true or false",
        ),
        (
            "sync-point-interval = '10x'",
            6003,
            "cf.toml:1:23: option `sync-point-interval`: `10x` is no duration; write it like \"10m\", \"1h30m\" or \"500ms\"",
        ),
        (
            "# short\nsync-point-interval = '5s'",
            6003,
            "cf.toml:2:1: option `sync-point-interval`: 5s is too short; at least 30s",
        ),
        (
            "changefeed-error-stuck-duration = '1m'",
            6003,
            "cf.toml:1:1: option `changefeed-error-stuck-duration`: 1m0s is too short; at least 30m0s",
        ),
        (
            "[[filter.event-filters]]\nmatcher = ['a.*']\nignore-event = ['truncat table']",
            6003,
            "cf.toml:3:1: option `filter.event-filters[0].ignore-event`: `truncat table` is not known; did you mean `truncate table`?",
        ),
        (
            "[[filter.event-filters]]\nignore-event = ['insert']",
            6003,
            "cf.toml:1:10: option `filter.event-filters[0].matcher`: is missing: say which tables the filter is for",
        ),
        (
            "[sink]\nprotocol = 'canal-jsn'",
            6003,
            "cf.toml:2:1: option `sink.protocol`: `canal-jsn` is not known; did you mean `canal-json`?",
        ),
        (
            "[[sink.dispatchers]]\nmatcher = ['*.*']\npartition = 'ts'\ndispatcher = 'ts'",
            6004,
            "cf.toml:4:1: option `sink.dispatchers[0].dispatcher` is the old name of `partition`; give one of the two",
        ),
        ("[sink.csv]\ndelimiter = '\"'", 6004, "cf.toml:2:1: option `sink.csv.delimiter` must not contain the quote"),
        (
            "[consistent]\nlevel = 'eventual'",
            6004,
            "cf.toml:2:1: option `consistent.level` `eventual` needs `consistent.storage`",
        ),
        (
            "[sink.kafka-config]\nsasl-password = 1234",
            6003,
            "cf.toml:2:17: option `sink.kafka-config.sasl-password`: is not a text",
        ),
        ("[tidegate]\nlanes = 0", 6003, "cf.toml:2:1: option `tidegate.lanes`: 0 is not within 1 to 64"),
        (
            "[tidegate.sink]\nplugin = 'my sql'",
            6003,
            "cf.toml:2:1: option `tidegate.sink.plugin`: `my sql` is no plugin; write `name`, `name@version` or `sha256:…`",
        ),
        (
            "[tidegate]\nresolved-gate = 'tables'",
            6003,
            "cf.toml:2:17: option `tidegate.resolved-gate`: unknown variant `tables`, expected `global` or `table`",
        ),
    ] {
        let error = ChangefeedConfig::from_toml("cf.toml", text).expect_err(text);
        assert_eq!((error.to_string(), error.code().0), (message.to_owned(), code), "{text}");
        assert!(tg_config::CODES.iter().any(|p| p.code == error.code()), "{text}");
    }
}

#[test]
fn json_errors_use_the_names_of_the_api() {
    use serde_json::json;
    for (body, message) in [
        (
            json!({"sync_point_interval": 5_000_000_000_u64}),
            "replica_config: option `sync_point_interval`: 5s is too short; at least 30s",
        ),
        (
            json!({"sink": {"mysql_config": {"max_multi_update_row_count": "x"}}}),
            "replica_config: option `sink.mysql_config.max_multi_update_row_count`: invalid type: string \"x\", expected a whole number",
        ),
        (json!({"filter": {"event_filters": [{"matcher": ["a.*"], "ignore_event": ["x"]}]}}), ""),
    ] {
        let error = ChangefeedConfig::from_json(&body).expect_err(&body.to_string()).to_string();
        if message.is_empty() {
            assert!(
                error.starts_with("replica_config: option `filter.event_filters[0].ignore_event`: `x` is not known")
            );
        } else {
            assert_eq!(error, message);
        }
    }
}

#[test]
fn unknown_json_members_are_passed_over_with_a_warning() {
    let body = serde_json::json!({"memory_quotaa": 1, "sink": {"csv": {"nope": null, "quot": "x"}}, "bdr_mode": null});
    let (config, warnings) = ChangefeedConfig::from_json(&body).unwrap();
    assert_eq!(config, ChangefeedConfig::default());
    let mut said: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    said.sort();
    assert_eq!(
        said,
        [
            "`memory_quotaa` does not exist and was passed over; did you mean `memory_quota`?",
            "`sink.csv.quot` does not exist and was passed over; did you mean `quote`?",
        ]
    );
}

#[test]
fn options_without_effect_give_a_warning() {
    let text = "enable-table-monitor = true\n[mounter]\nworker-num = 8\n[sink.csv]\noutput-handle-key = true";
    let (_, warnings) = ChangefeedConfig::from_toml("cf.toml", text).unwrap();
    let keys: Vec<&str> = warnings.iter().map(|w| w.key.as_str()).collect();
    assert_eq!(keys, ["mounter.worker-num", "enable-table-monitor", "sink.csv.output-handle-key"]);

    let text = "enable-sync-point = true\nenable-active-active = true\n[[sink.dispatchers]]\nmatcher = ['a.b']\ntarget-table = 'c'";
    let (_, warnings) = ChangefeedConfig::from_toml("cf.toml", text).unwrap();
    let said: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(said, [format!("`enable-active-active` {LATER}"), format!("`sink.dispatchers.target-schema` {LATER}")]);
}
