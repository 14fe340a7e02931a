//! The end-to-end part of the table: starts the processes, lets them talk, compares.

use super::child::{Args, Role};
use crate::args::Options;
use crate::measure::median;
use crate::stages::Limits;
use crate::table::{Line, Target, rate};
use tg_testkit::MariaDb;

/// Layout of a changefeed into MySQL, as the server chooses it.
const MYSQL_SLOTS: u16 = 4;
const MYSQL_LANES: u16 = 4;
/// Layout of other changefeeds.
const OTHER_SLOTS: u16 = 2;
/// What the server gives its sorters of a memory bound of 1 GiB and of 512 MiB.
const SORTER_BYTES: usize = 512 << 20;
const SORTER_SMALL_BYTES: usize = 192 << 20;
/// Rows of a burst that the sorter keeps in memory at the default row size.
const IN_MEMORY_ROWS: u64 = 150_000;
/// A rate that nothing here reaches.
const RATE_MAX: u64 = 100_000_000;
/// Threads of the product's runtime.
const THREADS: u16 = 2;

/// What a sample told.
#[derive(Clone, Copy, Debug, Default)]
struct Sample {
    cpu_us_per_row: f64,
    rows_per_s: f64,
    bytes_per_row: f64,
    rss_mb: f64,
}

impl Sample {
    fn read(done: &Args, rows: u64) -> anyhow::Result<Self> {
        let (got, bytes): (u64, u64) = (done.get("rows")?, done.get("bytes")?);
        anyhow::ensure!(got == rows, "{got} rows were delivered, {rows} were sent");
        let (cpu, wall): (f64, f64) = (done.get("cpu_ns")?, done.get("wall_ns")?);
        let rows = rows as f64;
        Ok(Self {
            cpu_us_per_row: cpu / 1000.0 / rows,
            rows_per_s: rows / wall * 1e9,
            bytes_per_row: bytes as f64 / rows,
            rss_mb: done.get::<f64>("rss")? / 1e6,
        })
    }

    fn median(samples: &[Self]) -> Self {
        let of = |field: fn(&Self) -> f64| median(samples.iter().map(field).collect());
        Self {
            cpu_us_per_row: of(|s| s.cpu_us_per_row),
            rows_per_s: of(|s| s.rows_per_s),
            bytes_per_row: of(|s| s.bytes_per_row),
            rss_mb: of(|s| s.rss_mb),
        }
    }

    fn line(&self, name: &str, limits: &Limits) -> Line {
        let cpu = self.cpu_us_per_row;
        let mut line = Line::new(name, format!("{cpu:.2} µs CPU/row, {:.0} MB RSS", self.rss_mb));
        line.rate = rate(self.rows_per_s, self.bytes_per_row);
        line.ratio(limits.loopbacks(cpu * 1000.0, self.bytes_per_row))
    }
}

/// What the product's process is told, with the blackhole.
fn product(ready: &Args, mode: &str, rows: u64) -> Args {
    ready
        .clone()
        .with("mode", mode)
        .with("rows", rows)
        .with("rule", "bench.*")
        .with("threads", THREADS)
        .with("slots", OTHER_SLOTS)
        .with("lanes", 1)
        .with("sorter_bytes", SORTER_BYTES)
        .with("mysql_port", 0)
        .with("how", "component")
}

fn upstream(mode: &str, rows: u64, row_bytes: usize) -> anyhow::Result<(Role, Args)> {
    upstream_with(&Args::default().with("mode", mode).with("rows", rows).with("row_bytes", row_bytes))
}

fn upstream_with(args: &Args) -> anyhow::Result<(Role, Args)> {
    let mut upstream = Role::start("upstream", args)?;
    let ready = upstream.expect("ready")?;
    Ok((upstream, ready))
}

/// One sample: rows as fast as they are read.
fn burst(options: &Options, rows: u64, role: &str, change: impl Fn(Args) -> Args) -> anyhow::Result<Sample> {
    let (mut upstream, ready) = upstream("burst", rows, options.row_bytes)?;
    let mut product = Role::start(role, &change(product(&ready, "burst", rows)))?;
    product.expect("subscribed")?;
    upstream.say("go")?;
    let sample = Sample::read(&product.expect("done")?, rows)?;
    product.end()?;
    upstream.end()?;
    Ok(sample)
}

/// Interleaved samples of several variants.
fn bursts(options: &Options, rows: u64, variants: &[(&str, &dyn Fn(Args) -> Args)]) -> anyhow::Result<Vec<Sample>> {
    let mut samples = vec![Vec::new(); variants.len()];
    for _ in 0..options.samples {
        for ((role, change), taken) in variants.iter().zip(&mut samples) {
            taken.push(burst(options, rows, role, change)?);
        }
    }
    Ok(samples.iter().map(|s| Sample::median(s)).collect())
}

