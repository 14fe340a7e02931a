//! `tidegate plugin test`.

use super::{CommandError, find, paint, say, say_json};
use std::path::Path;
use tg_cli::TestArgs;
use tg_kit::{Corpus, Examples, KitError, Line, Options, Result as Ended, Subject};
use tg_plugin::Kind;

/// Runs the checks and examples; fails when one of them does.
pub(super) async fn run(args: &TestArgs, json: bool) -> Result<(), CommandError> {
    if args.list {
        list(json);
        return Ok(());
    }
    if let Some(path) = &args.save {
        return save(path, args.seed);
    }
    let found = find(&args.plugin)?;
    let settings = found.settings(args.settings.as_deref(), args.config.as_deref())?;
    let (subject, _) = found.load(settings).await?;
    let folder = args.examples.clone().or_else(|| found.folder.as_ref().map(|f| f.join("tests")));
    let examples = folder.map(|f| Examples::of_folder(&f)).transpose()?.unwrap_or_default();
    let recorded = args.corpus.as_deref().map(read).transpose()?;
    let options = Options {
        seed: args.seed,
        rounds: args.rounds,
        only: args.checks.clone(),
        shown_as: args.plugin.display().to_string(),
    };
    if !json {
        head(&subject, args);
    }
    let seen = |line: &Line| {
        if !json {
            say(&line.text(mark));
        }
    };
    let report = tg_kit::run(&subject, &options, recorded.as_ref(), &examples, seen).await?;
    let (failed, all) = (report.failed(), report.lines.len());
    if json {
        say_json(&report);
    } else if failed == 0 {
        let left_out = report.lines.iter().filter(|l| matches!(l.result, Ended::Skipped { .. })).count();
        let but = if left_out > 0 { format!(", {left_out} left out") } else { String::new() };
        say(&paint(
            "1;32",
            &format!("\n{} keeps the contract: {} of {all} passed{but}", report.plugin, all - left_out),
        ));
    }
    if failed > 0 { Err(KitError::Failed { failed, all }.into()) } else { Ok(()) }
}

fn head(subject: &Subject, args: &TestArgs) {
    let m = subject.plugin().manifest();
    let kind = tg_kit::kind_name(subject.kind());
    say(&format!("{} {} ({kind}), seed {}\n", paint("1", &m.name), m.version, args.seed));
}

fn mark(result: &Ended, sign: &str) -> String {
    match result {
        Ended::Passed { .. } => paint("32", sign),
        Ended::Skipped { .. } => paint("2", sign),
        Ended::Failed { .. } => paint("1;31", sign),
    }
}

fn list(json: bool) {
    let kinds = [Kind::Sink, Kind::Dispatcher, Kind::Transform];
    if json {
        let of = |k: Kind| {
            let checks = tg_kit::checks(k).into_iter().map(|(name, proves)| (name.to_owned(), proves.into()));
            (tg_kit::kind_name(k).to_owned(), serde_json::Value::Object(checks.collect()))
        };
        say_json(&kinds.map(of).into_iter().collect::<serde_json::Map<_, _>>());
        return;
    }
    for kind in kinds {
        say(&paint("1", tg_kit::kind_name(kind)));
        for (name, proves) in tg_kit::checks(kind) {
            say(&format!("  {name:<10} {proves}"));
        }
    }
}

fn read(path: &Path) -> Result<Corpus, KitError> {
    let file = path.display().to_string();
    let text = std::fs::read_to_string(path);
    Corpus::from_text(&file, &text.map_err(|e| KitError::File { path: file.clone(), reason: e.to_string() })?)
}

fn save(path: &Path, seed: u64) -> Result<(), CommandError> {
    let corpus = tg_kit::generated(seed)?;
    let shown = path.display().to_string();
    let written = std::fs::write(path, corpus.to_text());
    written.map_err(|e| KitError::File { path: shown.clone(), reason: e.to_string() })?;
    say(&format!("{shown}: {} events of seed {seed}", corpus.events.len()));
    Ok(())
}
