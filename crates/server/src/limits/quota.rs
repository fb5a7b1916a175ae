//! Quotas of the run API: by visitor, by address and by app.

use super::counters::{Counter, Lease, Usage};
use super::settings::{LimitSettings, QuotaLimits};
use super::{LimitReport, Limits, Refusals};
use crate::Error;
use std::net::IpAddr;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The seconds after which a client with too many streams tries again: one of them has probably ended.
const STREAM_RETRY_SECONDS: u64 = 5;

/// The kinds of quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quota {
    /// Requests within a minute.
    Requests,
    /// Bytes of messages, events and feedback that are stored within a day.
    StoredBytes,
    /// Tokens of agents within a day.
    Tokens,
}

/// The name of the quota of simultaneous responses.
const STREAMS: &str = "streams";

/// Returns the counters of refusals, all at zero.
pub(super) fn refusals() -> Refusals {
    let refusals = Refusals::default();
    for quota in [Quota::Requests.name(), Quota::StoredBytes.name(), Quota::Tokens.name(), STREAMS] {
        for kind in Subjects::ALL {
            refusals.create(quota, kind.name());
        }
    }
    refusals
}

impl Quota {
    const fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::StoredBytes => "stored-bytes",
            Self::Tokens => "tokens",
        }
    }

    const fn window(self) -> Duration {
        match self {
            Self::Requests => MINUTE,
            Self::StoredBytes | Self::Tokens => DAY,
        }
    }

    fn limits(self, settings: &LimitSettings) -> QuotaLimits {
        match self {
            Self::Requests => settings.requests,
            Self::StoredBytes => settings.stored_bytes,
            Self::Tokens => settings.tokens,
        }
    }
}

/// A kind of subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SubjectKind {
    Visitor,
    Address,
    App,
}

impl SubjectKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Visitor => "visitor",
            Self::Address => "address",
            Self::App => "app",
        }
    }

    fn limit(self, limits: QuotaLimits) -> Option<u64> {
        match self {
            Self::Visitor => limits.visitor,
            Self::Address => limits.address,
            Self::App => limits.app,
        }
    }
}

/// A visitor, with the address and the app of the request.
#[derive(Clone, Debug)]
pub(crate) struct Subjects {
    pub(crate) app: String,
    pub(crate) visitor: String,
    /// The address, as [`key`](crate::http::key) returns it.
    pub(crate) address: IpAddr,
}

impl Subjects {
    const ALL: [SubjectKind; 3] = [SubjectKind::Visitor, SubjectKind::Address, SubjectKind::App];

    fn key(&self, kind: SubjectKind, quota: &str) -> String {
        match kind {
            SubjectKind::Visitor => format!("{quota}:visitor:{}:{}", self.app, self.visitor),
            SubjectKind::Address => address_key(quota, self.address),
            SubjectKind::App => format!("{quota}:app:{}", self.app),
        }
    }

    /// Returns the counters of the kinds of subject that have a limit.
    fn counters(
        &self,
        kinds: &[SubjectKind],
        quota: &str,
        limits: QuotaLimits,
    ) -> Vec<(SubjectKind, Counter)> {
        let counter = |kind: &SubjectKind| {
            Some((*kind, Counter { key: self.key(*kind, quota), limit: kind.limit(limits)? }))
        };
        kinds.iter().filter_map(counter).collect()
    }
}

fn address_key(quota: &str, address: IpAddr) -> String {
    format!("{quota}:address:{address}")
}

impl Limits {
    /// Counts a request of an address, before its visitor and its app are known.
    ///
    /// # Errors
    ///
    /// [`Error::QuotaExceeded`]
    pub(crate) async fn count_address(&self, address: IpAddr, report: &LimitReport) -> Result<(), Error> {
        let Some(limit) = self.settings.requests.address else {
            return Ok(());
        };
        let key = address_key(Quota::Requests.name(), address);
        let counters = vec![(SubjectKind::Address, Counter { key, limit })];
        self.take_counters(Quota::Requests, counters, 1, Some(report)).await
    }

