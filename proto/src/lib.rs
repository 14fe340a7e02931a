//! The part of the wire protocols of PD and TiKV that the product and its tests speak, and the one between our own nodes:
//! messages, clients and servers, generated from minimal descriptions in `proto/`.
//!
//! Does: encode and decode. `bytes` fields are [`bytes::Bytes`] and share the buffer they came in.
//! Does not: connect, retry, interpret.
//!
//! Invariants:
//! - Field numbers and types are those of the servers; names are ours where nothing on the wire depends on them.
//!   Names of services and methods do travel and are the servers'.
//! - A field that is not described is skipped when it comes and never sent.

#![allow(missing_docs, unreachable_pub, unused_qualifications, reason = "generated")]
#![allow(clippy::all, clippy::pedantic, clippy::restriction, reason = "generated")]

macro_rules! package {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        pub mod $name {
            include!(concat!(env!("OUT_DIR"), "/", stringify!($name), ".rs"));
        }
    };
}

package!(
    /// Cluster layout: regions, peers, stores.
    metapb
);
package!(
    /// Errors that concern a region.
    errorpb
);
package!(
    /// Transactional reads, writes and lock resolution.
    kvrpcpb
);
package!(
    /// The transactional service of a store.
    tikvpb
);
package!(
    /// The change feed of a store.
    cdcpb
);
package!(
    /// The placement driver.
    pdpb
);
package!(
    /// Named keyspaces.
    keyspacepb
);
package!(
    /// Between the nodes of a cluster.
    tgpeer
);
