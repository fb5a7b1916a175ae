//! The limits of clients: quotas of the run API, the difficulty of challenges, and the counters of both.

mod charge;
mod counters;
mod local;
mod metrics;
mod price;
mod quota;
mod report;
mod scripts;
mod settings;
mod shared;

pub(crate) use charge::ReplyCharge;
pub(crate) use counters::Counters;
pub(crate) use metrics::{Prices, Refusals};
pub(crate) use price::{AddressPrefix, scaled};
pub(crate) use quota::{Quota, Subjects};
pub(crate) use report::LimitReport;
pub use settings::{AdaptivePrice, LimitSettings, PriceCurve, QuotaLimits};

use crate::{Clock, Random};
use shared::SharedCounters;
use std::io;
use std::sync::Arc;

/// The configured limits and their counters.
pub(crate) struct Limits {
    settings: LimitSettings,
    counters: Arc<Counters>,
    pub(crate) prices: Prices,
    pub(crate) refusals: Refusals,
}

impl Limits {
    /// # Errors
    ///
    /// If the address of Redis is invalid, or `random` fails.
    pub(crate) fn new(
        settings: LimitSettings,
        clock: Arc<dyn Clock>,
        random: &dyn Random,
    ) -> io::Result<Self> {
        let shared = settings.redis_url.as_ref();
        let shared = shared.map(|url| SharedCounters::start(url, clock.clone(), random)).transpose()?;
        let counters = Arc::new(Counters::new(shared, clock));
        Ok(Self { settings, counters, prices: Prices::default(), refusals: quota::refusals() })
    }

    /// The counters, for the rate limit of challenges and sessions.
    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Removes the counters whose state is that of new ones.
    pub(crate) fn forget_expired(&self) {
        self.counters.forget_expired();
    }
}