    /// Refuses an address that has used up its requests, without counting one.
    ///
    /// # Errors
    ///
    /// [`Error::QuotaExceeded`]
    pub(crate) async fn require_address(&self, address: IpAddr, report: &LimitReport) -> Result<(), Error> {
        let Some(limit) = self.settings.requests.address else {
            return Ok(());
        };
        let key = address_key(Quota::Requests.name(), address);
        // Nothing is added, so that the counter exceeds one less than its limit if it has reached it.
        let counters = vec![(SubjectKind::Address, Counter { key, limit: limit - 1 })];
        self.take_counters(Quota::Requests, counters, 0, Some(report)).await
    }

    /// Counts a request of a visitor. Its address has already been counted.
    ///
    /// # Errors
    ///
    /// [`Error::QuotaExceeded`]
    pub(crate) async fn count_request(&self, subjects: &Subjects, report: &LimitReport) -> Result<(), Error> {
        let kinds = [SubjectKind::Visitor, SubjectKind::App];
        let counters = subjects.counters(&kinds, Quota::Requests.name(), self.settings.requests);
        self.take_counters(Quota::Requests, counters, 1, Some(report)).await
    }

    /// Adds an amount to a quota of all subjects, or refuses it.
    ///
    /// # Errors
    ///
    /// [`Error::QuotaExceeded`]
    pub(crate) async fn take(
        &self,
        quota: Quota,
        subjects: &Subjects,
        amount: u64,
        report: &LimitReport,
    ) -> Result<(), Error> {
        let counters = subjects.counters(&Subjects::ALL, quota.name(), quota.limits(&self.settings));
        self.take_counters(quota, counters, amount, Some(report)).await
    }

    /// Adds an amount that has already been used.
    pub(crate) async fn charge(&self, quota: Quota, subjects: &Subjects, amount: u64) {
        let counters = subjects.counters(&Subjects::ALL, quota.name(), quota.limits(&self.settings));
        let counters: Vec<_> = counters.into_iter().map(|(_, counter)| counter).collect();
        if amount > 0 && !counters.is_empty() {
            self.counters.add(&counters, quota.window(), amount).await;
        }
    }

    /// Counts a response that is being written until the returned value is dropped, or refuses it.
    ///
    /// # Errors
    ///
    /// [`Error::QuotaExceeded`]
    pub(crate) async fn stream(
        &self,
        subjects: &Subjects,
        report: &LimitReport,
    ) -> Result<Option<Lease>, Error> {
        let counters = subjects.counters(&Subjects::ALL, STREAMS, self.settings.streams);
        if counters.is_empty() {
            return Ok(None);
        }
        let (kinds, counters): (Vec<_>, Vec<_>) = counters.into_iter().unzip();
        let limits: Vec<_> = counters.iter().map(|counter| counter.limit).collect();
        self.counters.lease(counters).await.map(Some).map_err(|index| {
            let (kind, limit) = (kinds[index], limits[index]);
            report.set(&format!("{STREAMS}-{}", kind.name()), limit, None, 0, STREAM_RETRY_SECONDS);
            self.refusals.count(STREAMS, kind.name());
            Error::QuotaExceeded {
                quota: STREAMS,
                subject: kind.name(),
                limit,
                retry_after_seconds: STREAM_RETRY_SECONDS,
            }
        })
    }

    async fn take_counters(
        &self,
        quota: Quota,
        counters: Vec<(SubjectKind, Counter)>,
        amount: u64,
        report: Option<&LimitReport>,
    ) -> Result<(), Error> {
        if counters.is_empty() {
            return Ok(());
        }
        let (kinds, counters): (Vec<_>, Vec<_>) = counters.into_iter().unzip();
        let taking = self.counters.take(&counters, quota.window(), amount).await;
        // An accepted request reports the limit of the first subject: the visitor, if there is one.
        let index = taking.refused.unwrap_or(0);
        let (kind, limit) = (kinds[index], counters[index].limit);
        let Usage { used, resets_in } = taking.usages[index];
        // Rounded up: a client that comes back in time is accepted.
        let seconds = resets_in.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX).max(1);
        if let Some(report) = report {
            let name = format!("{}-{}", quota.name(), kind.name());
            let remaining = if taking.refused.is_some() { 0 } else { limit.saturating_sub(used) };
            report.set(&name, limit, Some(quota.window().as_secs()), remaining, seconds);
        }
        if taking.refused.is_some() {
            self.refusals.count(quota.name(), kind.name());
            return Err(Error::QuotaExceeded {
                quota: quota.name(),
                subject: kind.name(),
                limit,
                retry_after_seconds: seconds,
            });
        }
        Ok(())
    }
}
