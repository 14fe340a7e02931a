//! Stand-ins for every capability, in memory, with scripted faults. They outlive instances, as a real downstream does.

mod effect;
mod faults;
mod http;
mod objects;
mod owners;
mod producer;
mod sql;
mod state;

pub(crate) use effect::{Difference, Effect};
pub(crate) use faults::{Fault, Faults};
pub(crate) use http::Reply;
pub(crate) use owners::Owners;
pub(crate) use state::{HttpCall, Message, World};

use crate::sql::Style;
use std::collections::BTreeMap;
use std::sync::Arc;
use tg_plugin::Grants;
use tg_plugin::grant::{HttpEndpoint, ObjectStoreEndpoint, ProducerEndpoint, Secret, SqlEndpoint};

/// What is granted under which names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GrantNames {
    /// SQL databases that speak as MySQL does.
    pub sql: Vec<String>,
    /// SQL databases that speak as PostgreSQL does.
    pub postgres: Vec<String>,
    /// Message queues.
    pub producer: Vec<String>,
    /// Object stores.
    pub object_store: Vec<String>,
    /// HTTP origins.
    pub http: Vec<String>,
    /// Secrets with their values.
    pub secret: BTreeMap<String, String>,
}

impl GrantNames {
    /// Whether nothing that writes is granted.
    pub(crate) fn is_empty(&self) -> bool {
        [&self.sql, &self.postgres, &self.producer, &self.object_store, &self.http].iter().all(|names| names.is_empty())
    }
}

/// Grants of one world.
pub(crate) fn grants(world: &Arc<World>, names: &GrantNames) -> Grants {
    fn named<T: ?Sized>(names: &[String], make: impl Fn(&str) -> Arc<T>) -> BTreeMap<String, Arc<T>> {
        names.iter().map(|n| (n.clone(), make(n))).collect()
    }
    Grants {
        sql: {
            let endpoint =
                |style| move |_: &str| Arc::new(sql::Endpoint(Arc::clone(world), style)) as Arc<dyn SqlEndpoint>;
            let mut all = named(&names.sql, endpoint(Style::Mysql));
            all.extend(named(&names.postgres, endpoint(Style::Postgres)));
            all
        },
        producers: named(&names.producer, |_| {
            Arc::new(producer::Endpoint(Arc::clone(world))) as Arc<dyn ProducerEndpoint>
        }),
        object_stores: named(&names.object_store, |_| {
            Arc::new(objects::Endpoint(Arc::clone(world))) as Arc<dyn ObjectStoreEndpoint>
        }),
        http: named(&names.http, |n| Arc::new(http::Endpoint::new(Arc::clone(world), n)) as Arc<dyn HttpEndpoint>),
        secrets: names.secret.iter().map(|(name, value)| (name.clone(), Secret::new(value))).collect(),
    }
}
