//! `tidegate demo`: the whole of Tidegate in this process, on an embedded upstream, into a real MariaDB.
//!
//! Does: start upstream, downstream and node; write, change schemas and make trouble; show how it goes; compare every row.
//! Does not: replicate. A changefeed like any other does, and this only creates and watches it.
//!
//! Invariants:
//! - Exit status 0 says that every row of every table was compared and is the same; 1 that something differs or failed.
//! - However it ends, no server and no folder stays, and it does end: a server that does not stop is not waited for.

mod codes;
mod compare;
mod error;
mod load;
mod report;
mod screen;
mod stage;
mod status;
mod target;
mod text;
mod watch;

pub(crate) use codes::CODES;

use error::DemoError;
use load::{Load, Plan, Prepared};
use report::Report;
use screen::Screen;
use stage::{Feed, Stage};
use std::io::{self, BufReader, IsTerminal};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};
use target::Target;
use text::{clock, count, span};
use tg_cli::{DemoArgs, Terminal};
use tg_config::{ChangefeedConfig, SinkUri};
use tg_model::Coded;
use tg_playground::Cluster;
use tokio::signal::unix::{SignalKind, signal};
use watch::Watch;

/// How long a large transaction waits when nobody says how long the demo is.
const HUGE_AFTER: Duration = Duration::from_secs(5);
/// How long servers may take to stop; a changefeed needs ten seconds at most to leave its sink.
const CLOSE_MAX: Duration = Duration::from_secs(30);
/// Status of a process that a person interrupted.
const INTERRUPTED: u8 = 130;

/// How a demo ended.
enum End {
    /// Everything that was compared is the same.
    Equal,
    /// Something differs.
    Different,
    /// The downstream cannot be read, so nothing was compared.
    NotCompared,
}

