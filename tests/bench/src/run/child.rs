//! Processes that this program starts from itself, and lines between them.

use anyhow::{Context, bail};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::str::FromStr;

/// `name=value` pairs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Args(BTreeMap<String, String>);

impl Args {
    /// Reads pairs.
    pub(crate) fn new(pairs: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let pair = |p: String| {
            let (name, value) = p.split_once('=').with_context(|| format!("{p:?} is no pair"))?;
            Ok((name.to_owned(), value.to_owned()))
        };
        pairs.map(pair).collect::<anyhow::Result<_>>().map(Self)
    }

    /// Adds a pair.
    pub(crate) fn with(mut self, name: &str, value: impl Display) -> Self {
        self.0.insert(name.to_owned(), value.to_string());
        self
    }

    /// A value.
    pub(crate) fn get<T: FromStr>(&self, name: &str) -> anyhow::Result<T>
    where
        T::Err: std::error::Error + Send + Sync + 'static,
    {
        let value = self.0.get(name).with_context(|| format!("{name} is missing"))?;
        value.parse().with_context(|| format!("{name}={value:?}"))
    }

    /// The pairs as a line.
    pub(crate) fn line(&self) -> String {
        let pairs: Vec<String> = self.0.iter().map(|(n, v)| format!("{n}={v}")).collect();
        pairs.join(" ")
    }
}

/// A process in a role. Killed when dropped.
pub(crate) struct Role {
    name: String,
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Role {
    /// Starts it.
    pub(crate) fn start(name: &str, args: &Args) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg(super::ROLE)
            .arg(name)
            .args(args.0.iter().map(|(n, v)| format!("{n}={v}")))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {name}"))?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().context("the process has no output")?;
        Ok(Self { name: name.to_owned(), child, stdin, stdout: BufReader::new(stdout) })
    }

    /// The next line it says: a word, then pairs. Another word than the one expected is an error.
    pub(crate) fn expect(&mut self, word: &str) -> anyhow::Result<Args> {
        let mut line = String::new();
        self.stdout.read_line(&mut line)?;
        let mut parts = line.split_whitespace().map(str::to_owned);
        let said = parts.next().unwrap_or_default();
        if said != word {
            bail!("{} said {line:?}, {word:?} was expected", self.name);
        }
        Args::new(parts)
    }

    /// Says a line to it.
    pub(crate) fn say(&mut self, word: &str) -> anyhow::Result<()> {
        let stdin = self.stdin.as_mut().context("its input is closed")?;
        writeln!(stdin, "{word}")?;
        Ok(stdin.flush()?)
    }

    /// Closes its input, at which it ends, and waits.
    pub(crate) fn end(mut self) -> anyhow::Result<()> {
        self.stdin = None;
        let status = self.child.wait()?;
        anyhow::ensure!(status.success(), "{} ended with {status}", self.name);
        Ok(())
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Says a line to the process that started this one.
pub(crate) fn say(word: &str, args: &Args) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{word} {}", args.line())?;
    Ok(out.flush()?)
}

/// Waits for a line from there; `false`: it closed the input.
pub(crate) async fn heard() -> anyhow::Result<bool> {
    let read = || {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map(|n| n > 0)
    };
    Ok(tokio::task::spawn_blocking(read).await??)
}
