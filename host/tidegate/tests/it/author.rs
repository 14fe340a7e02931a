//! The author's commands from outside: from nothing to a plugin that keeps the contract.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A folder for plugins, and one for what cargo makes of them.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The crates that plugins need are those of this workspace, so no network is needed.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
        command.args(args).stdin(Stdio::null()).env_remove("RUST_LOG");
        command.env("CARGO_NET_OFFLINE", "true").env("CARGO_TARGET_DIR", self.path("target"));
        command.env("TMPDIR", self.folder.path());
        command
    }

    fn run(&self, args: &[&str]) -> (Option<i32>, String, String) {
        let output = self.command(args).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }

    fn begin(&self, name: &str, kind: &str) -> PathBuf {
        let dir = self.folder.path().to_str().unwrap();
        let (status, out, err) = self.run(&["plugin", "new", name, "--kind", kind, "--dir", dir]);
        assert_eq!(status, Some(0), "{err}");
        assert!(out.contains("src/lib.rs") && out.contains("tidegate plugin test"), "{out}");
        self.path(name)
    }
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn what_is_begun_keeps_the_contract_as_it_is() {
    let place = Place::new();
    for (name, kind) in [("to-web", "sink"), ("spread", "dispatcher"), ("hide", "transform")] {
        let folder = place.begin(name, kind);
        let (status, out, err) = place.run(&["plugin", "test", text(&folder)]);
        assert_eq!(status, Some(0), "{kind}\n{out}\n{err}");
        assert!(out.contains("keeps the contract") && out.contains("first"), "{out}");
    }
    // Its component alone, from here on.
    let component = place.path("to-web").join("build/to-web.wasm");
    let (status, out, err) = place.run(&["plugin", "check", text(&component), "--json"]);
    assert_eq!(status, Some(0), "{err}");
    let looked = json(&out);
    assert_eq!((&looked["name"], &looked["kind"]), (&"to-web".into(), &"sink".into()));
    assert!(
        looked["imports"].as_array().unwrap().iter().any(|i| i.as_str().unwrap().starts_with("tidegate:plugin/http@"))
    );
    let (status, out, err) = place.run(&["plugin", "bench", text(&component), "--rows", "2000", "--json"]);
    assert_eq!(status, Some(0), "{err}");
    let measured = json(&out);
    assert_eq!(measured.as_array().unwrap().len(), 3);
    assert!(measured[2]["ns_per_row"].as_f64().unwrap() > 0.0);
}

#[test]
fn a_mistake_fails_the_test_and_the_report_says_how_to_see_it_again() {
    let place = Place::new();
    let folder = place.begin("forgetful", "sink");
    let file = folder.join("src/lib.rs");
    let code = std::fs::read_to_string(&file).unwrap();
    // Acknowledged, and kept in memory only.
    std::fs::write(&file, code.replace("if !self.lines.is_empty()", "if self.lines.len() > 50_000")).unwrap();
    let (status, out, err) = place.run(&["plugin", "test", text(&folder), "--json"]);
    assert_eq!(status, Some(1), "{out}");
    assert!(err.contains("error[TG-8106]"), "{err}");
    let report = json(&out);
    let durable = report["lines"].as_array().unwrap().iter().find(|l| l["name"] == "durable").unwrap().clone();
    assert_eq!(durable["result"], "failed", "{durable}");
    let again = durable["again"].as_str().unwrap();
    assert!(again.contains("--check durable --seed "), "{again}");
    let args: Vec<&str> = again.split_whitespace().skip(1).collect();
    assert_eq!(place.run(&args).0, Some(1), "{again}");
    std::fs::write(&file, "this is not Rust").unwrap();
    let (status, _, err) = place.run(&["plugin", "build", text(&folder)]);
    assert_eq!(status, Some(1));
    assert!(err.contains("error[TG-8126]") && err.contains("src/lib.rs"), "{err}");
}

#[test]
fn recorded_rows_are_written_and_replayed() {
    let place = Place::new();
    let rows = place.path("rows.jsonl");
    let (status, out, err) = place.run(&["plugin", "test", "--save", text(&rows), "--seed", "3"]);
    assert_eq!(status, Some(0), "{err}");
    assert!(out.contains("events of seed 3"), "{out}");
    assert!(std::fs::read_to_string(&rows).unwrap().starts_with("{\"tidegate-corpus\":1}\n"));
    let nothing = place.path("nothing.wasm");
    std::fs::write(&nothing, "no component").unwrap();
    let (status, _, err) = place.run(&["plugin", "test", text(&nothing), "--corpus", text(&rows)]);
    assert_eq!(status, Some(1));
    assert!(err.contains("error[TG-2001]"), "{err}");
    let (status, out, _) = place.run(&["plugin", "test", "--list"]);
    assert_eq!(status, Some(0));
    assert!(out.contains("zombie") && out.contains("dispatcher"), "{out}");
}

#[test]
fn dev_shows_what_a_plugin_sends_and_takes_up_what_is_saved() {
    let place = Place::new();
    let folder = place.begin("live", "sink");
    let mut command = place.command(&["dev", text(&folder), "--rows-per-sec", "50"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut seen = Vec::new();
    let mut until = |part: &str| {
        for line in lines.by_ref() {
            seen.push(line.clone());
            if line.contains(part) {
                return;
            }
        }
        panic!("`{part}` did not come: {seen:#?}");
    };
    until("live dev-1 as sink, ready");
    until("POST /rows");
    let file = folder.join("src/lib.rs");
    let code = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, code.replace("\"/rows\"", "\"/changed\"")).unwrap();
    until("a file changed");
    until("dev-2: swapped");
    until("POST /changed");
    std::fs::write(&file, "this is not Rust").unwrap();
    until("TG-8126");
    until("POST /changed");
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    for _ in lines {}
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let left = |e: &std::fs::DirEntry| e.file_name().to_string_lossy().starts_with("tidegate-dev-");
    assert!(!place.folder.path().read_dir().unwrap().flatten().any(|e| left(&e)), "a folder was left behind");
}
