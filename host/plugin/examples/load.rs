//! How long it takes until a component can be started: compiled, and taken from the cache of compiled ones.
//!
//! `cargo run -p tg-plugin --example load --release [COMPONENT.wasm...]`
//!
//! Without components: those in the box. The goals are for one of 1 MB, 500 ms compiled and 20 ms from the cache; larger and smaller ones are
//! held to their share.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "an example")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tg_plugin::{EngineOptions, Plugin, PluginEngine};

/// Loads of each kind; the median counts.
const ROUNDS: usize = 7;
const COMPILED_MAX_MS: f64 = 500.0;
const CACHED_MAX_MS: f64 = 20.0;

fn engine(cache: &Path) -> Arc<PluginEngine> {
    let cache_dir = Some(cache.to_owned());
    PluginEngine::new(&EngineOptions { instances_max: 4, cache_dir, ..EngineOptions::default() }).unwrap()
}

/// With an engine of its own, as after a restart.
async fn load(cache: &Path, bytes: &[u8]) -> Duration {
    let engine = engine(cache);
    let begin = Instant::now();
    Plugin::load(&engine, bytes.to_vec()).await.unwrap();
    begin.elapsed()
}

fn median_ms(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times.get(times.len() / 2).map_or(0.0, |t| t.as_secs_f64() * 1e3)
}

async fn measure(work: &Path, name: &str, bytes: &[u8]) {
    let (mut compiled, mut cached) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let cache = work.join(format!("{name}-{round}"));
        compiled.push(load(&cache, bytes).await);
        cached.push(load(&cache, bytes).await);
        // What was compiled is written in the background, once: from here on it is there in any case.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let share = (bytes.len() as f64 / 1e6).max(1.0);
    let (compiled, cached) = (median_ms(compiled), median_ms(cached));
    let told = |ms: f64, max: f64| format!("{ms:>8.1} ms {}", if ms <= max * share { "yes" } else { "NO" });
    let (compiled, cached) = (told(compiled, COMPILED_MAX_MS), told(cached, CACHED_MAX_MS));
    println!("{name:<24} {:>9.3} MB {compiled:>15} {cached:>15}", bytes.len() as f64 / 1e6);
}

#[tokio::main]
async fn main() {
    let given: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let work = std::env::temp_dir().join(format!("tidegate-load-{}", std::process::id()));
    println!("{:<24} {:>12} {:>15} {:>15}", "component", "size", "compiled", "from the cache");
    for path in &given {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        measure(&work, &name, &std::fs::read(path).unwrap()).await;
    }
    if given.is_empty() {
        for name in tg_builtin::NAMES {
            measure(&work, name, tg_builtin::by_name(name).unwrap()).await;
        }
    }
    std::fs::remove_dir_all(&work).unwrap();
}
