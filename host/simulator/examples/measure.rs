//! Prints how long the cluster takes for what matters, in virtual time, and what its owner costs.

use tg_cluster::Rules;
use tg_simulator::measure::{Times, capture_crash, drain, lease, move_gap, owner_crash, schedule, steady, token};

fn row(what: &str, t: Times) {
    println!("| {what} | {:.0} | {:.0} | {:.0} | {} |", t.p50, t.p99, t.max, t.runs);
}

fn main() {
    let runs = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(200);
    let rules = Rules::default();
    println!("| virtual milliseconds | p50 | p99 | max | runs |\n|---|---|---|---|---|");
    row("owner's process dies → another one acts", owner_crash(runs, true));
    row("owner's machine dies → another one acts", owner_crash(runs, false));
    row("capture's process dies → its slots write again, token", capture_crash(runs, token(), true, rules));
    row("capture's machine dies → its slots write again, token", capture_crash(runs, token(), false, rules));
    row(
        "capture's machine dies → its slots write again, lease + 500 ms grace",
        capture_crash(runs, lease(), false, rules),
    );
    row("longest pause in a slot's writes while it moves", move_gap(runs / 4));
    if let Some((spans, ms)) = drain(3_000, 48) {
        println!("\ndrain of a node with {spans} spans: {ms:.0} ms");
    }
    if let Some(ms) = schedule(10_000, 64, 5) {
        println!("10 000 spans on 5 captures, from the election until all are written: {ms:.0} ms");
    }
    println!(
        "\n| spans | slots | owner, of a core | capture | messages/s | statuses and caps/s |\n|---|---|---|---|---|---|"
    );
    for (tables, slots) in [(100, 64), (10_000, 64), (100_000, 64), (100_000, 1_024)] {
        let s = steady(tables, slots, 5);
        let (owner, capture) = (s.owner_cpu * 100.0, s.capture_cpu * 100.0);
        println!("| {tables} | {slots} | {owner:.2} % | {capture:.2} % | {:.0} | {:.0} |", s.messages, s.entries);
    }
}
