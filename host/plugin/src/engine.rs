//! The WebAssembly engine of the process.

use crate::bindings::sink::SinkPlugin;
use crate::deadline::TICK_MS;
use crate::error::PluginError;
use crate::state::State;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Cache, CacheConfig, Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

/// Core instances, memories and tables a component may be made of.
const CORE_PER_COMPONENT: u32 = 8;

/// How the engine is set up.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// Instances that may live at once. Each reserves about 4 GiB of address space (not memory).
    pub instances_max: u32,
    /// Most linear memory any instance may be given.
    pub memory_max_bytes: usize,
    /// Where compiled components are kept; `None`: nowhere. Only this process may write there.
    pub cache_dir: Option<PathBuf>,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self { instances_max: 256, memory_max_bytes: 256 << 20, cache_dir: None }
    }
}

/// The engine: compiles components and links instances. One per process.
pub struct PluginEngine {
    pub(crate) engine: Engine,
    pub(crate) linker: Linker<State>,
    pub(crate) ticks: Arc<AtomicU64>,
}

fn failed(e: &wasmtime::Error) -> PluginError {
    PluginError::Engine { detail: format!("{e:#}") }
}

impl PluginEngine {
    /// Sets the engine up and starts its ticker, which ends with it.
    ///
    /// # Errors
    /// [`PluginError::Engine`].
    pub fn new(options: &EngineOptions) -> Result<Arc<Self>, PluginError> {
        let engine = match Engine::new(&config(options, true)?) {
            Ok(engine) => engine,
            Err(e) => {
                tracing::warn!(
                    error = format!("{e:#}"),
                    "no address space for pooled instances; they are made on demand"
                );
                Engine::new(&config(options, false)?).map_err(|e| failed(&e))?
            }
        };
        let mut linker = Linker::new(&engine);
        SinkPlugin::add_to_linker::<_, HasSelf<State>>(&mut linker, |s| s).map_err(|e| failed(&e))?;
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).map_err(|e| failed(&e))?;
        let ticks = Arc::<AtomicU64>::default();
        start_ticker(&engine, Arc::clone(&ticks))?;
        Ok(Arc::new(Self { engine, linker, ticks }))
    }
}

fn config(options: &EngineOptions, pooling: bool) -> Result<Config, PluginError> {
    let mut config = Config::new();
    config.wasm_component_model(true);
    config.concurrency_support(false);
    config.epoch_interruption(true);
    config.memory_init_cow(true);
    if pooling {
        let n = options.instances_max;
        let mut pool = PoolingAllocationConfig::new();
        pool.total_component_instances(n);
        pool.total_core_instances(n.saturating_mul(CORE_PER_COMPONENT));
        pool.total_memories(n);
        pool.total_tables(n.saturating_mul(CORE_PER_COMPONENT));
        pool.total_stacks(n);
        pool.max_memory_size(options.memory_max_bytes);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    }
    if let Some(dir) = &options.cache_dir {
        let mut cache = CacheConfig::new();
        cache.with_directory(dir);
        config.cache(Some(Cache::new(cache).map_err(|e| failed(&e))?));
    }
    Ok(config)
}

fn start_ticker(engine: &Engine, ticks: Arc<AtomicU64>) -> Result<(), PluginError> {
    let weak = engine.weak();
    let tick = move || {
        while let Some(engine) = weak.upgrade() {
            engine.increment_epoch();
            ticks.fetch_add(1, Relaxed);
            drop(engine);
            std::thread::sleep(Duration::from_millis(TICK_MS));
        }
    };
    let spawned = std::thread::Builder::new().name("tg-plugin-ticker".to_owned()).spawn(tick);
    spawned.map(|_| ()).map_err(|e| PluginError::Engine { detail: format!("the ticker thread did not start: {e}") })
}
