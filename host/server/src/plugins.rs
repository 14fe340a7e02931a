//! The plugins of one changefeed, ready to be started.

use crate::ServerError;
use crate::choice::{Choice, Role};
use crate::cluster::{Gate, GatedSink};
use crate::endpoints::Endpoints;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::sync::Arc;
use tg_model::{ChangefeedId, LaneId, Position, SlotId};
use tg_pipeline::{OpenSink, PluginSource, ShadowSink, SinkStart, SwapParts, shadow_grants};
use tg_plugin::grant::{EndpointError, LaneContext};
use tg_plugin::{
    CallError, DispatcherInstance, DispatcherPort, Grants, InstanceSpec, Limits, Plugin, SinkInstance, SinkPort,
    TransformInstance, TransformPort,
};
use tg_registry::Registry;

/// A plugin with all that its instances get.
struct Part {
    plugin: Arc<Plugin>,
    config: String,
    grants: Grants,
    granted: Vec<String>,
}

impl Part {
    fn same(&self, other: &Self) -> bool {
        self.plugin.digest() == other.plugin.digest() && self.config == other.config && self.granted == other.granted
    }
}

/// Starts the plugins of one choice.
pub(crate) struct FeedPlugins {
    id: ChangefeedId,
    pub(crate) epoch: (u64, u64),
    pub(crate) choice: Choice,
    pub(crate) endpoints: Arc<Endpoints>,
    sink: Part,
    dispatcher: Part,
    transforms: Vec<Part>,
    /// Sinks are written to only while it is open.
    pub(crate) gate: Option<Gate>,
}

impl FeedPlugins {
    /// Compiles what a choice names and checks that it can be started with its configuration and grants.
    pub(crate) async fn find(
        registry: &Registry,
        id: &ChangefeedId,
        epoch: (u64, u64),
        choice: Choice,
        endpoints: Arc<Endpoints>,
    ) -> Result<Self, ServerError> {
        let sink = part(registry, &choice, Role::Sink, &endpoints).await?;
        let dispatcher = part(registry, &choice, Role::Dispatcher, &endpoints).await?;
        let mut transforms = Vec::new();
        for i in 0..choice.config.tidegate.transforms.len() {
            transforms.push(part(registry, &choice, Role::Transform(i), &endpoints).await?);
        }
        Ok(Self { id: id.clone(), epoch, choice, endpoints, sink, dispatcher, transforms, gate: None })
    }

    /// Writes to sinks only while the gate is open.
    pub(crate) fn gated(self, gate: Option<Gate>) -> Self {
        Self { gate, ..self }
    }

    /// What the components call themselves: the names they log under.
    pub(crate) fn manifest_names(&self) -> Vec<String> {
        let parts = self.transforms.iter().chain([&self.dispatcher, &self.sink]);
        parts.map(|p| p.plugin.manifest().name.clone()).collect()
    }

    /// What differs from another choice.
    pub(crate) fn parts_changed(&self, before: &Self) -> SwapParts {
        let transforms = self.transforms.len() == before.transforms.len()
            && self.transforms.iter().zip(&before.transforms).all(|(a, b)| a.same(b));
        SwapParts {
            sink: !self.sink.same(&before.sink),
            stages: !transforms || !self.dispatcher.same(&before.dispatcher),
        }
    }

    fn spec(&self, part: &Part, (slot, lane, lanes): (SlotId, LaneId, u16), limits: Limits) -> InstanceSpec {
        InstanceSpec {
            lane: LaneContext { changefeed: self.id.clone(), slot, lane, epoch: self.epoch },
            lanes,
            config: part.config.clone(),
            checkpoint: Position::ZERO,
            state: None,
            grants: part.grants.clone(),
            limits,
        }
    }
}

async fn part(registry: &Registry, choice: &Choice, role: Role, endpoints: &Endpoints) -> Result<Part, ServerError> {
    let plugin = choice.load(registry, role).await?;
    let said = role.config(&choice.config);
    let (grants, config) =
        if role == Role::Sink { endpoints.for_sink(said, &plugin) } else { endpoints.for_stage(role, said) };
    let name = plugin.manifest().name.clone();
    plugin.check(&config, &grants).map_err(|source| ServerError::BadPlugin { name, source })?;
    let granted = crate::granted::names(&grants);
    Ok(Part { plugin, config, grants, granted })
}

impl PluginSource for FeedPlugins {
    fn sink(&self, at: SinkStart) -> BoxFuture<'_, Result<OpenSink, CallError>> {
        let spec = InstanceSpec {
            checkpoint: at.start,
            state: at.state,
            ..self.spec(&self.sink, (at.slot, at.lane, at.lanes), Limits::SINK)
        };
        async move {
            let (sink, durable) = SinkInstance::open(&self.sink.plugin, &spec).await?;
            let sink: Box<dyn SinkPort> = Box::new(sink);
            let sink: Box<dyn SinkPort> = match self.gate.clone() {
                Some(gate) => Box::new(GatedSink { sink, gate }),
                None => sink,
            };
            Ok(OpenSink { sink, durable })
        }
        .boxed()
    }

    fn dispatcher(&self, slot: SlotId, lanes: u16) -> BoxFuture<'_, Result<Box<dyn DispatcherPort>, CallError>> {
        let spec = self.spec(&self.dispatcher, (slot, LaneId(0), lanes), Limits::DISPATCHER);
        async move {
            let dispatcher = DispatcherInstance::open(&self.dispatcher.plugin, &spec).await?;
            Ok(Box::new(dispatcher) as Box<dyn DispatcherPort>)
        }
        .boxed()
    }

    fn transforms(&self, slot: SlotId) -> BoxFuture<'_, Result<Vec<Box<dyn TransformPort>>, CallError>> {
        async move {
            let mut opened = Vec::new();
            for part in &self.transforms {
                let spec = self.spec(part, (slot, LaneId(0), 1), Limits::TRANSFORM);
                let transform = TransformInstance::open(&part.plugin, &spec).await?;
                opened.push(Box::new(transform) as Box<dyn TransformPort>);
            }
            Ok(opened)
        }
        .boxed()
    }

    fn partition_counts<'a>(&'a self, targets: &'a [String]) -> BoxFuture<'a, Result<Vec<u32>, CallError>> {
        async move {
            let mut counts = Vec::new();
            let Some(kafka) = &self.endpoints.kafka else { return Ok(counts) };
            for topic in targets {
                let count = kafka.partitions(topic).await.map_err(EndpointError::from);
                counts.push(count.map_err(|e| CallError::new("kafka", "partitions", e.into()))?);
            }
            Ok(counts)
        }
        .boxed()
    }

    fn shadow_sink(&self, at: SinkStart) -> BoxFuture<'_, Result<Option<ShadowSink>, CallError>> {
        let (grants, tape) = shadow_grants(&self.sink.grants);
        let spec = InstanceSpec {
            checkpoint: at.start,
            grants,
            ..self.spec(&self.sink, (at.slot, at.lane, at.lanes), Limits::SINK)
        };
        async move {
            let (sink, _) = SinkInstance::open(&self.sink.plugin, &spec).await?;
            Ok(Some(ShadowSink { sink: Box::new(sink), tape }))
        }
        .boxed()
    }

    /// The plugin says so, and nothing it is granted fences the writer before it by being opened, as a transactional producer does.
    fn opens_warm(&self) -> bool {
        self.sink.plugin.manifest().opens_warm && self.sink.grants.producers.is_empty()
    }

    fn label(&self) -> String {
        self.choice.label.clone()
    }
}
