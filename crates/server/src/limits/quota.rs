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
        self.take_counters(Quota::Requests, counters, 1, report).await
    }

    /// Refuses an address that has sent too many unknown API keys, without counting the request.
    ///
    /// # Errors
    ///
    /// [`Error::QuotaExceeded`]
    pub(crate) async fn require_known_keys(
        &self,
        address: IpAddr,
        report: &LimitReport,
    ) -> Result<(), Error> {
        let counters = self.unknown_keys(address).map(|counter| (SubjectKind::Address, counter));
        self.require_rest_of(Quota::Requests, counters.into_iter().collect(), 1, report).await
    }

    /// Counts an unknown API key. Anyone can make texts that look like keys, and each is a query of the database.
    pub(crate) async fn count_unknown_key(&self, address: IpAddr) {
        if let Some(counter) = self.unknown_keys(address) {
            self.counters.add(&[counter], Quota::Requests.window(), 1).await;
        }
    }

    /// Returns the counter of the unknown API keys of an address. Visitors at the same address have another one.
    fn unknown_keys(&self, address: IpAddr) -> Option<Counter> {
        let limit = self.settings.requests.address?;
        Some(Counter { key: address_key("unknown-keys", address), limit })
    }

    /// Reports and counts a refusal.
    fn refuse(
        &self,
        quota: Quota,
        kind: SubjectKind,
        limit: u64,
        Usage { resets_in, .. }: Usage,
        report: &LimitReport,
    ) -> Error {
        let retry_after_seconds = whole_seconds(resets_in);
        let name = format!("{}-{}", quota.name(), kind.name());
        report.set(&name, limit, Some(quota.window().as_secs()), 0, retry_after_seconds);
        self.refusals.count(quota.name(), kind.name());
        Error::QuotaExceeded { quota: quota.name(), subject: kind.name(), limit, retry_after_seconds }
    }

    /// Counts a request of a visitor. Its address has already been counted.
    ///
    /// # Errors
    ///
    /// [`Error::QuotaExceeded`]
    pub(crate) async fn count_request(&self, subjects: &Subjects, report: &LimitReport) -> Result<(), Error> {
        let kinds = [SubjectKind::Visitor, SubjectKind::App];
        let counters = subjects.counters(&kinds, Quota::Requests.name(), self.settings.requests);
        self.take_counters(Quota::Requests, counters, 1, report).await
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
        let counters = self.counters_of(quota, subjects);
        self.take_counters(quota, counters, amount, report).await
    }

    /// Refuses an amount that a quota of a subject has not left, as [`take`](Self::take) does, and adds nothing.
    ///
    /// # Errors
    ///
    /// [`Error::QuotaExceeded`]
    pub(crate) async fn require_rest(
        &self,
        quota: Quota,
        subjects: &Subjects,
        amount: u64,
        report: &LimitReport,
    ) -> Result<(), Error> {
        let counters = self.counters_of(quota, subjects);
        self.require_rest_of(quota, counters, amount, report).await
    }

    /// Adds an amount that has already been used.
    pub(crate) async fn charge(&self, quota: Quota, subjects: &Subjects, amount: u64) {
        let counters = self.counters_of(quota, subjects);
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

    /// Returns the counters of a quota of all subjects that have a limit.
    fn counters_of(&self, quota: Quota, subjects: &Subjects) -> Vec<(SubjectKind, Counter)> {
        subjects.counters(&Subjects::ALL, quota.name(), quota.limits(&self.settings))
    }

    async fn require_rest_of(
        &self,
        quota: Quota,
        counters: Vec<(SubjectKind, Counter)>,
        amount: u64,
        report: &LimitReport,
    ) -> Result<(), Error> {
        if counters.is_empty() {
            return Ok(());
        }
        // A counter has no room for the amount if it exceeds what its limit is without the amount.
        let lowered: Vec<_> = counters
            .iter()
            .map(|(_, counter)| Counter { limit: counter.limit.saturating_sub(amount), ..counter.clone() })
            .collect();
        let taking = self.counters.take(&lowered, quota.window(), 0).await;
        let too_large = counters.iter().position(|(_, counter)| counter.limit < amount);
        match too_large.or(taking.refused) {
            Some(index) => {
                let (kind, counter) = &counters[index];
                Err(self.refuse(quota, *kind, counter.limit, taking.usages[index], report))
            }
            None => Ok(()),
        }
    }

    async fn take_counters(
        &self,
        quota: Quota,
        counters: Vec<(SubjectKind, Counter)>,
        amount: u64,
        report: &LimitReport,
    ) -> Result<(), Error> {
        if counters.is_empty() {
            return Ok(());
        }
        let (kinds, counters): (Vec<_>, Vec<_>) = counters.into_iter().unzip();
        let taking = self.counters.take(&counters, quota.window(), amount).await;
        if let Some(index) = taking.refused {
            return Err(self.refuse(
                quota,
                kinds[index],
                counters[index].limit,
                taking.usages[index],
                report,
            ));
        }
        // An accepted request reports the limit of the first subject: the visitor, if there is one.
        let (kind, limit, Usage { used, resets_in }) = (kinds[0], counters[0].limit, taking.usages[0]);
        let name = format!("{}-{}", quota.name(), kind.name());
        let seconds = whole_seconds(resets_in);
        report.set(&name, limit, Some(quota.window().as_secs()), limit.saturating_sub(used), seconds);
        Ok(())
    }
}

/// Returns the time in seconds, rounded up: a client that comes back in time is accepted.
fn whole_seconds(time: Duration) -> u64 {
    time.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX).max(1)
}
