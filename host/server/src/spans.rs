//! Where the tables of a changefeed are, and moving them, for people.

use crate::ServerError;
use crate::cluster::{ClusterError, Place};
use crate::control::NodeControl;
use std::sync::Arc;
use tg_api::{ApiError, SlotPlace, SpanControl, SpanList, SpanRow};
use tg_model::ChangefeedId;

impl SpanControl for NodeControl {
    async fn spans(&self, id: &ChangefeedId) -> Result<SpanList, ApiError> {
        let (record, _) = self.record(id).await?;
        let view = self.0.feeds.lock().get(id).map(|h| Arc::clone(&h.view));
        let Some((view, running)) = view.and_then(|v| v.running().map(|r| (v, r))) else {
            return Ok(SpanList::default());
        };
        let spans: Vec<SpanRow> = running
            .control
            .spans()
            .into_iter()
            .map(|(table_id, place)| SpanRow {
                table_id,
                schema: place.version.schema.clone(),
                table: place.version.name.clone(),
                slot: place.slot.0,
            })
            .collect();
        let here =
            || Place { capture: self.0.id.clone(), node: String::new(), address: self.0.options.address.clone() };
        let places = view.places();
        let slot = |slot: u16| {
            let Place { capture, address, .. } = places.get(usize::from(slot)).cloned().unwrap_or_else(here);
            let tables = spans.iter().filter(|s| s.slot == slot).count() as u64;
            SlotPlace { slot, capture, address, pinned: record.pins.contains_key(&slot), tables }
        };
        Ok(SpanList { slots: (0..record.layout.slots).map(slot).collect(), spans })
    }

    async fn move_slot(&self, id: &ChangefeedId, slot: u16, to: Option<&str>) -> Result<(), ApiError> {
        let _one_at_a_time = self.0.changing.lock().await;
        let (record, _) = self.record(id).await?;
        let no_move = |why: &str| {
            ServerError::from(ClusterError::NoMove { changefeed: id.to_string(), slot, why: why.to_owned() })
        };
        if slot >= record.layout.slots {
            return Err(no_move(&format!("its slots are 0 to {}", record.layout.slots - 1)).into());
        }
        let Some(cluster) = &self.0.cluster else { return Err(no_move("this server is alone").into()) };
        let view = self.0.feeds.lock().get(id).map(|h| Arc::clone(&h.view));
        if view.as_ref().is_none_or(|v| v.places().is_empty()) {
            return Err(no_move("it does not run, or its slots are not spread over nodes").into());
        }
        let node = match to {
            None => None,
            Some(capture) => {
                let world = cluster.world();
                let member = world.members.iter().find(|(peer, _)| format!("{:032x}", peer.capture.0) == capture);
                let (_, member) = member.ok_or_else(|| no_move(&format!("there is no node {capture}")))?;
                Some(member.node.clone())
            }
        };
        let pin = |record: &mut crate::record::Record| {
            match &node {
                Some(node) => _ = record.pins.insert(slot, node.clone()),
                None => _ = record.pins.remove(&slot),
            };
        };
        self.0.rewrite(id, pin).await?;
        if let Some(view) = view {
            view.set_pins(&self.record(id).await?.0.pins);
        }
        Ok(())
    }
}
