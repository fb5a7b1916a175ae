use crate::lock::lock;
use crate::metrics::Metrics;
use crate::{AppState, http};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The maximum number of connections to the admin listener, which only the operator's machines use.
const MAX_ADMIN_CONNECTIONS: usize = 64;

/// The maximum number of connections of a listener, and of one address.
pub(crate) struct ConnectionLimits {
    state: AppState,
    free: Arc<Semaphore>,
    max_per_address: u32,
    by_address: Arc<Mutex<HashMap<IpAddr, u32>>>,
    is_counted: bool,
}

impl ConnectionLimits {
    /// Returns the limits of the listener that visitors use.
    pub(crate) fn public(state: &AppState) -> Self {
        let settings = &state.settings;
        let max_per_address = settings.max_connections_per_address.get();
        Self::new(state, settings.max_connections.get() as usize, max_per_address, true)
    }

    /// Returns the limits of the admin listener, whose connections are not in the metrics.
    pub(crate) fn admin(state: &AppState) -> Self {
        Self::new(state, MAX_ADMIN_CONNECTIONS, u32::MAX, false)
    }

    fn new(state: &AppState, max: usize, max_per_address: u32, is_counted: bool) -> Self {
        let free = Arc::new(Semaphore::new(max));
        Self { state: state.clone(), free, max_per_address, by_address: Arc::default(), is_counted }
    }

    /// Waits for a free connection slot.
    pub(crate) async fn wait_for_room(&self) -> OwnedSemaphorePermit {
        self.free.clone().acquire_owned().await.expect("the semaphore is never closed")
    }

    /// Returns the slot of a connection from this address, unless the address already has too many.
    pub(crate) fn open(&self, permit: OwnedSemaphorePermit, address: IpAddr) -> Option<ConnectionSlot> {
        // All clients of a proxy share its connections, which have no limit of their own.
        let address =
            (!http::is_trusted(&self.state.settings.trusted_proxies, address)).then(|| http::key(address));
        if let Some(address) = address {
            let mut counts = lock(&self.by_address);
            let count = counts.entry(address).or_default();
            if *count >= self.max_per_address {
                return None;
            }
            *count += 1;
        }
        let metrics = self.is_counted.then(|| self.state.metrics.clone());
        if let Some(metrics) = &metrics {
            metrics.connections.inc();
        }
        Some(ConnectionSlot { metrics, address, by_address: self.by_address.clone(), _permit: permit })
    }
}

/// The slot of one connection, which is free again when this value is dropped.
pub(crate) struct ConnectionSlot {
    metrics: Option<Arc<Metrics>>,
    address: Option<IpAddr>,
    by_address: Arc<Mutex<HashMap<IpAddr, u32>>>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        if let Some(metrics) = &self.metrics {
            metrics.connections.dec();
        }
        let Some(address) = self.address else {
            return;
        };
        let mut counts = lock(&self.by_address);
        if let Some(count) = counts.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&address);
            }
        }
    }
}
