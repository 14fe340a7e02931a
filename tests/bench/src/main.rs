//! The table of ratios: each stage alone, batches into WebAssembly against the same crate natively, and the whole way end to end,
//! beside what the machine's own memory and loopback give.
//!
//! Does: measure in this run, in interleaved samples, and print medians. The upstream and the product run in processes of their
//! own (this program starts itself again), so that their CPU and memory are told apart.
//! Does not: judge by the clock. A missed target is printed, never an error.

mod args;
mod fixture;
mod measure;
mod run;
mod stages;
mod table;

use args::Options;
use table::Report;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Name of the profile this was built with, as far as it can be told.
const PROFILE: &str = if cfg!(debug_assertions) {
    "dev (crates that rows pass through at opt-level 3, debug assertions on in ours)"
} else {
    "release"
};

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1).peekable();
    if args.peek().is_some_and(|a| a == run::ROLE) {
        return run::role(args.skip(1));
    }
    let Some(options) = Options::parse(args)? else {
        println!("{}", args::USAGE);
        return Ok(());
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!("profile: {PROFILE}; cores: {cores}; samples: {}, interleaved, medians", options.samples);
    println!("CPU is user and system time of the thread or process measured; rates of stages are those of one core\n");
    let mut report = Report::default();
    let mut lines = Vec::new();
    let limits = stages::limits::run(&options, &mut lines)?;
    report.add("the machine", std::mem::take(&mut lines));
    stages::decode::run(&options, &limits, &mut lines)?;
    stages::sort::run(&options, &limits, &mut lines)?;
    stages::mount::run(&options, &limits, &mut lines)?;
    report.add("stages, 200-byte rows", std::mem::take(&mut lines));
    stages::crossing::run(&options, &limits, &mut lines)?;
    stages::mysql::run(&options, &mut lines)?;
    stages::kafka::run(&options, &mut lines)?;
    report.add("components against the same crates natively", std::mem::take(&mut lines));
    run::table(&options, &limits, &mut lines)?;
    report.add("end to end", lines);
    println!("{}", report.text());
    Ok(())
}
