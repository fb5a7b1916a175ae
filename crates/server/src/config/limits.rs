//! The options of quotas, the adaptive difficulty and shared counters.

use super::{ConfigError, SummaryLine, invalid};
use crate::{AdaptivePrice, LimitSettings, PriceCurve, QuotaLimits};
use clap::Args;
use std::num::NonZeroU32;

/// The highest factor of the adaptive difficulty. A higher one would be work that no visitor finishes before the challenge
/// expires.
const MAX_FACTOR: u32 = 1000;

const QUOTA: &str = "limits such as visitor=120,address=600,app=off, or off";

// No `Debug`: the address of Redis may hold a password.
#[derive(Args, Clone)]
#[allow(missing_docs, reason = "clap would print it as the description of the program")]
pub struct LimitArguments {
    /// Requests of the run API within a minute: by visitor, address and app, or `off`
    #[arg(
        long,
        env = "SALTMINE_QUOTA_REQUESTS",
        default_value = "visitor=120,address=600,app=off",
        value_name = "LIMITS"
    )]
    pub quota_requests: String,

    /// Responses of agents at the same time: by visitor, address and app, or `off`
    #[arg(
        long,
        env = "SALTMINE_QUOTA_STREAMS",
        default_value = "visitor=4,address=20,app=500",
        value_name = "LIMITS"
    )]
    pub quota_streams: String,

    /// Bytes of messages, events and feedback that are stored within a day: by visitor, address and app, or `off`
    #[arg(
        long,
        env = "SALTMINE_QUOTA_STORED_BYTES",
        default_value = "visitor=16777216,address=67108864,app=off",
        value_name = "LIMITS"
    )]
    pub quota_stored_bytes: String,

    /// Tokens that agents read and write within a day, estimated: by visitor, address and app, or `off`
    #[arg(
        long,
        env = "SALTMINE_QUOTA_TOKENS",
        default_value = "visitor=500000,address=2000000,app=50000000",
        value_name = "LIMITS"
    )]
    pub quota_tokens: String,

    /// Adaptive difficulty: `on`, `off`, or challenges and sessions a minute and the highest factor, as in
    /// `prefix=60/64,app=1200/16`
    #[arg(long, env = "SALTMINE_POW_ADAPTIVE", default_value = "off", value_name = "CURVES")]
    pub pow_adaptive: String,

    /// Half-life of the measured demand without requests, 1 to 86400
    #[arg(
        long,
        env = "SALTMINE_POW_ADAPTIVE_HALF_LIFE_SECONDS",
        default_value = "60",
        value_name = "SECONDS"
    )]
    pub pow_adaptive_half_life_seconds: String,

    /// Redis or Valkey, where instances share their counters: `redis://host:6379`; unset: each counts for itself
    #[arg(long, env = "SALTMINE_REDIS_URL", hide_env_values = true, value_name = "URL")]
    pub redis_url: Option<String>,
}

impl LimitArguments {
    /// Checks the values.
    pub(super) fn check(&self) -> Result<LimitSettings, ConfigError> {
        Ok(LimitSettings {
            requests: quota("SALTMINE_QUOTA_REQUESTS", &self.quota_requests)?,
            streams: quota("SALTMINE_QUOTA_STREAMS", &self.quota_streams)?,
            stored_bytes: quota("SALTMINE_QUOTA_STORED_BYTES", &self.quota_stored_bytes)?,
            tokens: quota("SALTMINE_QUOTA_TOKENS", &self.quota_tokens)?,
            adaptive_price: self.adaptive_price()?,
            redis_url: self.redis_url()?.map(Into::into),
        })
    }

    fn adaptive_price(&self) -> Result<Option<AdaptivePrice>, ConfigError> {
        const NAME: &str = "SALTMINE_POW_ADAPTIVE";
        const HALF_LIFE: &str = "SALTMINE_POW_ADAPTIVE_HALF_LIFE_SECONDS";
        let text = &*self.pow_adaptive_half_life_seconds;
        let half_life_seconds = text.parse().ok().filter(|seconds: &NonZeroU32| seconds.get() <= 86_400);
        let half_life_seconds =
            half_life_seconds.ok_or_else(|| invalid(HALF_LIFE, text, "a whole number from 1 to 86400"))?;
        let mut curves = AdaptivePrice {
            prefix: curve("60/64").expect("it is a curve"),
            app: curve("1200/16").expect("it is a curve"),
            half_life_seconds,
        };
        let text = &*self.pow_adaptive;
        let wrong = || {
            invalid(
                NAME,
                text,
                "on, off, or curves such as prefix=60/64,app=1200/16, with factors up to 1000",
            )
        };
        match text {
            "off" => return Ok(None),
            "on" => return Ok(Some(curves)),
            _ => {}
        }
        for entry in text.split(',') {
            let (name, value) = entry.split_once('=').ok_or_else(wrong)?;
            let value = curve(value).ok_or_else(wrong)?;
            match name.trim() {
                "prefix" => curves.prefix = value,
                "app" => curves.app = value,
                _ => return Err(wrong()),
            }
        }
        Ok(Some(curves))
    }

    fn redis_url(&self) -> Result<Option<&str>, ConfigError> {
        let url = self.redis_url.as_deref().filter(|url| !url.is_empty());
        // The value is not shown: it may hold a password.
        let is_usable = |url: &str| url.starts_with("redis://") && redis::Client::open(url).is_ok();
        match url {
            Some(url) if !is_usable(url) => Err(invalid(
                "SALTMINE_REDIS_URL",
                "…",
                "a URL such as redis://:password@127.0.0.1:6379/0, without TLS",
            )),
            url => Ok(url),
        }
    }
}

