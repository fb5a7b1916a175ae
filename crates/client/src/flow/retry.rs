//! The repetition of a request that got no response, or a server error: exponential backoff with full jitter.

use saltmine_protocol::whole;

use super::Now;

/// The maximum number of requests that one flow repeats.
const MOST_RETRIES: u8 = 3;
/// The longest first wait; the limit of each further wait is twice the last.
const FIRST_WAIT_MS: f64 = 500.0;
/// The time after the start of the flow, or after the end of its search, in which a request may be repeated.
const MOST_TIME_MS: f64 = 30_000.0;

/// The requests that a flow has repeated so far.
#[derive(Default)]
pub(super) struct Retries {
    made: u8,
    began_ms: f64,
}

impl Retries {
    /// Starts the time in which requests may be repeated.
    pub(super) fn begin(&mut self, now: Now) {
        self.began_ms = now.ms;
    }

    /// Returns the time to wait before the next attempt; `None`: no further attempt. The server's `Retry-After` is a
    /// minimum, to which a random time is added, so that not all visitors return at once.
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
