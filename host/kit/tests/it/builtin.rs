//! The plugins in the box keep the contract.

use tg_kit::{Corpus, Options, Result, Settings, Subject, run};

/// The checks that fail, with their words.
async fn failed(name: &str, settings: &str, recorded: Option<&Corpus>) -> Vec<String> {
    let bytes = tg_builtin::by_name(name).unwrap().to_vec();
    let settings = Settings::from_text("kit.toml", settings).unwrap();
    let subject = Subject::of_bytes(name, bytes, settings).await.unwrap();
    let options = Options { seed: 7, rounds: Options::ROUNDS, only: Vec::new(), shown_as: name.to_owned() };
    let report = run(&subject, &options, recorded, &[], |_| ()).await.unwrap();
    let failed = |l: &tg_kit::Line| match &l.result {
        Result::Failed { expected, happened, .. } => Some(format!("{}: {expected} / {happened}", l.name)),
        _ => None,
    };
    report.lines.iter().filter_map(failed).collect()
}

#[tokio::test]
async fn the_mysql_sink_keeps_the_contract() {
    assert_eq!(failed("mysql", "", None).await, [""; 0]);
}

#[tokio::test]
async fn the_postgres_sink_keeps_the_contract() {
    let settings = "[grants]\npostgres = ['downstream']\n[config]\nzero-dates = 'null'\n";
    assert_eq!(failed("postgres", settings, None).await, [""; 0]);
}

#[tokio::test]
async fn sinks_that_write_nowhere_keep_the_contract() {
    for name in ["print", "blackhole"] {
        assert_eq!(failed(name, "", None).await, [""; 0], "{name}");
    }
    assert_eq!(failed("blackhole", "[config]\ntouch = true\n", None).await, [""; 0]);
}

#[tokio::test]
async fn the_dispatcher_keeps_the_contract() {
    assert_eq!(failed("dispatcher", "", None).await, [""; 0]);
}

#[tokio::test]
async fn the_webhook_keeps_the_contract() {
    assert_eq!(failed("webhook", "", None).await, [""; 0]);
}

#[tokio::test]
async fn the_storage_sink_keeps_the_contract() {
    // How many files there are, and how often a writer began, is not what is compared.
    let settings = "bookkeeping = ['_tidegate/', 'meta/CDC', 'metadata']\n[config]\nprotocol = 'csv'\n";
    for more in ["", "file-size = 1024\n", "[config.csv]\ninclude-commit-ts = true\noutput-old-value = true\n"] {
        assert_eq!(failed("storage", &format!("{settings}{more}"), None).await, [""; 0], "{more}");
    }
}

#[tokio::test]
async fn transforms_keep_the_contract() {
    let hide = "[grants]\nsecret = { salt = 'pepper' }\n[[config.rules]]\ntable = 'kit.*'\ncolumns = ['owner', 'c11']\nmask = 'hash'\nsecret = 'salt'\n";
    assert_eq!(failed("mask", hide, None).await, [""; 0]);
    let move_all = "[[config.rules]]\nmatch = 'kit.*'\ndatabase = 'elsewhere'\n";
    assert_eq!(failed("route", move_all, None).await, [""; 0]);
}

#[tokio::test]
async fn recorded_rows_are_replayed_in_place_of_generated_ones() {
    let corpus = Corpus::from_text("corpus-1.jsonl", include_str!("../fixtures/corpus-1.jsonl")).unwrap();
    assert_eq!(failed("mysql", "", Some(&corpus)).await, [""; 0]);
}

#[tokio::test]
async fn the_kafka_sink_keeps_the_contract() {
    // When tables are described, and which changes share a message, depends on how rows are cut. In what order rows of several tables come,
    // too, and without keys only topics tell them apart.
    const SETTINGS: &str = "moments = ['ts', 'buildTs', 'ts_ms']\n\
        [skip]\nunknown = 'the endpoint keeps what is not acknowledged, and never answers that it does not know'\n\
        [config]\ntopic = 'kit'\nenable-tidb-extension = true\nmax-batch-size = 1\nsend-bootstrap-interval-in-sec = 0\n";
    for protocol in ["canal-json", "open-protocol", "simple", "debezium"] {
        let settings = format!(
            "{SETTINGS}protocol = '{protocol}'\n\
             [[config.dispatchers]]\nmatcher = ['*.*']\ntopic = 'k_{{schema}}_{{table}}'\n"
        );
        assert_eq!(failed("kafka", &settings, None).await, [""; 0], "{protocol}");
    }
}

#[tokio::test]
async fn the_rules_keep_the_contract() {
    let rules = "[config]\ntopic = 'kit'\n[[config.dispatchers]]\nmatcher = ['*.*']\ntopic = 'k_{schema}_{table}'\npartition = 'index-value'\n";
    assert_eq!(failed("rules", rules, None).await, [""; 0]);
}
