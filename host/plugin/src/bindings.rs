//! The host's side of the WIT contract, as generated.

#![allow(missing_docs, unreachable_pub, reason = "generated from the contract, which has the words")]
#![allow(unused_qualifications, clippy::all, reason = "generated")]

/// The world of sinks, and everything the worlds share.
pub(crate) mod sink {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "sink-plugin",
        // What never waits is called without a future.
        imports: {
            "tidegate:plugin/rows": trappable,
            "tidegate:plugin/session": trappable,
            "tidegate:plugin/log": trappable,
            "tidegate:plugin/metrics": trappable,
            "tidegate:plugin/clock": trappable,
            "tidegate:plugin/state": trappable,
            "tidegate:plugin/secret": trappable,
            default: async | trappable,
        },
        exports: { default: async },
        with: {
            "tidegate:plugin/rows.row-batch": crate::capability::rows::BatchResource,
            "tidegate:plugin/metrics.counter": crate::capability::metrics::CounterResource,
            "tidegate:plugin/metrics.gauge": crate::capability::metrics::GaugeResource,
            "tidegate:plugin/metrics.histogram": crate::capability::metrics::HistogramResource,
            "tidegate:plugin/sql.connection": crate::capability::sql::ConnectionResource,
            "tidegate:plugin/producer.topic-producer": crate::capability::producer::ProducerResource,
            "tidegate:plugin/object-store.bucket": crate::capability::object_store::BucketResource,
            "tidegate:plugin/object-store.upload": crate::capability::object_store::UploadResource,
        },
    });
}

/// The world of dispatchers.
pub(crate) mod dispatcher {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "dispatcher-plugin",
        imports: { default: async | trappable },
        exports: { default: async },
        with: {
            "tidegate:plugin/types": super::sink::tidegate::plugin::types,
            "tidegate:plugin/rows": super::sink::tidegate::plugin::rows,
            "tidegate:plugin/session": super::sink::tidegate::plugin::session,
            "tidegate:plugin/log": super::sink::tidegate::plugin::log,
            "tidegate:plugin/metrics": super::sink::tidegate::plugin::metrics,
        },
    });
}

/// The world of transforms.
pub(crate) mod transform {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "transform-plugin",
        imports: { default: async | trappable },
        exports: { default: async },
        with: {
            "tidegate:plugin/types": super::sink::tidegate::plugin::types,
            "tidegate:plugin/rows": super::sink::tidegate::plugin::rows,
            "tidegate:plugin/session": super::sink::tidegate::plugin::session,
            "tidegate:plugin/log": super::sink::tidegate::plugin::log,
            "tidegate:plugin/metrics": super::sink::tidegate::plugin::metrics,
            "tidegate:plugin/secret": super::sink::tidegate::plugin::secret,
        },
    });
}

pub(crate) use sink::tidegate::plugin as api;
