//! The work that a challenge requires: more while an app or an address prefix requests many challenges.

use super::Limits;
use super::settings::PriceCurve;
use ipnet::{Ipv4Net, Ipv6Net};
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

/// The network that an address belongs to: a /24 of IPv4, or the /56 of one customer of IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AddressPrefix(IpAddr);

impl AddressPrefix {
    pub(crate) fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(address) => Ipv4Net::new_assert(address, 24).network().into(),
            IpAddr::V6(address) => Ipv6Net::new_assert(address, 56).network().into(),
        })
    }
}

impl fmt::Display for AddressPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Limits {
    /// Counts a challenge at `now`, and returns the multiple of the configured work that a challenge now
    /// requires: 1 if the difficulty is constant.
    ///
    /// The difficulty of a challenge that names no app depends on the rate of all apps together, since the challenge is
    /// valid for each of them.
    pub(crate) async fn price(&self, app: Option<&str>, prefix: AddressPrefix, now: Duration) -> f64 {
        let factor = self.count_priced(app, prefix, now).await;
        self.prices.observe(factor);
        factor
    }

    /// Counts a session at `now`.
    pub(crate) async fn count_session(&self, app: &str, prefix: AddressPrefix, now: Duration) {
        self.count_priced(Some(app), prefix, now).await;
    }

    async fn count_priced(&self, app: Option<&str>, prefix: AddressPrefix, now: Duration) -> f64 {
        let Some(settings) = self.settings.adaptive_price else {
            return 1.0;
        };
        let half_life = Duration::from_secs(settings.half_life_seconds.get().into());
        let mut keys = vec![format!("rate:prefix:{prefix}"), "rate:apps".to_owned()];
        keys.extend(app.map(|app| format!("rate:app:{app}")));
        let counts = self.counters.count_event(&keys, half_life, now).await;
        // The difficulty for a known app does not depend on the rate of the others.
        let (of_prefix, of_app) = (counts.first(), counts.last());
        let factor = |count: Option<&f64>, curve| factor(count.copied().unwrap_or(0.0), half_life, curve);
        factor(of_prefix, settings.prefix).max(factor(of_app, settings.app))
    }
}

/// The least multiple that counts: only challenges of the configured work are made in advance.
const LEAST_FACTOR: f64 = 1.25;

/// Returns the multiple for a rate whose decaying count is `count`.
fn factor(count: f64, half_life: Duration, curve: PriceCurve) -> f64 {
    // A steady rate of r a second has the count r × half-life ÷ ln 2.
    let per_minute = count * std::f64::consts::LN_2 / half_life.as_secs_f64() * 60.0;
    let times = per_minute / f64::from(curve.per_minute.get());
    if times < LEAST_FACTOR { 1.0 } else { times.min(f64::from(curve.max_factor.get()).max(1.0)) }
}

/// Returns the largest number or counter of a challenge at this multiple of the work, at most `max`.
pub(crate) fn scaled(number: u64, factor: f64, max: u64) -> u64 {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is positive, and capped")]
    let scaled = (number as f64 * factor.max(1.0)) as u64;
    scaled.clamp(number.min(max), max)
}

#[cfg(test)]
mod tests {
    use super::{AddressPrefix, factor, scaled};
    use crate::limits::settings::PriceCurve;
    use std::time::Duration;

    const CURVE: PriceCurve =
        PriceCurve { per_minute: std::num::NonZeroU32::MIN, max_factor: std::num::NonZeroU32::MAX };

    #[test]
    fn a_prefix_is_a_network() {
        let prefix = |text: &str| AddressPrefix::of(text.parse().unwrap()).to_string();
        assert_eq!(prefix("192.0.2.77"), "192.0.2.0");
        assert_eq!(prefix("::ffff:192.0.2.77"), "192.0.2.0");
        assert_eq!(prefix("2001:db8:1:2ff:3::1"), "2001:db8:1:200::");
    }

    /// One event each second is 60 a minute, whatever the half-life is.
    #[test]
    fn a_steady_rate_has_its_factor() {
        for half_life in [10_u32, 60, 600] {
            let decay = 0.5_f64.powf(1.0 / f64::from(half_life));
            let count = (0..half_life * 20).fold(0.0, |count, _| count * decay + 1.0);
            let half_life = Duration::from_secs(half_life.into());
            let factor = factor(count, half_life, CURVE);
            assert!((55.0..65.0).contains(&factor), "{factor}");
        }
    }

    #[test]
    fn a_factor_has_its_bounds() {
        let minute = Duration::from_secs(60);
        let curve = PriceCurve { max_factor: 8.try_into().unwrap(), ..CURVE };
        assert_eq!(factor(0.0, minute, curve), 1.0);
        let steady = 1.0 / std::f64::consts::LN_2;
        assert_eq!(factor(steady * 1.2, minute, curve), 1.0);
        assert!((1.29..1.31).contains(&factor(steady * 1.3, minute, curve)));
        assert_eq!(factor(1e9, minute, curve), 8.0);
    }

    #[test]
    fn a_scaled_number_has_its_bounds() {
        assert_eq!(scaled(50_000, 1.0, u64::MAX), 50_000);
        assert_eq!(scaled(50_000, 2.5, u64::MAX), 125_000);
        assert_eq!(scaled(50_000, 64.0, 100_000), 100_000);
        assert_eq!(scaled(50_000, f64::NAN, u64::MAX), 50_000);
    }
}
