//! The metrics of the limits.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};

/// Requests that a quota refused.
#[derive(Clone, Default)]
pub(crate) struct Refusals(pub(crate) Family<RefusalLabels, Counter>);

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct RefusalLabels {
    quota: &'static str,
    subject: &'static str,
}

impl Refusals {
    /// Creates a counter at zero, so that monitors see it from the start.
    pub(super) fn create(&self, quota: &'static str, subject: &'static str) {
        drop(self.0.get_or_create(&RefusalLabels { quota, subject }));
    }

    pub(super) fn count(&self, quota: &'static str, subject: &'static str) {
        self.0.get_or_create(&RefusalLabels { quota, subject }).inc();
    }
}

/// The multiples of the configured work that challenges required.
#[derive(Clone)]
pub(crate) struct Prices(pub(crate) Histogram);

impl Default for Prices {
    fn default() -> Self {
        Self(Histogram::new(exponential_buckets(1.0, 2.0, 11)))
    }
}

impl Prices {
    pub(super) fn observe(&self, factor: f64) {
        self.0.observe(factor);
    }
}
