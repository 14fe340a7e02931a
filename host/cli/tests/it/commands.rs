//! Commands against the API over a server in memory: what is printed where, and the exit status.

use crate::fake::{Fake, serve};
use std::{io::Cursor, process::ExitCode, sync::Arc};
use tg_cli::{Outcome, Terminal, run};
use tg_model::{CodePage, TableId};

const PAGES: &[&[CodePage]] = &[tg_cli::CODES, tg_config::CODES, tg_api::CODES];

struct Ran {
    code: String,
    out: String,
    err: String,
}

async fn tidegate(args: &[&str], typed: Option<&str>) -> Ran {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut input = Cursor::new(typed.unwrap_or_default().as_bytes().to_vec());
    let mut terminal =
        Terminal { out: &mut out, err: &mut err, input: &mut input, interactive: typed.is_some(), colour: false };
    let args = std::iter::once("tidegate").chain(args.iter().copied()).map(Into::into).collect();
    let code = match run(args, &mut terminal, PAGES).await {
        Outcome::Done(code) if code == ExitCode::SUCCESS => "0".to_owned(),
        Outcome::Done(code) if code == ExitCode::FAILURE => "1".to_owned(),
        Outcome::Done(_) => "2".to_owned(),
        other => format!("{other:?}"),
    };
    Ran { code, out: String::from_utf8(out).unwrap(), err: String::from_utf8(err).unwrap() }
}

async fn on(fake: &Arc<Fake>, args: &[&str], typed: Option<&str>) -> Ran {
    let server = format!("--server=http://{}", serve(Arc::clone(fake)).await);
    let args: Vec<&str> = args.iter().copied().chain([server.as_str()]).collect();
    tidegate(&args, typed).await
}

#[tokio::test]
async fn the_life_of_a_changefeed() {
    let fake = Arc::new(Fake::default());
    let create = ["changefeed", "create", "--sink-uri=mysql://root:hunter2@h/", "-c", "demo"];
    let ran = on(&fake, &create, None).await;
    assert_eq!(ran.code, "0", "{}", ran.err);
    assert!(
        ran.out.starts_with("Create changefeed successfully!\nID:     demo\nSink:   mysql://root:xxxxx@h/\n"),
        "{}",
        ran.out
    );

    let ran = on(&fake, &create, None).await;
    assert_eq!((ran.code.as_str(), ran.out.as_str()), ("1", ""));
    assert!(
        ran.err.starts_with("error[TG-6102]: [CDC:ErrChangeFeedAlreadyExists]changefeed already exists, demo\n"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("\n  next: Choose another name"), "{}", ran.err);

    let ran = on(&fake, &["changefeed", "list"], None).await;
    let lines: Vec<&str> = ran.out.lines().collect();
    assert!(
        lines[0].trim_start().starts_with("ID") && lines[1].contains("demo") && lines[1].contains("normal"),
        "{}",
        ran.out
    );
    let ran = on(&fake, &["cli", "changefeed", "list", "--json"], None).await;
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&json[0]["id"], &json[0]["summary"]["state"]), (&"demo".into(), &"normal".into()));

    let ran = on(&fake, &["changefeed", "query", "-c", "demo"], None).await;
    assert!(ran.out.contains("Rows:    1.23M (2500/s)") || ran.out.contains("Rows:    1.23M (2501/s)"), "{}", ran.out);
    let ran = on(&fake, &["changefeed", "query", "-c", "demo", "--simple", "-o", "json"], None).await;
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert!(json.get("checkpoint_tso").is_some() && json.get("sink_uri").is_none());

    let target = "--target-ts=470708608181751630";
    let ran = on(&fake, &["changefeed", "update", "-c", "demo", target], None).await;
    assert!(
        ran.err.contains("error[TG-6105]") && ran.err.contains("target_ts: null -> 470708608181751630"),
        "{}",
        ran.err
    );
    assert_eq!(on(&fake, &["changefeed", "pause", "-c", "demo"], None).await.out, "");
    let ran = on(&fake, &["changefeed", "update", "-c", "demo", target], None).await;
    assert_eq!(ran.out, "Update changefeed config successfully!\nID: demo\n", "{}", ran.err);
    let ran = on(&fake, &["changefeed", "resume", "-c", "demo"], None).await;
    assert_eq!(ran.out, "Resume changefeed successfully!\nID: demo\nOverwriteCheckpointTs: false\n");

    let ran = on(&fake, &["changefeed", "remove", "-c", "demo"], Some("n\n")).await;
    assert_eq!((ran.code.as_str(), fake.feeds.lock().unwrap().len()), ("1", 1), "a person said no");
    assert!(ran.err.contains("error[TG-8004]"), "{}", ran.err);
    let ran = on(&fake, &["changefeed", "remove", "-c", "demo"], Some("y\n")).await;
    assert!(ran.out.starts_with("Changefeed remove successfully.\nID: demo\nCheckpointTs: "), "{}", ran.out);
    let ran = on(&fake, &["changefeed", "remove", "-c", "demo"], None).await;
    assert_eq!((ran.code.as_str(), ran.out.as_str()), ("0", "Changefeed not found.\nID: demo\n"));
}