/// Adds the lines that are asked for.
pub(crate) fn table(options: &Options, limits: &Limits, lines: &mut Vec<Line>) -> anyhow::Result<()> {
    if options.wants("end to end: blackhole") {
        blackhole(options, limits, lines)?;
    }
    if options.wants("end to end: latency") {
        lines.push(latency(options)?);
    }
    if options.wants("end to end: one transaction") {
        lines.push(one_transaction(options)?);
    }
    if options.wants("end to end: idle") {
        lines.push(idle(options)?);
    }
    if options.wants("end to end: MariaDB") {
        mariadb(options, limits, lines)?;
    }
    Ok(())
}

fn blackhole(options: &Options, limits: &Limits, lines: &mut Vec<Line>) -> anyhow::Result<()> {
    // The encoded feed resolves only at its end: as many rows as wait in memory then, so that the disk is told apart.
    let rows = options.rows.min(IN_MEMORY_ROWS);
    let native = |a: Args| a.with("how", "native");
    let same = |a: Args| a;
    let taken = bursts(options, rows, &[("feed", &same), ("product", &same), ("product", &native)])?;
    let [feed, component, native] = taken.as_slice() else { anyhow::bail!("three variants are wanted") };
    lines.push(feed.line("end to end: feed client alone (net, decode, match)", limits));
    let cpu = Target::Most(2.2).verdict(component.cpu_us_per_row, " µs");
    let rss = Target::Most(150.0).verdict(component.rss_mb, " MB");
    let speed = Target::Least(500.0).verdict(component.rows_per_s / 1000.0, " k rows/s");
    lines.push(component.line("end to end: blackhole, components", limits).target(cpu));
    lines.push(Line::new("end to end: blackhole, resident peak", format!("{:.0} MB", component.rss_mb)).target(rss));
    let rate = format!("{:.0} k rows/s", component.rows_per_s / 1000.0);
    lines.push(Line::new("end to end: blackhole, throughput with the upstream beside", rate).target(speed));
    lines.push(native.line("end to end: blackhole, same crates natively", limits));
    lines.push(against("end to end: blackhole, components against native", component, native, 0.95));
    let spilled = bursts(options, options.rows, &[("product", &same)])?;
    for spilled in &spilled {
        let line = spilled.line("end to end: blackhole, all rows behind one resolved-ts", limits);
        lines.push(line.target(Target::Most(2.2).verdict(spilled.cpu_us_per_row, " µs")));
    }
    Ok(())
}

fn against(name: &str, component: &Sample, native: &Sample, least: f64) -> Line {
    let throughput = component.rows_per_s / native.rows_per_s;
    let cpu = native.cpu_us_per_row / component.cpu_us_per_row;
    Line::new(name, format!("throughput x {throughput:.2}"))
        .ratio(format!("rows per CPU second x {cpu:.2}"))
        .target(Target::Least(least).verdict(throughput, ""))
}

fn mariadb(options: &Options, limits: &Limits, lines: &mut Vec<Line>) -> anyhow::Result<()> {
    if !MariaDb::is_installed() {
        lines.push(Line::new("end to end: MariaDB", "passed over: no mariadbd here"));
        return Ok(());
    }
    // No sync to disk per commit: the sink is measured, not the disk.
    let rows = options.rows / 5;
    let mut samples = [Vec::new(), Vec::new()];
    for _ in 0..options.samples.min(3) {
        for (how, taken) in ["component", "native"].into_iter().zip(&mut samples) {
            let server = MariaDb::start_with(&["--innodb-flush-log-at-trx-commit=0"])?;
            taken.push(burst(options, rows, "product", |a| {
                let layout = a.with("slots", MYSQL_SLOTS).with("lanes", MYSQL_LANES);
                layout.with("mysql_port", server.port()).with("how", how)
            })?);
        }
    }
    let [component, native] = samples.map(|s| Sample::median(&s));
    let cpu = Target::Most(4.0).verdict(component.cpu_us_per_row, " µs");
    lines.push(component.line("end to end: MariaDB, components", limits).target(cpu));
    lines.push(native.line("end to end: MariaDB, same crates natively", limits));
    lines.push(against("end to end: MariaDB, components against native", &component, &native, 0.9));
    Ok(())
}

