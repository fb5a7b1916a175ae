//! When a request that found no server, or a server in trouble, is made again: exponential backoff with full jitter.

use saltmine_protocol::whole;

use super::Now;

/// Requests that one flow repeats, all kinds together.
const MOST_RETRIES: u8 = 3;
/// The first wait is up to this long; each further one up to twice the last.
const FIRST_WAIT_MS: f64 = 500.0;
/// No request begins later than this after the flow did.
const MOST_TIME_MS: f64 = 30_000.0;

/// What a flow has repeated so far.
#[derive(Default)]
pub(super) struct Retries {
    made: u8,
    began_ms: f64,
}

impl Retries {
    pub(super) fn begin(&mut self, now: Now) {
        self.began_ms = now.ms;
    }

    /// How long to wait before the next try; `None`: no more. A server that says how long is not asked earlier, and not
    /// by all its visitors at once.
    pub(super) fn wait_ms(&mut self, retry_after_ms: Option<f64>, now: Now) -> Option<u64> {
        if self.made == MOST_RETRIES {
            return None;
        }
        let most_ms = FIRST_WAIT_MS * f64::from(1_u32 << self.made);
        let wait_ms = retry_after_ms.unwrap_or(0.0).max(0.0) + most_ms * now.random;
        // The absolute value, since a clock that was set back does not measure the elapsed time, and must not lengthen
        // the wait.
        if (now.ms - self.began_ms).abs() + wait_ms > MOST_TIME_MS {
            return None;
        }
        self.made += 1;
        Some(whole(wait_ms))
    }
}
