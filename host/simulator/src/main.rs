//! Runs seeds of the cluster simulator.

use clap::Parser;
use std::ops::Range;
use std::process::ExitCode;
use std::time::Instant;
use tg_cluster::{Rule, Rules};
use tg_simulator::{Scenario, Trace, run};

/// Runs clusters in virtual time. A seed that fails is printed with the command that shows it again.
#[derive(Parser, Debug)]
struct Args {
    /// Run this seed.
    #[arg(long)]
    seed: Option<u64>,
    /// Run these seeds.
    #[arg(long, value_parser = seeds, default_value = "0..1000")]
    seeds: Range<u64>,
    /// Print the timeline.
    #[arg(long)]
    trace: bool,
    /// Take this rule out of the protocol; `list` names them all.
    #[arg(long)]
    mutation: Option<String>,
}

fn seeds(text: &str) -> Result<Range<u64>, String> {
    let (from, to) = text.split_once("..").ok_or("write it as FROM..TO")?;
    let number = |s: &str| s.replace('_', "").parse::<u64>().map_err(|e| format!("{s}: {e}"));
    Ok(number(from)?..number(to)?)
}

fn main() -> ExitCode {
    let args = Args::parse();
    if args.mutation.as_deref() == Some("list") {
        Rule::ALL.iter().for_each(|r| println!("{r:?}"));
        return ExitCode::SUCCESS;
    }
    let mut rules = Rules::default();
    if let Some(name) = &args.mutation {
        let Some(rule) = Rule::named(name) else {
            eprintln!("there is no rule {name}; `--mutation list` names them");
            return ExitCode::from(2);
        };
        rules = Rules::without(rule);
    }
    let range = args.seed.map_or(args.seeds, |s| s..s + 1);
    let trace = if args.trace { Trace::Print } else { Trace::Off };
    std::panic::set_hook(Box::new(|_| {}));
    let (begun, mut failed, mut events) = (Instant::now(), 0_u64, 0_u64);
    let total = range.end - range.start;
    for seed in range {
        let scenario = Scenario::of(seed);
        if args.seed.is_some() {
            println!("{scenario:#?}");
        }
        let outcome = run(&scenario, rules, trace);
        events += outcome.counts.events;
        if let Some((at, what)) = outcome.violation {
            failed += 1;
            let mutation = args.mutation.as_ref().map(|m| format!(" --mutation {m}")).unwrap_or_default();
            println!("seed {seed} at {:.3} s: {what}", at as f64 / 1e6);
            println!("  cargo run -p tg-simulator -- --seed {seed} --trace{mutation}");
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!("{total} seeds, {failed} failed, {events} events in {seconds:.1} s");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