/// Delay of the checkpoint behind the upstream's resolved-ts, at half of what the upstream's full interface (which stores rows)
/// and the product bear together on this machine.
fn latency(options: &Options) -> anyhow::Result<Line> {
    let seconds = if options.quick { 2 } else { 10 };
    let (sent, done) = paced(options, RATE_MAX, seconds)?;
    let rate = sent.min(done.get("rows")?) / seconds / 2;
    let (sent, done) = paced(options, rate, seconds)?;
    let rows: u64 = done.get("rows")?;
    anyhow::ensure!(rows == sent, "{rows} rows were delivered, {sent} were sent");
    let (p50, p99, max): (f64, f64, f64) = (done.get("p50")?, done.get("p99")?, done.get("max")?);
    let name = format!("end to end: latency added to the resolved-ts, {rate} rows/s, half load");
    Ok(Line::new(name, format!("p50 {p50} ms, p99 {p99} ms, max {max} ms"))
        .target(Target::Most(150.0).verdict(p99, " ms")))
}

/// Rows at a rate, or as fast as they are taken: how many were sent, and the delays.
fn paced(options: &Options, rate: u64, seconds: u64) -> anyhow::Result<(u64, Args)> {
    let args = Args::default().with("mode", "paced").with("rate", rate).with("seconds", seconds);
    let (mut upstream, ready) = upstream_with(&args.with("rows", 0).with("row_bytes", options.row_bytes))?;
    let mut product = Role::start("product", &product(&ready, "paced", 0))?;
    product.expect("subscribed")?;
    upstream.say("go")?;
    let sent: u64 = upstream.expect("sent")?.get("rows")?;
    std::thread::sleep(std::time::Duration::from_secs(1));
    product.say("end")?;
    let done = product.expect("done")?;
    product.end()?;
    upstream.end()?;
    Ok((sent, done))
}

/// One transaction larger than the memory the process is given.
fn one_transaction(options: &Options) -> anyhow::Result<Line> {
    const ROW_BYTES: usize = 16 << 10;
    let bytes: u64 = if options.quick { 32 << 20 } else { 2 << 30 };
    let rows = bytes / ROW_BYTES as u64;
    let (mut upstream, ready) = upstream("txn", rows, ROW_BYTES)?;
    let small = product(&ready, "txn", rows).with("sorter_bytes", SORTER_SMALL_BYTES);
    let mut product = Role::start("product", &small)?;
    product.expect("subscribed")?;
    upstream.say("go")?;
    upstream.expect("sent")?;
    let sample = Sample::read(&product.expect("done")?, rows)?;
    product.end()?;
    upstream.end()?;
    let mib = bytes >> 20;
    let mut line = Line::new(
        format!("end to end: one transaction of {mib} MiB, {rows} rows"),
        format!("{:.0} MB RSS", sample.rss_mb),
    );
    line.rate = rate(sample.rows_per_s, sample.bytes_per_row);
    Ok(line
        .ratio(format!("{:.2} x the transaction", sample.rss_mb * 1e6 / bytes as f64))
        .target(Target::Most(537.0).verdict(sample.rss_mb, " MB")))
}

/// Tables that nobody changes; one in ten is in the changefeed.
fn idle(options: &Options) -> anyhow::Result<Line> {
    let (known, seconds): (u64, u64) = if options.quick { (500, 1) } else { (100_000, 10) };
    let active = known / 10;
    let args = Args::default().with("mode", "idle").with("tables", known).with("rows", 0).with("row_bytes", 8);
    let (upstream, ready) = upstream_with(&args)?;
    // Tables that the changefeed finds there at its start: it starts where the upstream is ready.
    let ready = ready.clone().with("start", ready.get::<u64>("target")?);
    let told = product(&ready, "idle", 0).with("rule", "bench.t*0").with("tables", active).with("seconds", seconds);
    let mut product = Role::start("product", &told)?;
    let done = product.expect("done")?;
    anyhow::ensure!(done.get::<u64>("tables")? == active, "{} tables are fed", done.get::<u64>("tables")?);
    product.end()?;
    upstream.end()?;
    let load = done.get::<f64>("cpu_ns")? / done.get::<f64>("wall_ns")? * 100.0;
    let (start_ms, rss): (u64, f64) = (done.get("start_ms")?, done.get("rss")?);
    let measured = format!("{load:.1} % of a core, {:.0} MB RSS, subscribed in {start_ms} ms", rss / 1e6);
    Ok(Line::new(format!("end to end: idle, {known} tables known, {active} fed"), measured)
        .ratio(format!("{:.1} µs CPU per table and second", load * 1e4 / active as f64))
        .target(Target::Most(5.0).verdict(load, " %")))
}
