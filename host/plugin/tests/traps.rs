//! Traps leave nothing behind. Alone in its process, so that its memory is this test's.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{batch, engine, none, small_spec, table};
use std::sync::atomic::Ordering::Relaxed;
use tg_model::Coded;
use tg_plugin::{Plugin, SinkInstance, SinkPort};

const TRAPS: usize = 100_000;
/// Traps until every pool and cache has its size.
const WARM: usize = 2_000;
/// What the process may grow by from then on. An instance holds more than a megabyte: a leak of one in 1,000 would be beyond.
const GROWN_BYTES_MAX: usize = 64 << 20;

/// Resident bytes of this process.
fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap();
    status.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

#[tokio::test]
async fn a_hundred_thousand_traps_leave_memory_as_it_was() {
    let plugin = Plugin::load(&engine(4), tg_plugin_hostile::SINK.to_vec()).await.unwrap();
    let (spec, table, batch) = (small_spec("\"abort\""), table(), batch(8));
    let mut warm = 0;
    for n in 1..=TRAPS {
        let (mut sink, _) = SinkInstance::open(&plugin, &spec).await.unwrap();
        sink.on_schema(table.clone(), none()).await.unwrap();
        assert_eq!(sink.write(batch.clone()).await.unwrap_err().code().0, 2020);
        if n == WARM {
            warm = resident_bytes();
        }
    }
    let grown = resident_bytes().saturating_sub(warm);
    assert!(grown < GROWN_BYTES_MAX, "{grown} bytes more after {TRAPS} traps than after {WARM}");
    assert_eq!(plugin.metrics().traps.load(Relaxed), TRAPS as u64);
    let (mut sink, _) = SinkInstance::open(&plugin, &small_spec("\"well\"")).await.unwrap();
    sink.on_schema(table, none()).await.unwrap();
    assert!(sink.write(batch).await.is_ok());
}
