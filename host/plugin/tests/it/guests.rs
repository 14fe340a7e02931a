//! The shipped guests through the runtime.

use crate::common::{barrier, batch, engine, none, spec, table};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use tg_model::{Coded, Index};
use tg_plugin::{DispatcherInstance, DispatcherPort, Plugin, SinkInstance, SinkPort};

#[tokio::test]
async fn a_sink_takes_rows_and_acknowledges() {
    let engine = engine(8);
    let plugin = Plugin::load(&engine, tg_builtin::BLACKHOLE.to_vec()).await.unwrap();
    assert_eq!(plugin.manifest().name, "blackhole");
    let (mut sink, durable) = SinkInstance::open(&plugin, &spec(r#"{"touch":true}"#)).await.unwrap();
    assert_eq!(durable, None);
    sink.on_schema(table(), none()).await.unwrap();
    assert!(sink.write(batch(256)).await.unwrap().quarantined.is_empty());
    assert!(sink.flush(barrier(3)).await.unwrap().complete);
    assert_eq!(sink.status().await.unwrap(), None);
    sink.close().await;
    assert_eq!(plugin.metrics().counters(), [("rows".to_owned(), 256)]);
    assert_eq!(plugin.metrics().traps.load(Relaxed), 0);
}

#[tokio::test]
async fn the_dispatcher_spreads_keys_over_the_lanes() {
    let engine = engine(8);
    let plugin = Plugin::load(&engine, tg_builtin::DISPATCHER.to_vec()).await.unwrap();
    let mut dispatcher = DispatcherInstance::open(&plugin, &spec("")).await.unwrap();
    let plan = dispatcher.on_schema(table()).await.unwrap();
    assert_eq!((plan.columns, plan.split_key_updates), (Some(vec![0]), true));
    let decided = dispatcher.dispatch(&batch(1000)).await.unwrap();
    for lane in 0..4 {
        let n = decided.lanes.iter().filter(|l| **l == lane).count();
        assert!((150..350).contains(&n), "lane {lane} has {n} of 1000");
    }
}

#[tokio::test]
async fn what_is_not_a_component_is_named_as_such() {
    let engine = engine(8);
    let e = Plugin::load(&engine, b"not wasm".to_vec()).await.unwrap_err();
    assert_eq!(e.code().to_string(), "TG-2001");
    let foreign = br#"(component (import "evil:net/raw@1.0.0" (instance)))"#;
    let e = Plugin::load(&engine, foreign.to_vec()).await.unwrap_err();
    assert!(["TG-2001", "TG-2003"].contains(&e.code().to_string().as_str()), "{e}");
}

/// A unique index over a virtual column does not reach the plugin, but keeps the table's rows in one lane.
#[tokio::test]
async fn keys_that_plugins_do_not_see_keep_a_table_in_one_lane() {
    let plugin = Plugin::load(&engine(2), tg_builtin::DISPATCHER.to_vec()).await.unwrap();
    let mut over_virtual = (*table()).clone();
    let mut column = over_virtual.columns[1].clone();
    column.flags.generated_virtual = true;
    over_virtual.columns.push(column);
    over_virtual.indexes.push(Index { id: 2, columns: vec![2], primary: false, ..over_virtual.indexes[0].clone() });
    let mut over_prefix = (*table()).clone();
    over_prefix.indexes[0].prefix_len = vec![Some(3)];
    for version in [over_virtual, over_prefix] {
        let mut d = DispatcherInstance::open(&plugin, &spec("")).await.unwrap();
        assert_eq!(d.on_schema(Arc::new(version)).await.unwrap().columns, Some(vec![]));
        let lanes: BTreeSet<u16> = d.dispatch(&batch(1000)).await.unwrap().lanes.into_iter().collect();
        assert!(lanes.len() <= 1, "{lanes:?}");
    }
}
