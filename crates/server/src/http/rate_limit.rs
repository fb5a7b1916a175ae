//! The rate limit of one address for challenges and sessions.

use super::client_address;
use crate::limits::LimitReport;
use crate::{AppState, Clock, Error, RateLimit};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, clock};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

/// Counts requests by address.
pub(crate) struct RateLimiter {
    limiter: governor::RateLimiter<IpAddr, DefaultKeyedStateStore<IpAddr>, Elapsed, NoOpMiddleware<Duration>>,
    limit: RateLimit,
    clock: Elapsed,
}

/// The server's clock, in the form that governor requires.
#[derive(Clone)]
struct Elapsed(Arc<dyn Clock>);

impl clock::Clock for Elapsed {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

impl RateLimiter {
    pub(crate) fn new(limit: RateLimit, clock: Arc<dyn Clock>) -> Self {
        let quota = Quota::per_second(limit.per_second).allow_burst(limit.burst);
        let clock = Elapsed(clock);
        let limiter = governor::RateLimiter::new(quota, DefaultKeyedStateStore::default(), clock.clone());
        Self { limiter, limit, clock }
    }

    /// Counts a request of an address: with all instances, or in this instance if no counters are shared at the moment.
    async fn check(&self, state: &AppState, address: IpAddr, report: &LimitReport) -> Result<(), Error> {
        let address = key(address);
        let key = format!("limit:address:{address}");
        let shared = state.limits.counters().check_rate(&key, self.limit).await;
        // The local counter counts every request, also a refused one, so that many requests get no second burst when
        // counters are no longer shared.
        let local = self.limiter.check_key(&address);
        let local = local.map_err(|refusal| refusal.wait_time_from(clock::Clock::now(&self.clock)));
        let checked = shared.unwrap_or(local);
        checked.map_err(|wait| {
            // Rounded up: a client that comes back in time is accepted.
            let retry_after_seconds = (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1);
            let RateLimit { per_second, burst } = self.limit;
            let window = u64::from(burst.get().div_ceil(per_second.get()));
            report.set("address", burst.get().into(), Some(window), 0, retry_after_seconds);
            Error::RateLimited { retry_after_seconds }
        })
    }

    /// Removes addresses that have their full burst again: their state is that of new ones.
    pub(crate) fn forget_quiet_addresses(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
    }

    pub(crate) fn len(&self) -> usize {
        self.limiter.len()
    }
}

/// Returns the key to count an address by. A visitor with IPv6 has a /64 of addresses, which count as one.
pub(crate) fn key(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !0 << 64)),
        v4 => v4,
    }
}

/// Applies the rate limit to a handler that has this as its first argument.
pub(super) struct WithinLimit;

impl FromRequestParts<AppState> for WithinLimit {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Error> {
        require(state, parts).await?;
        Ok(Self)
    }
}

/// Counts a request, and refuses it above the limit of its address.
pub(super) async fn require(state: &AppState, parts: &Parts) -> Result<(), Error> {
    match &state.rate_limiter {
        Some(limiter) => {
            let address = client_address::of(state, &parts.headers, &parts.extensions);
            limiter.check(state, address, &report(parts)).await
        }
        None => Ok(()),
    }
}

/// Returns the report for the limits of this request.
pub(super) fn report(parts: &Parts) -> LimitReport {
    parts.extensions.get().cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::key;
    use std::net::IpAddr;

    #[test]
    fn addresses_of_one_visitor_count_as_one() {
        let key = |text: &str| key(text.parse::<IpAddr>().unwrap());
        assert_eq!(key("2001:db8:1:2:3:4:5:6"), key("2001:db8:1:2:ffff::"));
        assert_ne!(key("2001:db8:1:2::"), key("2001:db8:1:3::"));
        assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
        assert_eq!(key("192.0.2.1"), key("::ffff:192.0.2.1"));
    }
}
