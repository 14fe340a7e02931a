//! The plugins of one changefeed, ready to be started.

use crate::ServerError;
use crate::endpoints::SinkSetup;
use crate::installed::Installed;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::sync::Arc;
use tg_config::{ChangefeedConfig, SinkUri};
use tg_model::{ChangefeedId, LaneId, Position, SlotId};
use tg_pipeline::{OpenSink, PluginSource};
use tg_plugin::grant::LaneContext;
use tg_plugin::{
    CallError, DispatcherInstance, DispatcherPort, Grants, InstanceSpec, Kind, Limits, Plugin, SinkInstance,
};

/// The dispatcher used when the changefeed names none.
const DISPATCHER_DEFAULT: &str = "dispatcher";

/// Starts sinks and dispatchers of one run.
pub(crate) struct FeedPlugins {
    pub(crate) id: ChangefeedId,
    pub(crate) epoch: (u64, u64),
    pub(crate) sink: Arc<Plugin>,
    pub(crate) dispatcher: Arc<Plugin>,
    pub(crate) setup: SinkSetup,
    pub(crate) dispatcher_config: String,
}

impl FeedPlugins {
    pub(crate) async fn find(
        installed: &Installed,
        id: &ChangefeedId,
        epoch: (u64, u64),
        uri: &SinkUri,
        config: &ChangefeedConfig,
        setup: SinkSetup,
    ) -> Result<Self, ServerError> {
        let writes = config.tidegate.sink.as_ref();
        let sink = writes.map_or_else(|| uri.scheme.plugin(), |p| p.plugin.as_str());
        let sink_digest = writes.and_then(|p| p.digest.as_deref());
        let routed = config.tidegate.dispatcher.as_ref();
        let dispatcher = routed.map_or(DISPATCHER_DEFAULT, |p| p.plugin.as_str());
        let dispatcher_digest = routed.and_then(|p| p.digest.as_deref());
        let told = routed.map(|p| p.config.clone()).unwrap_or_default();
        Ok(Self {
            id: id.clone(),
            epoch,
            sink: installed.get(sink, Kind::Sink, sink_digest).await?,
            dispatcher: installed.get(dispatcher, Kind::Dispatcher, dispatcher_digest).await?,
            setup,
            dispatcher_config: serde_json::Value::Object(told).to_string(),
        })
    }

    fn spec(&self, slot: SlotId, lane: LaneId, lanes: u16, checkpoint: Position) -> InstanceSpec {
        InstanceSpec {
            lane: LaneContext { changefeed: self.id.clone(), slot, lane, epoch: self.epoch },
            lanes,
            config: serde_json::Value::Object(self.setup.config.clone()).to_string(),
            checkpoint,
            state: None,
            grants: self.setup.grants.clone(),
            limits: Limits::SINK,
        }
    }
}

impl PluginSource for FeedPlugins {
    fn sink(
        &self,
        slot: SlotId,
        lane: LaneId,
        lanes: u16,
        start: Position,
    ) -> BoxFuture<'_, Result<OpenSink, CallError>> {
        let spec = self.spec(slot, lane, lanes, start);
        async move {
            let (sink, durable) = SinkInstance::open(&self.sink, &spec).await?;
            Ok(OpenSink { sink: Box::new(sink), durable })
        }
        .boxed()
    }

    fn dispatcher(&self, slot: SlotId, lanes: u16) -> BoxFuture<'_, Result<Box<dyn DispatcherPort>, CallError>> {
        let spec = InstanceSpec {
            config: self.dispatcher_config.clone(),
            grants: Grants::default(),
            limits: Limits::DISPATCHER,
            ..self.spec(slot, LaneId(0), lanes, Position::ZERO)
        };
        async move {
            let dispatcher = DispatcherInstance::open(&self.dispatcher, &spec).await?;
            Ok(Box::new(dispatcher) as Box<dyn DispatcherPort>)
        }
        .boxed()
    }
}
