//! `tidegate plugin bench`.

use super::{CommandError, find, say, say_json};
use tg_cli::BenchArgs;

/// Measures and prints.
pub(super) async fn run(args: &BenchArgs, json: bool) -> Result<(), CommandError> {
    let found = find(&args.plugin)?;
    let settings = found.settings(None, args.config.as_deref())?;
    let (subject, _) = found.load(settings).await?;
    let measured = tg_kit::bench(&subject, args.rows).await?;
    if json {
        say_json(&measured);
        return Ok(());
    }
    let m = subject.plugin().manifest();
    say(&format!("{} {}: guest time on one core, rows of about 200 bytes of values\n", m.name, m.version));
    say("rows/call      rows/s    ns/row   µs/call   reading all: ns/row   ratio");
    for m in &measured {
        say(&format!(
            "{:>9}  {:>10.0}  {:>8.1}  {:>8.2}  {:>20.1}  {:>5.2}x",
            m.rows_per_call, m.rows_per_sec, m.ns_per_row, m.us_per_call, m.reader_ns_per_row, m.tax
        ));
    }
    say("\nThe ratio is to the built-in plugin that reads every value and does nothing with it, measured by turns.");
    Ok(())
}
