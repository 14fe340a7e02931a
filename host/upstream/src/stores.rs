//! Where stores are.

use crate::UpstreamError;
use crate::pd::Pd;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use tonic::transport::Channel;

/// Addresses by store, as PD told them last.
pub(crate) struct StoreMap {
    pd: Arc<Pd>,
    addresses: Mutex<HashMap<u64, String>>,
}

impl StoreMap {
    pub(crate) fn new(pd: Arc<Pd>) -> Self {
        Self { pd, addresses: Mutex::default() }
    }

    async fn address(&self, store: u64) -> Result<String, UpstreamError> {
        if let Some(address) = self.addresses.lock().get(&store) {
            return Ok(address.clone());
        }
        let address = self.pd.store(store).await?.address;
        self.addresses.lock().insert(store, address.clone());
        Ok(address)
    }

    /// The shared connection for reads.
    pub(crate) async fn channel(&self, store: u64) -> Result<Channel, UpstreamError> {
        self.pd.dialer.channel(&self.address(store).await?)
    }

    /// A new connection of its own, for a feed. After a failure the address is asked for anew.
    pub(crate) async fn connect(&self, store: u64) -> Result<Channel, UpstreamError> {
        let address = self.address(store).await?;
        let connected = self.pd.dialer.connect(&address).await;
        if connected.is_err() {
            self.addresses.lock().remove(&store);
        }
        connected
    }

    /// The store may have moved.
    pub(crate) fn forget(&self, store: u64) {
        if let Some(address) = self.addresses.lock().remove(&store) {
            self.pd.dialer.forget(&address);
        }
    }
}