/// Runs the demo and prints what comes out.
pub(crate) async fn run(args: DemoArgs) -> ExitCode {
    start_log();
    crate::server::install_crypto();
    let mut stage = Stage::default();
    let mut screen = Screen::new();
    let mut comparisons = 0;
    let ended = tokio::select! {
        ended = Box::pin(play(&args, &mut stage, &mut screen, &mut comparisons)) => Some(ended),
        () = interrupted() => None,
    };
    screen.begin("stopping the servers");
    let closed = tokio::select! {
        closed = tokio::time::timeout(CLOSE_MAX, stage.close()) => closed.is_ok(),
        () = interrupted() => false,
    };
    screen.clear();
    if !closed {
        screen.line("not every server stopped by itself: they were ended");
    }
    let same = match ended {
        Some(Ok(end)) => !matches!(end, End::Different),
        Some(Err(error)) => {
            print_error(&error);
            false
        }
        None if args.forever && comparisons > 0 => {
            screen.line(&format!("stopped after {}, all equal", count(comparisons, "comparison")));
            true
        }
        None => {
            screen.line("stopped before the tables were compared");
            return ExitCode::from(INTERRUPTED);
        }
    };
    if same { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Logs only when `RUST_LOG` asks for it: otherwise the screen says what a person needs.
fn start_log() {
    if let Ok(filter) = tracing_subscriber::EnvFilter::try_from_default_env() {
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).init();
    }
}

/// Ends at the first SIGINT or SIGTERM.
async fn interrupted() {
    let (Ok(mut int), Ok(mut term)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
        // Without handlers the system ends the process by itself.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = int.recv() => {}
        _ = term.recv() => {}
    }
}

fn print_error(error: &DemoError) {
    let (mut out, mut err, mut input) = (io::stdout(), io::stderr(), BufReader::new(io::stdin()));
    let colour = err.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    let mut terminal = Terminal { out: &mut out, err: &mut err, input: &mut input, interactive: false, colour };
    tg_cli::print_error(&mut terminal, error.code(), &error.to_string(), crate::codes::ALL);
}

async fn play(
    args: &DemoArgs,
    stage: &mut Stage,
    screen: &mut Screen,
    comparisons: &mut u64,
) -> Result<End, DemoError> {
    let config = match &args.config {
        Some(path) => ChangefeedConfig::load(path)?.0,
        None => ChangefeedConfig::default(),
    };
    let given = args.sink_uri.as_deref().map(SinkUri::parse).transpose()?;
    screen.line(&screen.paint().bold(&format!("Tidegate {} demo", env!("CARGO_PKG_VERSION"))));
    screen.line("");
    let (uri, mut target) = Box::pin(start_downstream(stage, screen, given, &config)).await?;
    let (playground, start, prepared) = Box::pin(start_upstream(args, stage, screen)).await?;
    let pd = playground.pd_endpoint();
    let feed = Box::pin(start_node(args, stage, screen, (pd, uri, config, start))).await?;
    let cluster = Arc::clone(playground.cluster());

    let loaded = cluster.tso.next();
    let mut watch = Watch::new(feed);
    let begin = Instant::now();
    watch.catch_up(screen, loaded, prepared.rows).await?;
    phase(screen, "catch-up", &format!("{} that were there before", count(prepared.rows, "row")), begin);

    let mut load = Load::start(&playground, prepared);
    loop {
        watch.run(screen, &mut load, args.rows, args.seconds).await?;
        let held = load.hold().await;
        let end = cluster.tso.next();
        watch.drain(screen, &load, end).await?;
        screen.clear();
        let Some(target) = &mut target else {
            screen.line("the sink is no database: nothing was compared");
            return Ok(End::NotCompared);
        };
        let report = check(screen, &cluster, target, end, load.bank_total()).await?;
        let same = report.is_same();
        if !args.forever || !same {
            screen.line("");
            screen.line(&report.text(screen.paint()));
            screen.line(&format!("{}\n\n{}", watch.summary(&load), report.verdict(screen.paint())));
            return Ok(if same { End::Equal } else { End::Different });
        }
        *comparisons += 1;
        screen.line(&format!("{}  {}", clock(end >> 18), report.verdict(screen.paint())));
        drop(held);
        load.trim(report.tables.iter().map(|t| (t.name.clone(), t.upstream)))?;
    }
}

/// Prints a line of a part that is done.
fn phase(screen: &Screen, what: &str, detail: &str, begin: Instant) {
    let paint = screen.paint();
    let took = span(begin.elapsed().as_millis() as u64);
    screen.clear();
    screen.line(&format!("{} {what:<11}{detail}  {}", paint.good("✓"), paint.dim(&took)));
}

async fn start_downstream(
    stage: &mut Stage,
    screen: &Screen,
    given: Option<SinkUri>,
    config: &ChangefeedConfig,
) -> Result<(SinkUri, Option<Target>), DemoError> {
    let begin = Instant::now();
    screen.begin("starting MariaDB in a temporary folder");
    let uri = match given {
        Some(uri) => uri,
        None => SinkUri::parse(&stage.start_mariadb().await?)?,
    };
    let (what, target) = stage::meet(&uri, config).await?;
    phase(screen, "downstream", &format!("{what} at {uri}"), begin);
    Ok((uri, target))
}

async fn start_upstream(
    args: &DemoArgs,
    stage: &mut Stage,
    screen: &Screen,
) -> Result<(Arc<tg_playground::Playground>, u64, Prepared), DemoError> {
    let begin = Instant::now();
    screen.begin("starting the embedded upstream");
    let playground = stage.start_upstream(args.seed).await?;
    let start = playground.tso.next();
    let round = Duration::from_secs(args.seconds);
    let plan = Plan {
        tables: args.tables,
        rows_per_sec: args.rows_per_sec.into(),
        seed: args.seed,
        huge_after: if args.rows.is_some() { HUGE_AFTER } else { round * 2 / 5 },
        huge_every: args.forever.then_some(round),
        faults: !args.no_faults,
    };
    let cluster: &Arc<Cluster> = playground.cluster();
    let prepared = Prepared::make(cluster, plan)?;
    let stores = u64::from(playground.config().stores);
    let detail = format!(
        "{}, {}, {}, {}",
        count(stores, "store"),
        count(playground.regions().len() as u64, "region"),
        count(prepared.tables(), "table"),
        count(prepared.rows, "row")
    );
    phase(screen, "upstream", &detail, begin);
    Ok((playground, start, prepared))
}

async fn start_node(
    args: &DemoArgs,
    stage: &mut Stage,
    screen: &Screen,
    (pd, uri, config, start): (String, SinkUri, ChangefeedConfig, u64),
) -> Result<Feed, DemoError> {
    let begin = Instant::now();
    screen.begin("starting the node");
    let (node, addr) = stage.start_node(pd, args.addr.as_deref()).await?;
    phase(screen, "node", &format!("console and API at http://{addr}/"), begin);
    let begin = Instant::now();
    screen.begin("creating the changefeed");
    let shown = uri.to_string();
    let feed = Box::pin(Feed::create(node, uri, config, start)).await?;
    phase(screen, "changefeed", &format!("`demo` to {shown}"), begin);
    Ok(feed)
}

async fn check(
    screen: &mut Screen,
    cluster: &Cluster,
    target: &mut Target,
    ts: u64,
    bank_total: i64,
) -> Result<Report, DemoError> {
    let paint = screen.paint();
    let step = |done: usize, of: usize, name: &str| {
        let block =
            |_| format!("\n  {}{}  {name}", paint.dim("comparing  "), paint.accent(&text::bar(done as u64, of as u64)));
        screen.status(block, || format!("comparing  {name}"));
    };
    let report = Report::make(cluster, target, ts, bank_total, step).await;
    screen.clear();
    report
}
