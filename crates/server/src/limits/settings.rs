//! The settings of quotas, difficulty and shared counters.

use std::num::NonZeroU32;

/// The quotas of the run API, the adaptive difficulty of challenges, and the address of shared counters.
#[derive(Clone, Debug, Default)]
pub struct LimitSettings {
    /// Requests of the run API within a minute.
    pub requests: QuotaLimits,
    /// Responses of agents that are being written at the same time.
    pub streams: QuotaLimits,
    /// Bytes of messages, events and feedback that are stored within a day.
    pub stored_bytes: QuotaLimits,
    /// Tokens that agents read and write within a day, estimated.
    pub tokens: QuotaLimits,
    /// The adaptive difficulty; `None` keeps the difficulty constant.
    pub adaptive_price: Option<AdaptivePrice>,
    /// The address of Redis or Valkey, `redis://…`; `None` keeps the counters in each instance.
    pub redis_url: Option<crate::Secret>,
}

/// One limit for each kind of subject; `None` sets no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QuotaLimits {
    /// For one visitor of one app.
    pub visitor: Option<u64>,
    /// For one address: an IPv4 address, or a /64 of IPv6.
    pub address: Option<u64>,
    /// For all visitors of one app.
    pub app: Option<u64>,
}

impl QuotaLimits {
    /// Returns whether no subject has a limit.
    #[must_use]
    pub fn is_off(&self) -> bool {
        *self == Self::default()
    }
}

/// The adaptive difficulty: the difficulty of a challenge depends on the rate of challenges and sessions.
///
/// At a rate of `n` times its threshold, a challenge requires `n` times the work, up to the highest factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdaptivePrice {
    /// For an address prefix: a /24 of IPv4 or a /56 of IPv6.
    pub prefix: PriceCurve,
    /// For an app, and for all apps together if a challenge names none.
    pub app: PriceCurve,
    /// The half-life of a rate without requests, in seconds.
    pub half_life_seconds: NonZeroU32,
}

/// The rate at which a difficulty begins to rise, and its maximum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceCurve {
    /// Challenges and sessions a minute up to which the difficulty is the configured one.
    pub per_minute: NonZeroU32,
    /// The highest multiple of the configured difficulty.
    pub max_factor: NonZeroU32,
}
