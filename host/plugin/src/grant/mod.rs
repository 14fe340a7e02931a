//! What an operator grants a plugin, as traits that the downstream implements.
//!
//! A plugin names an endpoint; who is behind it, with which credentials, is the host's. Nothing is granted by default.

mod error;
mod http;
mod object_store;
mod producer;
mod secret;
mod sql;

pub use error::{EndpointError, EndpointErrorKind};
pub use http::{HttpEndpoint, HttpError, HttpMethod, HttpRequest, HttpResponse};
pub use object_store::{Bucket, ObjectMeta, ObjectStoreEndpoint, PutError, PutMode, Upload};
pub use producer::{Messages, Producer, ProducerEndpoint, Strings};
pub use secret::Secret;
pub use sql::{Blocks, Dialect, ExecResult, ResultSet, SqlConnection, SqlEndpoint, SqlError, SqlErrorKind, SqlValue};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tg_model::{ChangefeedId, LaneId, SlotId};

/// Named things an instance may open.
#[derive(Clone, Default)]
pub struct Grants {
    /// SQL databases by endpoint name.
    pub sql: BTreeMap<String, Arc<dyn SqlEndpoint>>,
    /// Message queues by endpoint name.
    pub producers: BTreeMap<String, Arc<dyn ProducerEndpoint>>,
    /// Object stores by endpoint name.
    pub object_stores: BTreeMap<String, Arc<dyn ObjectStoreEndpoint>>,
    /// HTTP origins by endpoint name.
    pub http: BTreeMap<String, Arc<dyn HttpEndpoint>>,
    /// Secrets by name, which the guest may read.
    pub secrets: BTreeMap<String, Secret>,
}

impl Grants {
    /// Names of everything that can be opened, in order.
    #[must_use]
    pub fn endpoints(&self) -> Vec<String> {
        let names = self.sql.keys().chain(self.producers.keys()).chain(self.object_stores.keys());
        names.chain(self.http.keys()).cloned().collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Whether anything of the capability of this name is granted; `None`: there is no such capability.
    #[must_use]
    pub fn has(&self, capability: &str) -> Option<bool> {
        Some(match capability {
            "sql" => !self.sql.is_empty(),
            "producer" => !self.producers.is_empty(),
            "object-store" => !self.object_stores.is_empty(),
            "http" => !self.http.is_empty(),
            "secret" => !self.secrets.is_empty(),
            "log" | "metrics" | "session" | "rows" | "state" | "clock" => true,
            _ => return None,
        })
    }
}

impl std::fmt::Debug for Grants {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Grants")
            .field("sql", &self.sql.keys())
            .field("producers", &self.producers.keys())
            .field("object_stores", &self.object_stores.keys())
            .field("http", &self.http.keys())
            .field("secrets", &self.secrets.keys())
            .finish()
    }
}

/// Who asks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LaneContext {
    /// Changefeed.
    pub changefeed: ChangefeedId,
    /// Writer slot.
    pub slot: SlotId,
    /// Lane of the slot; equal to the number of lanes for the instance that runs DDL.
    pub lane: LaneId,
    /// Fencing token: (owner revision, number). Greater means newer.
    pub epoch: (u64, u64),
}
