//! The exported functions. One component holds one instance, in a cell of the (only) thread.

use super::base::tidegate::plugin::{rows, session, types as raw};
use super::dispatcher::exports::tidegate::plugin::{describe as dispatcher_describe, dispatcher as dispatcher_raw};
use super::sink::exports::tidegate::plugin::{describe as sink_describe, sink as sink_raw};
use crate::{BarrierKind, Dispatcher, Failure, Sink};
use std::cell::RefCell;
use std::marker::PhantomData;
use std::sync::Arc;

thread_local! {
    static SINK: RefCell<Option<Box<dyn Sink>>> = const { RefCell::new(None) };
    static DISPATCHER: RefCell<Option<Box<dyn Dispatcher>>> = const { RefCell::new(None) };
}

/// The exports of a sink.
pub struct SinkComponent<T>(PhantomData<T>);
/// The exports of a dispatcher.
pub struct DispatcherComponent<T>(PhantomData<T>);

/// A panic's words reach the host's log before the trap.
pub(super) fn speak_before_panic() {
    std::panic::set_hook(Box::new(|info| crate::log::error(&info.to_string(), &[])));
}

pub(super) fn not_open() -> raw::Failure {
    Failure::fatal("not-open", "the host called before open").into()
}

fn with_sink<R>(f: impl FnOnce(&mut dyn Sink) -> Result<R, Failure>) -> Result<R, raw::Failure> {
    SINK.with_borrow_mut(|s| s.as_deref_mut().map_or_else(|| Err(not_open()), |s| f(s).map_err(Into::into)))
}

fn with_dispatcher<R>(f: impl FnOnce(&mut dyn Dispatcher) -> Result<R, Failure>) -> Result<R, raw::Failure> {
    DISPATCHER.with_borrow_mut(|d| d.as_deref_mut().map_or_else(|| Err(not_open()), |d| f(d).map_err(Into::into)))
}

macro_rules! describe {
    ($component:ident, $plugin:ident, $raw:ident) => {
        impl<T: $plugin + 'static> $raw::Guest for $component<T> {
            fn describe() -> $raw::Manifest {
                let m = T::manifest();
                let capability =
                    |c: crate::Capability| $raw::Capability { name: c.name, required: c.required, reason: c.reason };
                $raw::Manifest {
                    name: m.name,
                    version: m.version,
                    config_schema: m.config_schema,
                    capabilities: m.capabilities.into_iter().map(capability).collect(),
                    tgr_minor: m.tgr_minor,
                    attrs: m.attrs,
                }
            }
        }
    };
}
pub(super) use describe;
describe!(SinkComponent, Sink, sink_describe);
describe!(DispatcherComponent, Dispatcher, dispatcher_describe);

impl<T: Sink + 'static> sink_raw::Guest for SinkComponent<T> {
    fn open(ctx: session::Context) -> Result<Option<raw::Position>, raw::Failure> {
        speak_before_panic();
        let (sink, durable) = T::open(ctx.into())?;
        SINK.set(Some(Box::new(sink)));
        Ok(durable.map(Into::into))
    }

    fn on_schema(schema: raw::TableSchema, targets: Vec<String>) -> Result<sink_raw::TablePlan, raw::Failure> {
        let plan = with_sink(|s| s.on_schema(Arc::new(schema.into()), &targets))?;
        Ok(sink_raw::TablePlan {
            columns: plan.columns,
            deliver: plan.deliver,
            batch_rows: plan.batch_rows,
            batch_bytes: plan.batch_bytes,
            attrs: plan.attrs,
        })
    }

    fn drop_schema(table: raw::TableRef) {
        // Before `open` there is nothing to drop.
        let _ = with_sink(|s| {
            s.drop_schema(table.into());
            Ok(())
        });
    }

    fn on_ddl(ddl: raw::DdlEvent) -> Result<(), raw::Failure> {
        with_sink(|s| s.on_ddl(&ddl.into()))
    }

    fn write(batch: &rows::RowBatch, data: Vec<u8>) -> Result<sink_raw::WriteOutcome, raw::Failure> {
        let outcome = with_sink(|s| s.write(batch, &data))?;
        Ok(sink_raw::WriteOutcome {
            quarantined: outcome.quarantined.into_iter().map(Into::into).collect(),
            buffered_bytes: outcome.buffered_bytes,
        })
    }

    fn flush(barrier: sink_raw::Barrier) -> Result<sink_raw::Ack, raw::Failure> {
        let kind = match barrier.kind {
            sink_raw::BarrierKind::Checkpoint => BarrierKind::Checkpoint,
            sink_raw::BarrierKind::Ddl => BarrierKind::Ddl,
            sink_raw::BarrierKind::Swap => BarrierKind::Swap,
            sink_raw::BarrierKind::Stop => BarrierKind::Stop,
        };
        let ack = with_sink(|s| s.flush(crate::Barrier { id: barrier.id, kind, at: barrier.at.into() }))?;
        Ok(sink_raw::Ack { barrier: ack.barrier, complete: ack.complete, state: ack.state })
    }

    fn status() -> Result<Option<raw::Position>, raw::Failure> {
        with_sink(|s| s.status()).map(|p| p.map(Into::into))
    }

    fn on_checkpoint(at: raw::Position) -> Result<(), raw::Failure> {
        with_sink(|s| s.on_checkpoint(at.into()))
    }

    fn on_tick() -> Result<(), raw::Failure> {
        with_sink(|s| s.on_tick())
    }

    fn close() {
        if let Some(mut sink) = SINK.take() {
            sink.close();
        }
    }
}

impl<T: Dispatcher + 'static> dispatcher_raw::Guest for DispatcherComponent<T> {
    fn open(ctx: session::Context) -> Result<(), raw::Failure> {
        speak_before_panic();
        DISPATCHER.set(Some(Box::new(T::open(ctx.into())?)));
        Ok(())
    }

    fn on_schema(schema: raw::TableSchema) -> Result<dispatcher_raw::DispatchPlan, raw::Failure> {
        let plan = with_dispatcher(|d| d.on_schema(Arc::new(schema.into())))?;
        Ok(dispatcher_raw::DispatchPlan {
            columns: plan.columns,
            targets: plan.targets,
            split_key_updates: plan.split_key_updates,
            attrs: plan.attrs,
        })
    }

    fn drop_schema(table: raw::TableRef) {
        // Before `open` there is nothing to drop.
        let _ = with_dispatcher(|d| {
            d.drop_schema(table.into());
            Ok(())
        });
    }

    fn partition_counts(table: raw::TableRef, counts: Vec<u32>) {
        let _ = with_dispatcher(|d| {
            d.partition_counts(table.into(), &counts);
            Ok(())
        });
    }

    fn dispatch(batch: &rows::RowBatch, data: Vec<u8>) -> Result<dispatcher_raw::Decisions, raw::Failure> {
        let d = with_dispatcher(|d| d.dispatch(batch, &data))?;
        Ok(dispatcher_raw::Decisions {
            lanes: d.lanes,
            targets: d.targets,
            partitions: d.partitions,
            quarantined: d.quarantined.into_iter().map(Into::into).collect(),
        })
    }
}
