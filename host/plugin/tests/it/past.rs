//! A component built against the text of contract 1.0.0, on today's host.

use crate::common::{barrier, batch, engine, none, spec, table};
use tg_model::{Position, Ts};
use tg_plugin::{InstanceSpec, Kind, Plugin, SinkInstance, SinkPort};

#[tokio::test]
async fn a_sink_of_1_0_0_lives_a_whole_life_and_keeps_its_state() {
    let plugin = Plugin::load(&engine(4), tg_plugin_hostile::PAST.to_vec()).await.unwrap();
    assert_eq!((plugin.kind(), plugin.manifest().name.as_str()), (Kind::Sink, "past"));
    let mut kept = None;
    for life in 1..=2 {
        let (mut sink, durable) =
            SinkInstance::open(&plugin, &InstanceSpec { state: kept.clone(), ..spec("") }).await.unwrap();
        assert_eq!(durable, None);
        assert_eq!(sink.on_schema(table(), none()).await.unwrap().columns, Some(vec![0, 1]));
        assert!(sink.write(batch(100)).await.unwrap().quarantined.is_empty());
        let ack = sink.flush(barrier(life)).await.unwrap();
        assert!(ack.complete && ack.state.is_some());
        kept = ack.state;
        sink.on_checkpoint(Position::rows(Ts::new(100))).await.unwrap();
        sink.close().await;
    }
    assert_eq!(plugin.metrics().counters(), [("rows".to_owned(), 200)]);
    let kept = kept.unwrap();
    assert!(kept.ends_with(&200u64.to_le_bytes()), "rows of both lives are counted: {kept:?}");
}
