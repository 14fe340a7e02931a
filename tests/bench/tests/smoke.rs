//! The quick run goes through: every group is there, every row sent was delivered (the program fails otherwise). No times are judged.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::process::Command;

fn bench(args: &[&str]) -> String {
    let run = Command::new(env!("CARGO_BIN_EXE_tg-bench")).args(args).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{args:?} ended with {}:\n{out}\n{err}", run.status);
    out.into_owned()
}

/// Every line of the table below its head has a figure in its second column.
fn check_figures(table: &str, wanted: &[&str]) {
    for name in wanted {
        let line = table.lines().find(|l| l.starts_with(name));
        let line = line.unwrap_or_else(|| panic!("no line {name:?} in\n{table}"));
        assert!(line.chars().any(|c| c.is_ascii_digit()), "{line:?} has no figure");
    }
    assert!(!table.contains("NaN") && !table.contains("inf "), "{table}");
}

#[test]
fn stages() {
    let table = bench(&["--quick", "stage"]);
    assert!(table.starts_with("profile: "), "{table}");
    check_figures(
        &table,
        &["limit: memcpy", "limit: loopback", "stage: feed decode", "stage: sorter in", "stage: mounter"],
    );
    assert!(!table.contains("end to end"), "the filter leaves the rest out");
}

#[test]
fn components() {
    check_figures(
        &bench(&["--quick", "crossing"]),
        &["crossing: sink reads all", "crossing: MySQL statements", "crossing: canal-json"],
    );
}

#[test]
fn through_kafka() {
    check_figures(&bench(&["--quick", "kafka:"]), &["kafka: canal-json through a broker, exactly once"]);
}

#[test]
fn end_to_end() {
    let table = bench(&["--quick", "end to end: blackhole"]);
    let variants =
        ["end to end: feed client", "end to end: blackhole, components", "end to end: blackhole, same crates"];
    check_figures(&table, &variants);
    for name in ["latency", "one transaction", "idle"] {
        let name = format!("end to end: {name}");
        check_figures(&bench(&["--quick", &name]), &[&name]);
    }
}

#[test]
fn unknown_options_are_refused() {
    let run = Command::new(env!("CARGO_BIN_EXE_tg-bench")).arg("--nonsense").output().unwrap();
    assert!(!run.status.success());
    assert!(String::from_utf8_lossy(&run.stderr).contains("usage: tg-bench"));
}
