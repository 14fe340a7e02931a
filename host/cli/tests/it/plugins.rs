//! Commands on plugins and rows that were put aside, against the API over a server in memory.

use crate::fake::{Fake, serve};
use std::{io::Cursor, path::Path, process::ExitCode, sync::Arc};
use tg_api::TakeOver;
use tg_cli::{Outcome, Terminal, run};
use tg_model::CodePage;
use tg_signature::{Signature, SigningKey};

const PAGES: &[&[CodePage]] = &[tg_cli::CODES, tg_signature::CODES];

struct Ran {
    ok: bool,
    out: String,
    err: String,
}

async fn tidegate(fake: &Arc<Fake>, args: &[&str], typed: Option<&str>) -> Ran {
    let server = format!("--server=http://{}", serve(Arc::clone(fake)).await);
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut input = Cursor::new(typed.unwrap_or_default().as_bytes().to_vec());
    let mut terminal =
        Terminal { out: &mut out, err: &mut err, input: &mut input, interactive: typed.is_some(), colour: false };
    let args = ["tidegate"].into_iter().chain(args.iter().copied()).chain([server.as_str()]).map(Into::into).collect();
    let ok = matches!(run(args, &mut terminal, PAGES).await, Outcome::Done(code) if code == ExitCode::SUCCESS);
    Ran { ok, out: String::from_utf8(out).unwrap(), err: String::from_utf8(err).unwrap() }
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> String {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path.display().to_string()
}

#[tokio::test]
async fn a_component_is_signed_pushed_and_watched() {
    let (fake, folder) = (Arc::new(Fake::default()), tempfile::tempdir().unwrap());
    let component = write(folder.path(), "orders.wasm", b"\0asm and more");
    let key = folder.path().join("key").display().to_string();

    let ran = tidegate(&fake, &["plugin", "keygen", &key], None).await;
    assert!(ran.ok && ran.out.starts_with("ed25519:"), "{}", ran.err);
    let again = tidegate(&fake, &["plugin", "keygen", &key], None).await;
    assert!(!again.ok && again.err.contains("error[TG-8006]"), "a key is never written over: {}", again.err);
    let ran = tidegate(&fake, &["plugin", "sign", &component, "--key-file", &key], None).await;
    assert!(ran.ok && ran.out.contains("orders.wasm.sig"), "{}", ran.err);

    let create = ["changefeed", "create", "--sink-uri=plugin+orders://", "-c", "orders"];
    assert!(tidegate(&fake, &create, None).await.ok, "the feed that follows the name");
    let push = ["plugin", "push", &component, "--name", "orders", "--version", "2.0.0", "--activate"];
    let ran = tidegate(&fake, &push, None).await;
    assert!(ran.ok, "{}", ran.err);
    assert!(ran.out.starts_with("orders@2.0.0 (sink) is pushed and active, after 1.0.0.\nsha256:"), "{}", ran.out);
    assert!(ran.out.contains("  orders: swapped at (470609059287662600, rows), rows waited 1.5 ms\n"), "{}", ran.out);

    let pushed = fake.pushed.lock().unwrap()[0].clone();
    assert_eq!((pushed.take_over, pushed.bytes.as_slice()), (TakeOver::Swap, &b"\0asm and more"[..]));
    let signature: Signature = pushed.signature.unwrap().parse().unwrap();
    let trusted = SigningKey::parse(&std::fs::read_to_string(&key).unwrap()).unwrap().public();
    assert_eq!(signature.key(), trusted, "the signature beside the component goes with it");

    let text = write(folder.path(), "text.wasm", b"text");
    let ran = tidegate(&fake, &["plugin", "push", &text], None).await;
    assert!(!ran.ok && ran.err.starts_with("error[TG-2001]"), "{}", ran.err);
    let ran = tidegate(&fake, &["plugin", "push", "/nowhere.wasm"], None).await;
    assert!(!ran.ok && ran.err.starts_with("error[TG-8006]: COMPONENT: /nowhere.wasm"), "{}", ran.err);
}

#[tokio::test]
async fn plugins_are_listed_inspected_and_removed() {
    let (fake, folder) = (Arc::new(Fake::default()), tempfile::tempdir().unwrap());
    let component = write(folder.path(), "orders.wasm", b"\0asm");
    assert!(tidegate(&fake, &["plugin", "push", &component], None).await.ok);
    let ran = tidegate(&fake, &["plugin", "list"], None).await;
    let lines: Vec<&str> = ran.out.lines().collect();
    assert!(lines[0].starts_with("NAME") && lines[1].contains("1.0.0") && lines[1].contains("+1"), "{}", ran.out);
    let ran = tidegate(&fake, &["plugin", "inspect", "orders@2.0.0"], None).await;
    for part in [
        "Version:",
        "2.0.0",
        "It needs http: to call the hook",
        "10 calls, 2500 rows, 200.0 us a call",
        "\"type\": \"object\"",
    ] {
        assert!(ran.out.contains(part), "{part}\n{}", ran.out);
    }
    let ran = tidegate(&fake, &["plugin", "rollback", "orders", "--no-wait"], None).await;
    assert!(ran.ok && ran.out.starts_with("orders@1.0.0 (sink) is active"), "{}", ran.out);
    let ran = tidegate(&fake, &["plugin", "activate", "orders"], None).await;
    assert!(!ran.ok && ran.err.contains("names no version"), "{}", ran.err);
    let ran = tidegate(&fake, &["plugin", "logs", "orders", "-n", "2"], None).await;
    assert_eq!(ran.out.lines().count(), 2, "{}", ran.out);
    assert!(ran.out.ends_with("WARN default/orders 0/1  line 5\n"), "{}", ran.out);
    let ran = tidegate(&fake, &["plugin", "remove", "orders"], Some("n\n")).await;
    assert!(!ran.ok && ran.err.contains("error[TG-8004]"), "{}", ran.err);
    let ran = tidegate(&fake, &["plugin", "remove", "orders"], None).await;
    assert_eq!(ran.out, "Removed orders@1.0.0.\nRemoved orders@2.0.0.\n", "{}", ran.err);
}

#[tokio::test]
async fn rows_put_aside_are_shown_replayed_and_dropped() {
    let fake = Arc::new(Fake::default());
    let create = ["changefeed", "create", "--sink-uri=print://", "-c", "orders"];
    assert!(tidegate(&fake, &create, None).await.ok);
    let on = |command: &'static str| ["quarantine", command, "-c", "orders"];
    let ran = tidegate(&fake, &on("list"), None).await;
    assert!(ran.out.contains("shop.orders") && ran.out.contains("too-long"), "{}", ran.out);
    let ran = tidegate(&fake, &[&on("show")[..], &["2"]].concat(), None).await;
    assert!(ran.out.contains("\"id\": 2"), "{}", ran.out);
    let ran = tidegate(&fake, &[&on("replay")[..], &["--all"]].concat(), None).await;
    assert!(ran.out.contains("2 rows are written") && ran.out.contains("row 3 stays"), "{}", ran.out);
    let ran = tidegate(&fake, &[&on("drop")[..], &["1", "2"]].concat(), Some("y\n")).await;
    assert_eq!(ran.out, "2 rows are deleted.\n", "{}", ran.err);
    assert!(!tidegate(&fake, &on("drop"), None).await.ok, "rows have to be named");
}

#[tokio::test]
async fn places_of_tables_are_shown_and_changed() {
    let fake = Arc::new(Fake::default());
    assert!(tidegate(&fake, &["changefeed", "create", "--sink-uri=print://", "-c", "orders"], None).await.ok);
    let ran = tidegate(&fake, &["span", "list", "-c", "orders"], None).await;
    assert!(ran.out.contains("pinned") && ran.out.contains("s.t"), "{}{}", ran.out, ran.err);
    let moved = |to: &'static [&'static str]| [&["span", "move", "-c", "orders", "--slot", "1"], to].concat();
    let ran = tidegate(&fake, &moved(&["--to", "c0"]), None).await;
    assert!(ran.ok && ran.out.contains("Slot 1 of orders goes to c0"), "{}{}", ran.out, ran.err);
    assert!(tidegate(&fake, &moved(&["--anywhere"]), None).await.ok);
    assert!(!tidegate(&fake, &moved(&[]), None).await.ok, "it has to be said where");
    assert!(!tidegate(&fake, &moved(&["--to", "c9"]), None).await.ok);
}