#[tokio::test]
async fn nothing_is_left_out_without_a_yes() {
    let fake = Arc::new(Fake::default());
    let (database_name, table_name) = ("d".to_owned(), "nokey".to_owned());
    let table = tg_api::TableName { database_name, table_name, table_id: TableId(9), is_partition: false };
    fake.ineligible.lock().unwrap().push(table);
    let create = ["changefeed", "create", "--sink-uri=print://", "-c", "k"];
    let ran = on(&fake, &create, None).await;
    assert_eq!(ran.code, "1");
    let said = "error[TG-8004]: Tables without a usable key will be left out: d.nokey. Nothing was done.\n";
    assert!(ran.err.starts_with(said), "{}", ran.err);
    assert_eq!(on(&fake, &[&create[..], &["--no-confirm"]].concat(), None).await.code, "0");
    let feeds = fake.feeds.lock().unwrap();
    assert_eq!(feeds.values().next().unwrap().config.ignore_ineligible_table, Some(true));
}

#[tokio::test]
async fn why_a_changefeed_stands_still() {
    let fake = Arc::new(Fake::default());
    on(&fake, &["changefeed", "create", "--sink-uri=print://", "-c", "w"], None).await;
    let ran = on(&fake, &["changefeed", "why", "-c", "w"], None).await;
    assert_eq!(ran.out, "w is normal, 0ms behind.\nIt waits for nothing.\n");
    let (what, next_step) = ("region 7 has no leader".to_owned(), "look at TiKV".to_owned());
    fake.waiting.lock().unwrap().push(tg_api::Waiting { what, since_ms: 61_000, next_step });
    let ran = on(&fake, &["changefeed", "why", "-c", "w"], None).await;
    assert!(ran.out.contains("Waiting for 1.0min: region 7 has no leader\n  next: look at TiKV"), "{}", ran.out);
}

#[tokio::test]
async fn limits_of_the_scheduler_are_shown_and_set() {
    let fake = Arc::new(Fake::default());
    let limits = ["schedule", "limits"];
    let ran = on(&fake, &limits, None).await;
    let words: Vec<&str> = ran.out.lines().nth(1).unwrap_or_default().split_whitespace().collect();
    assert_eq!(words[..6], ["moves", "64", "64", "0", "to", "100"], "{}{}", ran.out, ran.err);
    let ran = on(&fake, &[&limits[..], &["--set", "moves=8", "--json"]].concat(), None).await;
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&json["limits"][0]["value"], *fake.moves.lock().unwrap()), (&8.into(), Some(8)));
    let ran = on(&fake, &[&limits[..], &["--set", "moves=9", "--set", "move=9"]].concat(), None).await;
    assert!(ran.code == "1" && ran.err.contains("there is no limit `move`"), "{}", ran.err);
    on(&fake, &[&limits[..], &["--set", "moves=default"]].concat(), None).await;
    assert_eq!(*fake.moves.lock().unwrap(), None);
    let ran = on(&fake, &[&limits[..], &["--set", "moves=many"]].concat(), None).await;
    assert!(ran.code == "2" && ran.err.contains("neither a number nor `default`"), "{}", ran.err);
}

