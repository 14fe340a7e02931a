//! Plugins of a run: components, or the same crates natively.

use crate::stages::crossing::TOUCH;
use futures::future::BoxFuture;
use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;
use tg_model::{ChangefeedId, LaneId, Position, SlotId, Ts};
use tg_mysql::{MysqlEndpoint, MysqlTarget};
use tg_pipeline::{DdlState, OpenSink, PipelineError, PluginSource, ProgressStore, Resume, SinkStart};
use tg_plugin::grant::{LaneContext, SqlEndpoint};
use tg_plugin::native::{NativeDispatcher, NativeSink};
use tg_plugin::{
    CallError, DispatcherInstance, DispatcherPort, EngineOptions, Grants, InstanceSpec, Limits, Plugin, PluginEngine,
    SinkInstance, SinkPort,
};
use tg_plugin_blackhole::Blackhole;
use tg_plugin_dispatcher::KeyDispatcher;
use tg_plugin_mysql::MysqlSink;

/// The SQL endpoint that is granted.
pub(crate) const ENDPOINT: &str = "downstream";
/// Instances that a benchmark may have.
const INSTANCES_MAX: u32 = 32;

/// An engine that keeps nothing on disk.
pub(crate) fn engine() -> anyhow::Result<Arc<PluginEngine>> {
    Ok(PluginEngine::new(&EngineOptions { instances_max: INSTANCES_MAX, ..EngineOptions::default() })?)
}

/// Who the instances of a benchmark are.
fn lane(slot: SlotId, lane: LaneId) -> LaneContext {
    let (namespace, name) = (ChangefeedId::DEFAULT_NAMESPACE.to_owned(), "bench".to_owned());
    LaneContext { changefeed: ChangefeedId { namespace, name }, slot, lane, epoch: (1, 1) }
}

/// What an instance is started with.
pub(crate) fn spec(config: &str, lanes: u16, grants: Grants) -> InstanceSpec {
    InstanceSpec {
        lane: lane(SlotId(0), LaneId(0)),
        lanes,
        config: config.to_owned(),
        checkpoint: Position::ZERO,
        state: None,
        grants,
        limits: Limits::SINK,
    }
}

/// How the plugins run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum How {
    Component,
    Native,
}

impl FromStr for How {
    type Err = std::io::Error;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        match s {
            "component" => Ok(Self::Component),
            "native" => Ok(Self::Native),
            other => Err(std::io::Error::other(format!("no way {other:?} to run plugins"))),
        }
    }
}

/// See the module.
pub(crate) struct Plugins {
    how: How,
    sink: Plugin,
    dispatcher: Plugin,
    config: &'static str,
    database: Option<Arc<dyn SqlEndpoint>>,
}

impl Plugins {
    /// Compiles the components. `mysql_port`: 0 for the sink that forgets.
    pub(crate) async fn new(how: How, mysql_port: u16, lanes: u16) -> anyhow::Result<Self> {
        let engine = engine()?;
        let mysql = mysql_port != 0;
        let bytes = if mysql { tg_builtin::MYSQL } else { tg_builtin::BLACKHOLE };
        let database: Option<Arc<dyn SqlEndpoint>> = if mysql {
            let target = MysqlTarget { port: mysql_port, lanes: lanes.into(), ..MysqlTarget::default() };
            Some(Arc::new(MysqlEndpoint::connect(target).await?))
        } else {
            None
        };
        Ok(Self {
            how,
            sink: Plugin::load(&engine, bytes.to_vec()).await?,
            dispatcher: Plugin::load(&engine, tg_builtin::DISPATCHER.to_vec()).await?,
            config: if mysql { "" } else { TOUCH },
            database,
        })
    }

    async fn open(&self, at: LaneContext, lanes: u16) -> Result<OpenSink, CallError> {
        let sql = self.database.iter().map(|d| (ENDPOINT.to_owned(), Arc::clone(d)));
        let grants = Grants { sql: sql.collect::<BTreeMap<_, _>>(), ..Grants::default() };
        let spec = InstanceSpec { lane: at, ..spec(self.config, lanes, grants) };
        // DDL is not what is compared.
        let how = if spec.lane.lane.0 == lanes { How::Component } else { self.how };
        Ok(match (how, &self.database) {
            (How::Component, _) => opened(SinkInstance::open(&self.sink, &spec).await?),
            (How::Native, Some(_)) => opened(NativeSink::open::<MysqlSink>(&spec).await?),
            (How::Native, None) => opened(NativeSink::open_in_place::<Blackhole>(&spec)?),
        })
    }
}

fn opened((sink, durable): (impl SinkPort + 'static, Option<Position>)) -> OpenSink {
    OpenSink { sink: Box::new(sink), durable }
}

impl PluginSource for Plugins {
    fn sink(&self, at: SinkStart) -> BoxFuture<'_, Result<OpenSink, CallError>> {
        Box::pin(self.open(lane(at.slot, at.lane), at.lanes))
    }

    fn dispatcher(&self, _: SlotId, lanes: u16) -> BoxFuture<'_, Result<Box<dyn DispatcherPort>, CallError>> {
        Box::pin(async move {
            let spec = InstanceSpec { limits: Limits::DISPATCHER, ..spec("", lanes, Grants::default()) };
            Ok(match self.how {
                How::Native => Box::new(NativeDispatcher::open::<KeyDispatcher>(&spec)?) as Box<dyn DispatcherPort>,
                How::Component => Box::new(DispatcherInstance::open(&self.dispatcher, &spec).await?),
            })
        })
    }
}

/// Progress that nobody reads again.
pub(crate) struct Forgetful;

impl ProgressStore for Forgetful {
    fn checkpoint<'a>(&'a self, _: Position, _: &'a Resume) -> BoxFuture<'a, Result<(), PipelineError>> {
        Box::pin(async { Ok(()) })
    }

    fn ddl(&self, _: Ts, _: u32) -> BoxFuture<'_, Result<Option<DdlState>, PipelineError>> {
        Box::pin(async { Ok(None) })
    }

    fn set_ddl(&self, _: Ts, _: u32, _: DdlState) -> BoxFuture<'_, Result<(), PipelineError>> {
        Box::pin(async { Ok(()) })
    }
}
