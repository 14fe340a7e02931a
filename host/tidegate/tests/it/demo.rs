//! The demo from outside: what it says, how it ends, what it leaves behind.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;
use tg_scratch_mariadb::MariaDb;

/// A demo that writes little and keeps its files in a folder of the test.
fn demo(folder: &TempDir, args: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_tidegate"))
        .args(["demo", "--addr=127.0.0.1:0", "--rows-per-sec=2000"])
        .args(args)
        .env("TMPDIR", folder.path())
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn is_empty(folder: &TempDir) -> bool {
    folder.path().read_dir().unwrap().next().is_none()
}

fn has_mariadb() -> bool {
    let there = MariaDb::is_installed();
    if !there {
        println!("passed over: MariaDB is not installed");
    }
    there
}

#[test]
fn a_short_demo_ends_with_every_row_compared() {
    if !has_mariadb() {
        return;
    }
    let folder = TempDir::new().unwrap();
    let output = demo(&folder, &["--seconds=4", "--tables=2"]).wait_with_output().unwrap();
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(0), "{out}\n{err}");
    assert_eq!(err, "");
    let last = out.lines().last().unwrap();
    assert!(
        last.starts_with("EQUAL: 8 tables, ") && last.ends_with(": every one the same upstream and downstream"),
        "{out}"
    );
    for part in [
        "catch-up",
        "running",
        "bank.accounts",
        "big.txn",
        "sbtest.sbtest2",
        "storm.t2",
        "wide.types",
        "accounts sum to 1,000,000",
    ] {
        assert!(out.contains(part), "{part} is not in\n{out}");
    }
    assert!(!out.contains('\x1b'), "no colour and no cursor movement into a pipe");
    assert!(is_empty(&folder), "a folder was left behind");
}

#[test]
fn an_interrupted_demo_leaves_nothing() {
    if !has_mariadb() {
        return;
    }
    let folder = TempDir::new().unwrap();
    let mut child = demo(&folder, &["--forever"]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().starts_with("running")), "it ended before it ran");
    assert!(!is_empty(&folder));
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(130), "{rest:?}");
    assert_eq!(rest.last().map(String::as_str), Some("stopped before the tables were compared"));
    assert!(is_empty(&folder), "a folder was left behind");
}

#[test]
fn errors_have_a_code_and_say_what_to_do() {
    let folder = TempDir::new().unwrap();
    for (args, code, next) in [
        (&["--sink-uri=mysql://root@127.0.0.1:1/"][..], "TG-8063", "SELECT"),
        (&["--config=no-such-file.toml"], "TG-60", "next"),
    ] {
        let mut child = demo(&folder, args);
        assert_eq!(child.wait().unwrap().code(), Some(1), "{args:?}");
        let mut err = String::new();
        child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        assert!(err.starts_with(&format!("error[{code}")) && err.contains(next), "{args:?} {err}");
    }
    assert!(is_empty(&folder));
}