/// Reads the limits of a quota. A subject that is not named has none.
fn quota(name: &'static str, text: &str) -> Result<QuotaLimits, ConfigError> {
    let mut limits = QuotaLimits::default();
    if text == "off" {
        return Ok(limits);
    }
    for entry in text.split(',') {
        let wrong = || invalid(name, text, QUOTA);
        let (subject, value) = entry.split_once('=').ok_or_else(wrong)?;
        let limit = match value.trim() {
            "off" => None,
            number => Some(number.parse().ok().filter(|limit| *limit > 0).ok_or_else(wrong)?),
        };
        match subject.trim() {
            "visitor" => limits.visitor = limit,
            "address" => limits.address = limit,
            "app" => limits.app = limit,
            _ => return Err(wrong()),
        }
    }
    Ok(limits)
}

fn curve(text: &str) -> Option<PriceCurve> {
    let (per_minute, max_factor) = text.trim().split_once('/')?;
    let max_factor = max_factor.parse().ok().filter(|factor: &NonZeroU32| factor.get() <= MAX_FACTOR)?;
    Some(PriceCurve { per_minute: per_minute.parse().ok()?, max_factor })
}

/// Describes the limits when the server starts.
pub(super) fn summary(settings: &LimitSettings, has_proof_of_work: bool) -> Vec<SummaryLine> {
    let line = |is_warning, text: String| SummaryLine { is_warning, text };
    let quotas = [
        ("requests a minute", "SALTMINE_QUOTA_REQUESTS", settings.requests),
        ("responses at the same time", "SALTMINE_QUOTA_STREAMS", settings.streams),
        ("stored bytes a day", "SALTMINE_QUOTA_STORED_BYTES", settings.stored_bytes),
        ("agent tokens a day", "SALTMINE_QUOTA_TOKENS", settings.tokens),
    ];
    let mut lines: Vec<_> = quotas
        .into_iter()
        .map(|(what, name, limits)| {
            if limits.is_off() {
                return line(true, format!("quota of {what}: off; set {name}"));
            }
            let shown = |limit: Option<u64>| limit.map_or("off".to_owned(), |limit| limit.to_string());
            let QuotaLimits { visitor, address, app } = limits;
            let (visitor, address, app) = (shown(visitor), shown(address), shown(app));
            line(false, format!("quota of {what}: visitor {visitor}, address {address}, app {app}"))
        })
        .collect();
    if has_proof_of_work {
        lines.push(match settings.adaptive_price {
            None => line(false, "adaptive proof of work: off".to_owned()),
            Some(AdaptivePrice { prefix, app, half_life_seconds }) => line(
                false,
                format!(
                    "adaptive proof of work: from {} a minute up to {} times for a prefix, from {} up to {} times for an app, half-life {half_life_seconds} s",
                    prefix.per_minute, prefix.max_factor, app.per_minute, app.max_factor
                ),
            ),
        });
    }
    lines.push(line(
        false,
        match settings.redis_url {
            Some(_) => "counters: shared through Redis".to_owned(),
            None => "counters: in this instance".to_owned(),
        },
    ));
    lines
}

#[cfg(test)]
mod tests {
    use super::super::Arguments;
    use crate::{LimitSettings, QuotaLimits, SystemRandom};
    use clap::Parser;

    fn limits(arguments: &[&str]) -> Result<LimitSettings, String> {
        let secret = "a secret that has more than thirty-two characters";
        let all = [&["saltmine-server", "--anon-jwt-secret", secret], arguments].concat();
        let config = Arguments::try_parse_from(all).unwrap().check(&SystemRandom);
        config.map(|config| config.settings.limits).map_err(|error| error.to_string())
    }

    #[test]
    fn quotas_are_on_by_default() {
        let limits = limits(&[]).unwrap();
        assert_eq!(limits.requests, QuotaLimits { visitor: Some(120), address: Some(600), app: None });
        assert_eq!(limits.tokens.app, Some(50_000_000));
        assert!(limits.adaptive_price.is_none() && limits.redis_url.is_none());
    }

    #[test]
    fn each_limit_is_configurable() {
        let limits = limits(&[
            "--quota-requests",
            "visitor=5, app=off",
            "--quota-tokens",
            "off",
            "--pow-adaptive",
            "prefix=7/3",
            "--pow-adaptive-half-life-seconds",
            "10",
        ])
        .unwrap();
        assert_eq!(limits.requests, QuotaLimits { visitor: Some(5), address: None, app: None });
        assert!(limits.tokens.is_off());
        let price = limits.adaptive_price.unwrap();
        assert_eq!((price.prefix.per_minute.get(), price.prefix.max_factor.get()), (7, 3));
        assert_eq!((price.app.per_minute.get(), price.half_life_seconds.get()), (1200, 10));
    }

    #[test]
    fn what_is_wrong_is_named_and_no_password_is_shown() {
        for (name, option, values) in [
            ("SALTMINE_QUOTA_REQUESTS", "--quota-requests", &["", "5", "visitor=0", "visiter=5"][..]),
            (
                "SALTMINE_POW_ADAPTIVE",
                "--pow-adaptive",
                &["", "1", "prefix=1", "prefix=0/2", "x=1/2", "app=1/1001"],
            ),
            ("SALTMINE_REDIS_URL", "--redis-url", &["hunter2", "rediss://:hunter2@db", "http://hunter2"]),
        ] {
            for value in values {
                let error = limits(&[option, value]).unwrap_err();
                assert!(error.starts_with(name) && !error.contains("hunter2"), "{value}: {error}");
            }
        }
    }
}
