//! Each check fails on a plugin that makes the mistake it is there for, and passes on one that does not.

use tg_kit::{Options, Report, Result, Settings, Subject, run};

const SEED: u64 = 1;

fn settings(fault: &str, via: &str) -> Settings {
    let granted = if via.is_empty() { String::new() } else { format!("[grants]\n{via} = ['downstream']\n") };
    let text = format!("[config]\nfault = '{fault}'\nvia = '{via}'\n{granted}");
    Settings::from_text("kit.toml", &text).unwrap()
}

async fn report(bytes: &[u8], fault: &str, via: &str, only: &[&str]) -> Report {
    let subject = Subject::of_bytes("faulty", bytes.to_vec(), settings(fault, via)).await.unwrap();
    let only = only.iter().map(|s| (*s).to_owned()).collect();
    let options = Options { seed: SEED, rounds: Options::ROUNDS, only, shown_as: "faulty.wasm".to_owned() };
    run(&subject, &options, None, &[], |_| ()).await.unwrap()
}

fn failed(report: &Report) -> Vec<&str> {
    let failed = |l: &&tg_kit::Line| matches!(l.result, Result::Failed { .. });
    report.lines.iter().filter(failed).map(|l| l.name.as_str()).collect()
}

/// The mistake is found by the check, and the line says how to see it again.
async fn found(bytes: &[u8], fault: &str, via: &str, check: &str) {
    let report = report(bytes, fault, via, &[check]).await;
    assert_eq!(failed(&report), [check], "{fault} through {via}: {report:#?}");
    let Result::Failed { expected, happened, again, .. } = &report.lines[0].result else { panic!("it failed") };
    assert!(!expected.is_empty() && !happened.is_empty(), "{report:?}");
    assert!(again.contains(&format!("--check {check} --seed ")), "{again}");
}

#[tokio::test]
async fn a_sink_without_a_mistake_passes_through_every_capability() {
    for via in ["sql", "producer", "http", "object-store"] {
        let report = report(tg_plugin_faulty::SINK, "", via, &[]).await;
        let left_out: Vec<_> = report
            .lines
            .iter()
            .filter(|l| matches!(l.result, Result::Skipped { .. }))
            .map(|l| l.name.as_str())
            .collect();
        // Messages of more than a megabyte are refused by the queue, and this sink does not set such rows aside.
        let wanted: &[&str] = if via == "producer" { &["large"] } else { &[] };
        assert_eq!(failed(&report), wanted, "{via}: {report:#?}");
        let fences = matches!(via, "sql" | "producer");
        assert_eq!(left_out, if fences { &[][..] } else { &["zombie"] }, "{via}");
    }
}

#[tokio::test]
async fn mistakes_of_a_sink_are_found() {
    for (fault, via, check) in [
        ("leak", "sql", "memory"),
        ("silent", "sql", "life"),
        ("trap-on-null", "sql", "types"),
        ("copies", "sql", "large"),
        ("state-by-table", "sql", "tables"),
        ("write-on-tick", "sql", "quiet"),
        ("trap-on-empty", "sql", "quiet"),
        ("first-of-batch", "sql", "batching"),
        ("backwards", "producer", "batching"),
        ("backwards", "http", "batching"),
        ("ack-early", "sql", "durable"),
        ("ack-early", "object-store", "durable"),
    ] {
        found(tg_plugin_faulty::SINK, fault, via, check).await;
    }
}

#[tokio::test]
async fn mistakes_of_a_sink_under_failures_are_found() {
    for (fault, via, check) in [
        ("insert-through", "sql", "replay"),
        ("forget-on-swap", "http", "swap"),
        ("ddl-once", "sql", "ddl"),
        ("busy-is-fatal", "sql", "retry"),
        ("drop-on-failure", "http", "retry"),
        ("unknown-is-done", "sql", "unknown"),
        ("unknown-is-done", "http", "unknown"),
        ("ack-anyway", "sql", "honest"),
        ("ack-anyway", "object-store", "honest"),
        ("fenced-is-done", "sql", "zombie"),
        ("fenced-is-done", "producer", "zombie"),
        ("open-ahead", "sql", "life"),
        ("status-ahead", "sql", "life"),
        ("config", "sql", "config"),
    ] {
        found(tg_plugin_faulty::SINK, fault, via, check).await;
    }
}

#[tokio::test]
async fn mistakes_of_a_dispatcher_are_found() {
    assert_eq!(failed(&report(tg_plugin_faulty::DISPATCHER, "", "", &[]).await), [""; 0]);
    for (fault, check) in [
        ("leak", "memory"),
        ("trap-on-null", "types"),
        ("slow", "large"),
        ("by-number", "batching"),
        ("random", "again"),
        ("by-value", "keys"),
        ("unsplit", "keys"),
        ("config", "config"),
    ] {
        found(tg_plugin_faulty::DISPATCHER, fault, "", check).await;
    }
}

#[tokio::test]
async fn mistakes_of_a_transform_are_found() {
    assert_eq!(failed(&report(tg_plugin_faulty::TRANSFORM, "", "", &[]).await), [""; 0]);
    for (fault, check) in [
        ("leak", "memory"),
        ("trap-on-null", "types"),
        ("copies", "large"),
        ("by-number", "batching"),
        ("random", "again"),
        ("mask-key", "keys"),
        ("ddl-forgets", "ddl"),
        ("config", "config"),
    ] {
        found(tg_plugin_faulty::TRANSFORM, fault, "", check).await;
    }
}
