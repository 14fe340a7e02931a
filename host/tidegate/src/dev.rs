//! `tidegate dev`: a plugin on an upstream in this process, with what it needs around it; what is saved is taken up.
//!
//! Does: build, start upstream and node, run one changefeed with the plugin in its place, show rows, lag, errors with their pages,
//! the plugin's own lines and what it sends by HTTP; build again when a file changes, and swap.
//! Does not: keep anything: with its end every server and folder is gone.

mod catcher;
mod codes;
mod error;
mod feed;
mod load;
mod screen;
mod stage;
mod watch;

pub(crate) use codes::CODES;

use crate::author::{Found, find};
use error::DevError;
use feed::Feed;
use load::Load;
use screen::Screen;
use stage::Stage;
use std::io;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tg_api::PluginChange;
use tg_cli::DevArgs;
use tg_model::Coded;
use tg_server::GuestLog;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use watch::Watch;

/// Time between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Runs until it is interrupted, or its seconds are over.
pub(crate) async fn run(args: DevArgs) -> ExitCode {
    let log = GuestLog::default();
    start_log(&log);
    crate::server::install_crypto();
    let mut stage = Stage::default();
    let mut screen = Screen::new();
    let ended = tokio::select! {
        ended = Box::pin(play(&args, &log, &mut stage, &mut screen)) => ended,
        () = interrupted() => Ok(()),
    };
    screen.clear();
    stage.close().await;
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            crate::print_error(&error);
            ExitCode::FAILURE
        }
    }
}

/// The plugin's lines go to the screen; the host's own only when `RUST_LOG` asks for them.
fn start_log(guests: &GuestLog) {
    let own = tracing_subscriber::EnvFilter::try_from_default_env().ok().map(|filter| {
        use tracing_subscriber::Layer as _;
        tracing_subscriber::fmt::layer().with_writer(io::stderr).with_filter(filter)
    });
    tracing_subscriber::registry().with(guests.layer()).with(own).init();
}

/// Ends at the first SIGINT or SIGTERM, or when the terminal goes (SIGHUP): what was started is cleared away in any case.
async fn interrupted() {
    let on = |kind| signal(kind);
    let (Ok(mut int), Ok(mut term), Ok(mut gone)) =
        (on(SignalKind::interrupt()), on(SignalKind::terminate()), on(SignalKind::hangup()))
    else {
        // Without handlers the system ends the process by itself.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = int.recv() => {}
        _ = term.recv() => {}
        _ = gone.recv() => {}
    }
}

async fn play(args: &DevArgs, log: &GuestLog, stage: &mut Stage, screen: &mut Screen) -> Result<(), DevError> {
    let begun = Instant::now();
    let found = build(args).await?;
    let settings = found.settings(None, args.config.as_deref())?;
    let bytes = read(&found).await?;
    let playground = stage.start_upstream(args.seed).await?;
    let start = playground.tso.next();
    let mut load = Load::prepare(&playground, args.seed)?;
    let (node, addr) = stage.start_node(playground.pd_endpoint(), args.addr.as_deref(), log.clone()).await?;
    let mut feed = Feed::new(node);
    let pushed = feed.push(bytes).await?;
    let surroundings = stage.surround(&feed, &pushed, &settings).await?;
    feed.create(&pushed, &settings, &surroundings, start).await?;
    let took = begun.elapsed().as_millis();
    screen.good(&format!("{} {} as {}, ready after {took} ms", pushed.name, pushed.version, pushed.kind));
    screen.dim(&format!("console and API at http://{addr}/; Ctrl-C ends it"));
    for line in surroundings.notes() {
        screen.dim(line);
    }
    let running = load.run(args.rows_per_sec);
    let watching = show(args, &mut feed, &found, (stage, screen));
    tokio::select! {
        ended = running => ended,
        ended = watching => ended,
    }
}

/// Builds the plugin if it is a folder.
async fn build(args: &DevArgs) -> Result<Found, DevError> {
    let path = args.plugin.clone();
    let built = tokio::task::spawn_blocking(move || find(&path)).await;
    Ok(built.map_err(|e| DevError::system("the build was stopped", e.into()))??)
}

async fn read(found: &Found) -> Result<Vec<u8>, DevError> {
    let what = "the component cannot be read";
    tokio::fs::read(&found.component).await.map_err(|e| DevError::system(what, e))
}

/// Looks again and again: at the changefeed, at what the plugin says and sends, and at its files.
async fn show(
    args: &DevArgs,
    feed: &mut Feed,
    found: &Found,
    (stage, screen): (&Stage, &mut Screen),
) -> Result<(), DevError> {
    let begun = Instant::now();
    let mut watch = Watch::new(&args.plugin, found);
    loop {
        for line in feed.lines().await? {
            screen.guest(&line.level, &line.text);
        }
        for line in stage.caught() {
            screen.caught(&line);
        }
        let status = feed.status().await?;
        if let Some((code, message)) = &status.new_error {
            screen.error(code, message);
        }
        screen.status(&status.line());
        if watch.has_changed() {
            screen.dim("a file changed");
            match reload(args, feed).await {
                Ok(change) => tell(screen, &change),
                Err(error) => screen.error(&error.code().to_string(), &error.to_string()),
            }
            watch.seen();
        }
        if args.seconds.is_some_and(|s| begun.elapsed() >= Duration::from_secs(s)) {
            return Ok(());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Builds again, and has the changefeed swap; what runs goes on when either fails.
async fn reload(args: &DevArgs, feed: &mut Feed) -> Result<PluginChange, DevError> {
    let found = build(args).await?;
    feed.push(read(&found).await?).await
}

fn tell(screen: &Screen, change: &PluginChange) {
    if !change.new {
        screen.dim("the component is the same");
        return;
    }
    for swapped in &change.changefeeds {
        let stall = swapped.stall_us.map(|us| format!(", rows waited {:.1} ms", us as f64 / 1e3)).unwrap_or_default();
        match &swapped.message {
            None => screen.good(&format!("{}: {}{stall}", change.version, swapped.outcome)),
            Some(message) => screen.error(swapped.code.as_deref().unwrap_or_default(), message),
        }
    }
}
