//! How often one address may ask for challenges and sessions.

use super::client_address;
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
    clock: Elapsed,
}

/// Our clock as governor wants it.
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
        Self { limiter, clock }
    }

    fn check(&self, address: IpAddr) -> Result<(), Error> {
        self.limiter.check_key(&key(address)).map_err(|refusal| {
            let wait = refusal.wait_time_from(clock::Clock::now(&self.clock));
            // Rounded up: who comes back in time is let in.
            let retry_after_seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            Error::RateLimited { retry_after_seconds: retry_after_seconds.max(1) }
        })
    }

    /// Forgets addresses that have their full burst again: they are like new ones.
    pub(crate) fn forget_quiet_addresses(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
    }

    pub(crate) fn len(&self) -> usize {
        self.limiter.len()
    }
}

/// One visitor of IPv6 has a whole /64 of addresses to ask from: they count as one.
pub(crate) fn key(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !0 << 64)),
        v4 => v4,
    }
}

/// A handler that takes this, before anything else, is called no more often than the limit allows.
pub(super) struct WithinLimit;

impl FromRequestParts<AppState> for WithinLimit {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Error> {
        require(state, parts)?;
        Ok(Self)
    }
}

/// Counts a request, and refuses it above the limit of its address.
pub(super) fn require(state: &AppState, parts: &Parts) -> Result<(), Error> {
    match &state.rate_limiter {
        Some(limiter) => limiter.check(client_address::of(state, &parts.headers, &parts.extensions)),
        None => Ok(()),
    }
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
