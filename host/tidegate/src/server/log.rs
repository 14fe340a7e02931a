//! The process' log: readable lines, or JSON with `TIDEGATE_LOG_FORMAT=json`; its level can change while it runs.

use super::ServeError;
use std::fs::File;
use std::sync::{Mutex, OnceLock};
use tg_config::ServerConfig;
use tg_server::GuestLog;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, reload};

/// What the lines are layered on.
type Filtered = tracing_subscriber::layer::Layered<reload::Layer<EnvFilter, Registry>, Registry>;

static LEVEL: OnceLock<reload::Handle<EnvFilter, Registry>> = OnceLock::new();

/// Starts logging as the configuration says; lines of plugins go to `guests` too. `RUST_LOG` wins over its level.
pub(super) fn start(config: &ServerConfig, guests: &GuestLog) -> Result<(), ServeError> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| directives(&config.log_level));
    let (filter, handle) = reload::Layer::new(filter);
    let json = std::env::var("TIDEGATE_LOG_FORMAT").is_ok_and(|f| f.eq_ignore_ascii_case("json"));
    let lines = match &config.log_file {
        Some(path) => {
            let file = File::options().create(true).append(true).open(path);
            let file = file.map_err(|error| ServeError::Log { path: path.display().to_string(), error })?;
            layer(json, false, Mutex::new(file))
        }
        None => layer(json, std::io::IsTerminal::is_terminal(&std::io::stderr()), std::io::stderr),
    };
    tracing_subscriber::registry().with(filter).with(lines).with(guests.layer()).init();
    let _ = LEVEL.set(handle);
    Ok(())
}

fn layer<W>(json: bool, colour: bool, to: W) -> Box<dyn Layer<Filtered> + Send + Sync>
where
    W: for<'w> fmt::MakeWriter<'w> + Send + Sync + 'static,
{
    if json {
        fmt::layer().json().with_writer(to).boxed()
    } else {
        fmt::layer().with_ansi(colour).with_writer(to).boxed()
    }
}

/// Libraries speak up only when they warn. `mysql_async` never does: its errors reach us as values, and are often expected.
fn directives(level: &str) -> EnvFilter {
    EnvFilter::new(format!(
        "{level},h2=warn,hyper=warn,tonic=warn,tower=warn,wasmtime=warn,cranelift=warn,mysql_async=off"
    ))
}

/// Changes the level; a name that is no level changes nothing.
pub(crate) fn set_level(level: &str) {
    if let Some(handle) = LEVEL.get()
        && handle.reload(directives(level)).is_err()
    {
        tracing::warn!(level, "the log level could not be changed");
    }
}