#[tokio::test]
async fn mistakes_are_told_before_a_server_is_asked() {
    let file = std::env::temp_dir().join(format!("tg-cli-{}.toml", std::process::id()));
    std::fs::write(&file, "[sink]\nprotocl = 'csv'\n").unwrap();
    let path = file.display().to_string();
    let config = format!("--config={path}");
    for (args, code, err) in [
        (
            vec!["changefeed", "create", "--sink-uri=print://", config.as_str()],
            "1",
            format!("error[TG-6002]: {path}:2:1: there is no option `sink.protocl`; did you mean `protocol`?\n"),
        ),
        (
            vec!["changefeed", "create", "--sink-uri=mysql://u:hunter2@h/?safemode=true"],
            "1",
            "error[TG-6012]: sink URI `mysql://u:xxxxx@h/?safemode=true`: mysql has no parameter `safemode`; did you mean `safe-mode`?\n".to_owned(),
        ),
        (
            vec!["changefeed", "list", "--server=127.0.0.1:1"],
            "1",
            "error[TG-8001]: cannot reach a server at http://127.0.0.1:1: ".to_owned(),
        ),
        (vec!["changfeed", "list"], "2", "error[TG-8008]: unrecognized subcommand 'changfeed'".to_owned()),
        (vec!["changefeed", "create"], "2", "error[TG-8008]: the following required arguments were not provided".to_owned()),
        (
            vec!["changefeed", "create", "--sink-uri=print://", "-c", "two words"],
            "1",
            "error[TG-8006]: --changefeed-id: `two words` is no name; use letters, digits, - and _, at most 128".to_owned(),
        ),
        (vec!["explain", "TG-9999"], "1", "error[TG-8005]: there is no error code `TG-9999`".to_owned()),
        (
            vec!["changefeed", "resume", "-c", "x", "--overwrite-checkpoint-ts=soon"],
            "1",
            "error[TG-8006]: --overwrite-checkpoint-ts: `soon` is neither `now` nor a timestamp".to_owned(),
        ),
    ] {
        let ran = tidegate(&args, None).await;
        assert_eq!((ran.code.as_str(), ran.out.as_str()), (code, ""), "{args:?} {}", ran.err);
        assert!(ran.err.starts_with(&err), "{args:?}\n{}\n{err}", ran.err);
        assert!(!ran.err.contains("hunter2"));
    }
    let ran = tidegate(&["changfeed"], None).await;
    assert!(ran.err.contains("a similar subcommand exists: 'changefeed'"), "{}", ran.err);
    std::fs::remove_file(&file).unwrap();
}

#[tokio::test]
async fn codes_are_explained() {
    let ran = tidegate(&["explain", "tg-6101"], None).await;
    assert!(ran.out.starts_with("TG-6101: There is no such changefeed\n\nWhy\n  The name is misspelt"), "{}", ran.out);
    let ran = tidegate(&["explain"], None).await;
    for code in ["TG-6001", "TG-6110", "TG-8001"] {
        assert!(ran.out.contains(code), "{}", ran.out);
    }
    let mut codes: Vec<_> = PAGES.iter().copied().flatten().map(|p| p.code).collect();
    let count = codes.len();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), count, "no code has two meanings");
}

#[tokio::test]
async fn nodes_and_timestamps() {
    let fake = Arc::new(Fake::default());
    let ran = on(&fake, &["capture", "list", "-o", "json"], None).await;
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&json[0]["is-owner"], &json[0]["cluster-id"]), (&true.into(), &"default".into()));
    let ran = on(&fake, &["capture", "list"], None).await;
    assert!(ran.out.contains("node-1") && ran.out.contains("owner"), "{}", ran.out);
    assert_eq!(on(&fake, &["tso", "query"], None).await.out, format!("{}\n", crate::fake::NOW));
    assert!(on(&fake, &["status"], None).await.out.contains("Health:  healthy"));
    assert!(tidegate(&["version"], None).await.out.starts_with("tidegate "));
}

#[tokio::test]
async fn servers_are_handed_over() {
    let ran = tidegate(&["server", "--addr=0.0.0.0:1", "--pd=http://a:1", "--gc-ttl=100", "-x"], None).await;
    assert!(ran.code.starts_with("Server(") && ran.code.contains("0.0.0.0:1"), "{}", ran.code);
    assert!(tidegate(&["demo", "--seconds=5"], None).await.code.starts_with("Demo("));
}

#[tokio::test]
async fn a_tap_prints_lines_as_they_come() {
    let fake = Arc::new(Fake::default());
    on(&fake, &["changefeed", "create", "--sink-uri=mysql://h/", "-c", "demo"], None).await;
    let ran = on(&fake, &["tap", "demo", "--table", "a.*", "-t", "b.c", "--where", "id > 5 and v = 'x'"], None).await;
    assert_eq!(ran.code, "0", "{}", ran.err);
    let first = r#"{"n":1,"tables":["a.*","b.c"],"where":"id > 5 and v = 'x'"}"#;
    assert_eq!(ran.out.lines().next(), Some(first));
    assert_eq!(ran.out.lines().count(), 3);
    assert!(ran.err.starts_with("The stream has ended"), "{}", ran.err);
    let ran = on(&fake, &["tap", "demo", "-n", "2"], None).await;
    assert_eq!((ran.code.as_str(), ran.out.lines().count(), ran.err.as_str()), ("0", 2, ""));
    let ran = on(&fake, &["tap", "nobody"], None).await;
    assert_eq!(ran.code, "1");
    assert!(ran.err.starts_with("error[TG-61"), "{}", ran.err);
}
