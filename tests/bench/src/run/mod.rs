//! End to end: an upstream and the product in processes of their own.

mod child;
mod feed;
mod idle;
pub(crate) mod plugins;
mod product;
mod scenario;
mod upstream;

pub(crate) use scenario::table;

use anyhow::bail;

/// First argument of a process that this program starts.
pub(crate) const ROLE: &str = "--role";

/// Runs as one of the processes.
pub(crate) fn role(mut args: impl Iterator<Item = String>) -> anyhow::Result<()> {
    let role = args.next().unwrap_or_default();
    let args = child::Args::new(args)?;
    match role.as_str() {
        "upstream" => upstream::run(&args),
        "product" => product::run(&args),
        "feed" => feed::run(&args),
        other => bail!("no role {other:?}"),
    }
}
