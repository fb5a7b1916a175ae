//! The `RateLimit` and `RateLimit-Policy` fields of a response (draft-ietf-httpapi-ratelimit-headers-10).

use crate::lock::lock;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use std::sync::{Arc, Mutex};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// The report of a request's limit. The last limit that was checked fills it.
#[derive(Clone, Debug, Default)]
pub(crate) struct LimitReport(Arc<Mutex<Option<Fields>>>);

#[derive(Debug)]
struct Fields {
    limit: String,
    policy: String,
}

impl LimitReport {
    /// Reports a limit: its name, its quota, its window in seconds, the rest of the quota, and the seconds until there is
    /// more.
    pub(crate) fn set(
        &self,
        name: &str,
        quota: u64,
        window: Option<u64>,
        remaining: u64,
        reset_seconds: u64,
    ) {
        let window = window.map_or_else(String::new, |window| format!(";w={window}"));
        let fields = Fields {
            limit: format!("\"{name}\";r={remaining};t={reset_seconds}"),
            policy: format!("\"{name}\";q={quota}{window}"),
        };
        *lock(&self.0) = Some(fields);
    }

    /// Adds the fields to a response, if a limit was checked.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        if let Some(Fields { limit, policy }) = &*lock(&self.0) {
            for (name, value) in [(RATE_LIMIT, limit), (RATE_LIMIT_POLICY, policy)] {
                if let Ok(value) = HeaderValue::try_from(value) {
                    headers.insert(name, value);
                }
            }
        }
    }
}
